"""Earlier releases of a source, read back from their public files, each checked against its digest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clerestory.attack.history import Earlier, History, history
from clerestory.errors import Refused
from clerestory.release import structure
from clerestory.release.ledger import Event
from clerestory.release.manifest import NAME as MANIFEST
from clerestory.release.structure import Before, Rule, Structure
from clerestory.release.verify import Release, open_release
from clerestory.tables import Changes, PublicCells

_FIX = "restore the folder of that release, every byte, beside the others; then build again"


@dataclass(frozen=True, eq=False)
class Past:
    """A source as an earlier release shows it."""

    release: str
    manifest: str
    structure: Structure
    public: PublicCells

    @property
    def plain(self) -> bytes:
        """The structure without its history: the same while tables and rule are."""
        return structure.write(self.structure.space, self.structure.rule)

    def same(self, other: Past) -> bool:
        """Whether both releases tell the same of the source."""
        return self.plain == other.plain and (
            np.array_equal(self.public.hidden, other.public.hidden)
            and np.array_equal(self.public.values, other.public.values)
        )


def past_of(releases: Path, public: Iterable[Event], source: str) -> tuple[Past, ...]:
    """What releases that were public tell of a source, oldest first, where they tell something new.

    Raises Refused if a release that has the source cannot be read whole: it cannot be audited against.
    """
    found: list[Past] = []
    for entry in public:
        past = read_past(releases / entry.release, entry.release, entry.manifest, source)
        if past is not None and not any(past.same(other) for other in found):
            found.append(past)
    return tuple(found)


def read_past(folder: Path, release: str, manifest: str, source: str) -> Past | None:
    """A source as a release folder shows it, None if the release does not have it.

    manifest: the SHA-256 that its manifest must have. Only the files that are read are checked.
    Raises Refused if something is missing, changed or unreadable.
    """
    try:
        opened = open_release(folder)
        digest = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
        if opened.id != release or digest != manifest:
            raise Refused("its manifest is another one")
        own = [n for n, f in opened.manifest.tables.items() if f.source == source and f.level]
        if not own:
            return None
        found = structure.parse(_checked(opened, structure.path_of(source)), where=release)
        problem = found.facts_problem(opened.manifest.tables)
        if found.source != source or problem:
            raise Refused(f"its structure does not fit its manifest: {problem or 'another source'}")
        downloads = {name: _checked(opened, structure.csv_path(name)) for name in own}
        public = structure.public_cells(found, downloads, where=release)
    except (Refused, OSError) as problem_:
        reason = problem_.what if isinstance(problem_, Refused) else "a file cannot be read"
        raise Refused(
            f"an earlier release cannot be audited against: {reason}",
            where=f"release {release}, source {source!r}",
            fix=_FIX,
        ) from None
    return Past(release, manifest, found, public)


def _checked(release: Release, path: str) -> bytes:
    """A file's bytes, which are those of the manifest."""
    entry = next((entry for entry in release.manifest.files if entry.path == path), None)
    if entry is None:
        raise Refused(f"it has no {path}")
    descriptor = os.open(release.folder / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(entry.size + 1)
    if len(content) != entry.size or hashlib.sha256(content).hexdigest() != entry.sha256:
        raise Refused(f"{path} has another digest than its manifest says")
    return content


def befores(pasts: Sequence[Past], *, linked: bool) -> tuple[Before, ...]:
    """What the next structure says of these releases.

    linked: whether it counts the same people as the last of them.
    """
    found = []
    for number, past in enumerate(pasts):
        if number + 1 == len(pasts):
            same = linked
        else:
            after = pasts[number + 1].structure
            said = {one.release: one.linked for one in after.history}
            same = said.get(past.release, not revised(after))
        found.append(Before(past.release, past.manifest, same))
    return tuple(found)


def revised(found: Structure) -> bool:
    """Whether the tables of a source are counted anew in each release."""
    return any(layout.design.changes is Changes.REVISED for layout in found.space.layouts)


def counting_the_same(before: Sequence[Before]) -> tuple[Before, ...]:
    """The latest of these releases that count the same people as the next one, oldest first."""
    apart = [number for number, one in enumerate(before) if not one.linked]
    return tuple(before[apart[-1] + 1 :] if apart else before)


def chosen(pasts: Sequence[Past], before: Sequence[Before]) -> tuple[Earlier, ...]:
    """The releases among `pasts` that count the same people, for an attack on all of them."""
    wanted = {one.release for one in counting_the_same(before)}
    return tuple(Earlier(past.release, past.public) for past in pasts if past.release in wanted)


def places(folder: Path, earlier: Sequence[Path]) -> list[Path]:
    """Where earlier releases are looked for: where the caller says, then beside the release."""
    return [*(place.resolve() for place in earlier), folder.resolve().parent]


def has_history(found: Structure) -> bool:
    """Whether a source has to be proven together with earlier releases."""
    return bool(counting_the_same(found.history))


def apart(found: Structure) -> tuple[str, ...]:
    """Those whose people are not said to be today's. Raises Refused if no table declares that."""
    same = {one.release for one in counting_the_same(found.history)}
    others = tuple(one.release for one in found.history if one.release not in same)
    if others and not same and not revised(found):
        raise Refused(
            "it leaves earlier releases aside, and none of its tables says that it was revised",
            where=f"structure of source {found.source!r}",
            fix="do not rely on this release",
        )
    return others


@dataclass(frozen=True, eq=False)
class Found:
    """The history of a source in a release, as far as its earlier releases are at hand.

    past: None where it has none, or where some are missing: those are `absent`.
    """

    past: History | None
    absent: tuple[str, ...]


def history_of(found: Structure, places: Sequence[Path]) -> Found:
    """The linked tables of a release and of the earlier ones that it names; places: folders to look in.

    A place is the folder of a release, or one in which release folders are. Raises Refused if one that is
    there is not whole.
    """
    wanted = counting_the_same(found.history)
    if not wanted:
        return Found(None, ())
    folders = [_folder(one.release, places) for one in wanted]
    absent = tuple(one.release for one, folder in zip(wanted, folders, strict=True) if folder is None)
    if absent:
        return Found(None, absent)
    earlier = []
    for one, folder in zip(wanted, folders, strict=True):
        assert folder is not None
        past = read_past(folder, one.release, one.manifest, found.source)
        if past is None:
            raise Refused(
                "the earlier release does not have this source",
                where=f"release {one.release}, source {found.source!r}",
                fix="build the release again",
            )
        earlier.append(Earlier(past.release, past.public))
    return Found(history(found.space, earlier), ())


def _folder(release: str, places: Sequence[Path]) -> Path | None:
    for place in places:
        for folder in (place, place / release, place / "releases" / release):
            if folder.name == release and (folder / MANIFEST).is_file():
                return folder
    return None


def unchanged(last: Past, now: bytes, rule: Rule) -> bool:
    """Whether tables and rule are those of the last release. now: today's structure without its history."""
    return last.structure.rule == rule and last.plain == now

"""Checks a release as a reader would who has its files and nothing else: digests, then the proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from clerestory.errors import InputError
from clerestory.release.bundle import CURRENT, STAGED
from clerestory.release.manifest import NAME
from clerestory.release.proof import proof_list
from clerestory.release.proof.verify_proof import ProofChecked, verify_proof
from clerestory.release.verify import open_release, verify_digests


@dataclass(frozen=True)
class Verified:
    """A release that is whole. files: on its manifest, each with its digest; proof: None if it has none."""

    release: str
    files: int
    proof: ProofChecked | None

    def said(self) -> dict[str, Any]:
        """The JSON of `clerestory verify --format json`."""
        return {
            "kind": "done",
            "exit": 0,
            "release": self.release,
            "files": self.files,
            "proof": None
            if self.proof is None
            else {
                "level": self.proof.level,
                "sources": [asdict(source) for source in self.proof.sources],
                "open_sources": list(self.proof.open_sources),
                "over_time": [asdict(source) for source in self.proof.over_time],
                "not_over_time": {name: list(ids) for name, ids in self.proof.not_over_time.items()},
                "apart": {name: list(ids) for name, ids in self.proof.apart.items()},
                "other_methods": [asdict(source) for source in self.proof.others],
            },
        }

    def lines(self) -> list[str]:
        """The report for people: what was checked, and what was not."""
        lines = [f"Release {self.release}: all {self.files:,} files are those of the manifest."]
        if self.proof is None:
            return [*lines, "It has no proof: nothing was checked about its hidden numbers."]
        lines += [f"  {source.sentence()}" for source in self.proof.sources]
        if self.proof.others:
            lines.append("  protected by another method, for which no proof is claimed:")
            lines += [f"    {source.sentence()}" for source in self.proof.others]
        if self.proof.open_sources:
            lines.append(f"  published openly, nothing to prove: {', '.join(self.proof.open_sources)}")
        lines += [f"  {source.sentence()}" for source in self.proof.over_time]
        for name, ids in self.proof.apart.items():
            lines.append(f"  {name}: its tables were revised since {', '.join(ids)}: not attacked together")
        for name, ids in self.proof.not_over_time.items():
            lines.append(
                f"  {name}: NOT checked together with {', '.join(ids)}: name their folders with --earlier"
            )
        if not self.proof.sources:
            return [*lines, "No source hides numbers, so there is nothing to prove."]
        return [
            *lines,
            f"The proof holds (level {self.proof.level}): every witness keeps every relation, every number",
            "published and the policy, and together they take each hidden number as far apart as said.",
            "It does not show that the shown numbers are true.",
        ]


def release_folder(path: Path) -> Path:
    """The folder of a release: the one given, or of a project or a releases folder the live one, if none is
    the one that was built last.

    Raises InputError if there is none.
    """
    places = (path, path / "releases")
    for candidate in (path, *(place / link for link in (CURRENT, STAGED) for place in places)):
        if (candidate / NAME).is_file():
            return candidate.resolve()
    raise InputError(
        "there is no release here",
        where=str(path),
        fix="name a release folder, or a project that was built: clerestory build",
    )


def verify_release(path: Path, *, earlier: Sequence[Path] = (), insist: bool = True) -> Verified:
    """Checks a release: every digest, and its proof by multiplication.

    earlier: where the earlier releases that it names are, if not beside it.
    insist: without it, a release that has no proof passes on its digests alone. Raises Refused with the
    reason if anything does not hold.
    """
    folder = release_folder(path)
    release = open_release(folder)
    if proof_list.read(folder, release.id) is None and not insist:
        verify_digests(folder)
        return Verified(str(release.id), len(release.manifest.files), None)
    return Verified(str(release.id), len(release.manifest.files), verify_proof(folder, earlier))

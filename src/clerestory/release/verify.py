"""Whether a release folder is whole: exactly the files of its manifest, every byte equal. No solver.

Beside them there may be a proof, made after the manifest: proof/proof.json and exactly the files it lists;
and signatures/, with nothing but signed statements.
"""

from __future__ import annotations

import hashlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from clerestory.errors import ClerestoryError, Refused
from clerestory.release.gate.bodies import BESIDE, beside
from clerestory.release.gate.envelope import open_envelope
from clerestory.release.gate.statement import Approval
from clerestory.release.manifest import (
    MAXIMUM_BYTES,
    NAME,
    Entry,
    Manifest,
    ReleaseId,
    folders_of,
    id_of,
    parse,
)
from clerestory.release.proof import proof_list

_LISTED = 20
"""Problems named in one message; the rest are counted."""


@dataclass(frozen=True)
class Release:
    """A release folder whose manifest was read and gives the folder its name."""

    folder: Path
    id: ReleaseId
    manifest: Manifest


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a release or staging folder. Raises Refused if there is none or it cannot be used."""
    return _manifest(folder)[0]


def _manifest(folder: Path) -> tuple[Manifest, bytes]:
    where = f"{folder.name}/{NAME}"
    try:
        descriptor = os.open(folder / NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(MAXIMUM_BYTES + 1)
    except OSError:
        raise Refused(
            "the manifest cannot be read", where=where, fix="is this the folder of a release?"
        ) from None
    return parse(content, where=where), content


def open_release(folder: Path) -> Release:
    """The release in a folder. Raises Refused if its manifest is bad or does not give the folder's name."""
    manifest, content = _manifest(folder)
    if id_of(content) != folder.name:
        raise Refused(
            "the folder's name is not that of its manifest",
            where=folder.name,
            fix="the manifest was changed or the folder renamed; build the release again",
        )
    return Release(folder, ReleaseId(folder.name), manifest)


def verify_digests(folder: Path, *, proofs: bool = True) -> Manifest:
    """The manifest of a folder that holds exactly its files, and those of its proof, every byte equal.

    proofs: False leaves the folder proof/ aside, whatever is in it.
    Raises Refused that lists what is missing, extra, changed, or neither file nor folder.
    """
    manifest, content = _manifest(folder)
    aside = {BESIDE} if proofs else {BESIDE, proof_list.FOLDER}
    # A file of that name on the manifest is no proof, which is made after the manifest.
    proofs = proofs and all(entry.path != proof_list.NAME for entry in manifest.files)
    listed = proof_list.read(folder, id_of(content)) if proofs else None
    files = (*manifest.files, *(listed.files if listed else ()))
    wanted = {entry.path for entry in files} | {NAME} | ({proof_list.NAME} if listed else set())
    problems = _strangers(folder, wanted, aside=aside)
    with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2)) as pool:
        found = pool.map(lambda entry: _problem(folder, entry), files, chunksize=16)
        problems += [problem for problem in found if problem]
    for _, digest, content in beside(folder):
        where = f"{folder.name}/{BESIDE}/{digest[:12]}"
        Approval.from_statement(open_envelope(content, where=where).statement, where=where)
    if problems:
        more = [f"and {len(problems) - _LISTED:,} more"] if len(problems) > _LISTED else []
        raise Refused(
            "the files are not those of the manifest: " + "; ".join(problems[:_LISTED] + more),
            where=folder.name,
            fix="do not publish it; build the release again, and find out what touched the folder",
        )
    return manifest


def whole(folder: Path) -> bool:
    """Whether a folder is a release under its own name, with every byte that its manifest lists."""
    try:
        open_release(folder)
        verify_digests(folder)
    except ClerestoryError:
        return False
    return True


def _strangers(folder: Path, wanted: set[str], *, aside: set[str]) -> list[str]:
    """What is in the folder and should not be, and files that are missing; `aside` is not looked at."""
    folders = folders_of(wanted)
    problems: list[str] = []
    seen: set[str] = set()
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        with os.scandir(folder / inside if inside else folder) as entries:
            for entry in entries:
                path = f"{inside}/{entry.name}" if inside else entry.name
                if path in aside and entry.is_dir(follow_symlinks=False):
                    continue
                if entry.is_symlink():
                    problems.append(f"{path!r} is a symbolic link")
                elif entry.is_dir(follow_symlinks=False):
                    if path in folders:
                        waiting.append(path)
                    else:
                        problems.append(f"folder {path!r} is not on the manifest")
                elif not entry.is_file(follow_symlinks=False):
                    problems.append(f"{path!r} is neither file nor folder")
                elif path not in wanted:
                    problems.append(f"{path!r} is not on the manifest")
                seen.add(path)
    problems += [f"{path!r} is missing" for path in sorted(wanted - seen)]
    return sorted(problems)


def _problem(folder: Path, entry: Entry) -> str:
    try:
        descriptor = os.open(folder / entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                return f"{entry.path!r} is not a file"
            if facts.st_size != entry.size:
                return f"{entry.path!r} has another size"
            if hashlib.file_digest(file, "sha256").hexdigest() != entry.sha256:
                return f"{entry.path!r} has another digest"
    except FileNotFoundError:
        return ""  # named as missing already
    except OSError:
        return f"{entry.path!r} cannot be read"
    return ""

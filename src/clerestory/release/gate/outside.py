"""Checks a release as an outsider does: from a folder or from the web, by a root of trust that is pinned."""

from __future__ import annotations

import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clerestory.errors import InputError, Refused, Undecided
from clerestory.release.check import Verified, release_folder, verify_release
from clerestory.release.gate.bodies import BESIDE, MOST, WELL_KNOWN, beside, kind_in, put_beside
from clerestory.release.gate.register import TRUST
from clerestory.release.gate.signed_by import Signed, signed_by
from clerestory.release.ledger import Kind
from clerestory.release.manifest import NAME, id_of, parse
from clerestory.release.proof import proof_list

_SECONDS = 30
_AT_ONCE = 8
_MOST_ROOTS = 10_000


@dataclass(frozen=True)
class Checked:
    """What was found. signed: None where no root of trust was at hand."""

    verified: Verified
    signed: Signed | None

    def said(self) -> dict[str, Any]:
        """The JSON of `clerestory verify --format json`."""
        signed = self.signed
        return {
            **self.verified.said(),
            "signed": None
            if signed is None
            else {
                "built": list(signed.builders),
                "approved": list(signed.reviewers),
                "recounted": list(signed.recounted),
                "published": signed.publisher,
                "time": signed.published.isoformat(),
                "root": signed.root or None,
            },
        }

    def lines(self) -> list[str]:
        """For people."""
        if self.signed is None:
            return [*self.verified.lines(), "No signature for publishing it was checked."]
        return [*self.verified.lines(), self.signed.sentence()]


def is_url(place: str) -> bool:
    """Whether this is the address of a site."""
    return place.startswith(("http://", "https://"))


def check(
    place: str,
    *,
    root: str = "",
    trust: Path | None = None,
    earlier: Sequence[Path] = (),
    insist: bool = True,
) -> Checked:
    """Verifies a release folder, a project's release or a live site: every byte, the proof, the signatures.

    root: the digest of a version of the root of trust that must hold. trust: the folder with the chain, if it
    is not where the release is. Raises Refused with the reason if anything does not hold; Undecided if a site
    does not answer.
    """
    if is_url(place):
        with _fetched(place) as (folder, chain):
            return _check(folder, root, trust or chain, earlier, insist)
    folder = release_folder(Path(place))
    beside = folder.parent.parent / TRUST
    return _check(folder, root, trust or (beside if beside.is_dir() else None), earlier, insist)


def _check(folder: Path, root: str, trust: Path | None, earlier: Sequence[Path], insist: bool) -> Checked:
    verified = verify_release(folder, earlier=earlier, insist=insist)
    published = any(kind is Kind.PUBLISHED for kind, _, _ in beside(folder))
    if root and trust is None:
        raise InputError(
            "the root of trust is not here", where=str(folder), fix="name its folder with --trust"
        )
    signed = None
    if trust is not None and (root or published):
        signed = signed_by(folder, trust, pinned=root)
    return Checked(verified, signed)


@contextmanager
def _fetched(address: str) -> Iterator[tuple[Path, Path]]:
    """The live release of a site, as the public gets it, in a folder of its own; and its chain of roots."""
    base = address if address.endswith("/") else address + "/"
    known = urllib.parse.urljoin(base, WELL_KNOWN.lstrip("/"))
    content = _get(known + NAME)
    if content is None:
        raise Refused(
            "the site does not show a manifest",
            where=known + NAME,
            fix="is this a site that Clerestory serves? its address ends where the home page is",
        )
    manifest = parse(content, where=NAME)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "releases" / id_of(content)
        _put(folder / NAME, content)

        def fetch(path: str) -> str:
            inside = path.startswith("site/")
            where = urllib.parse.urljoin(base, path.removeprefix("site/")) if inside else known + path
            found = _get(where)
            if found is not None:
                _put(folder / path, found)
            return "" if found is not None else path

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(fetch, [entry.path for entry in manifest.files]))
        if (proofs := _get(known + proof_list.NAME)) is not None:
            _put(folder / proof_list.NAME, proofs)
            listed = proof_list.parse(proofs, where=proof_list.NAME)
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                list(pool.map(fetch, [entry.path for entry in listed.files]))
        _signatures(known, folder)
        chain = Path(scratch) / TRUST
        for number in range(1, _MOST_ROOTS):
            found = _get(f"{known}{TRUST}/{number}.root.json")
            if found is None:
                break
            _put(chain / f"{number}.root.json", found)
        yield folder, chain


def _signatures(known: str, folder: Path) -> None:
    for number in range(MOST):
        content = _get(f"{known}{BESIDE}/{number}.json")
        if content is None:
            return
        put_beside(folder, kind_in(content, where=f"{BESIDE}/{number}.json"), content)


def _put(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def _get(address: str) -> bytes | None:
    request = urllib.request.Request(address, headers={"accept-encoding": "identity"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            found: bytes = answer.read()
            return found
    except urllib.error.HTTPError as problem:
        if problem.code in (404, 308):
            return None
        raise Refused(
            f"the site answers {problem.code}",
            where=address,
            fix="410 means that the release was withdrawn; otherwise try again",
        ) from None
    except (OSError, urllib.error.URLError):
        raise Undecided("the site does not answer", where=address, fix="try again") from None

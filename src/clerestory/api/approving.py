"""A reviewer's approval: only with the review page opened and its checklist answered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clerestory.api.gate import release_of, signed
from clerestory.errors import Refused
from clerestory.release.ledger import Event, Kind

if TYPE_CHECKING:
    from securesystemslib.signer import Signer


def approve(root: Path, release: str, signer: Signer, answers: Path | None) -> Event:
    """Approves a release with the answers that its review page made.

    Raises Refused if there are none, they are of another release or page, or one of them is No.
    """
    from clerestory.api.review import answers_for

    opened = release_of(root, release)
    if answers is None:
        raise Refused(
            "the review page was not answered",
            where=str(opened.id),
            fix=f"open it, read and answer it: clerestory review {opened.id}; then --answers FILE",
        )
    found = answers_for(root, str(opened.id), answers)
    return signed(root, Kind.APPROVED, str(opened.id), signer, answers=found.digest)

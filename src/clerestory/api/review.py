"""The review of a release: writes its page for people, and reads what they answered."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clerestory.api.gate import release_of
from clerestory.api.kept import FOLDER, private_folder, read_kept, write_private
from clerestory.api.progress import Progress, Quiet, Stopwatch
from clerestory.api.review_inside import changes_of, gates_of, protections_of, rules_of, typed_of
from clerestory.api.review_release import files_of, pages_of, structures_of, tables_of, tightest_of
from clerestory.confidential.review import (
    PAGE,
    RECORD,
    SECTIONS,
    Answers,
    Facts,
    Point,
    Review,
    answered,
    attention,
    page_digest,
    read_answers,
    read_fields,
    read_review,
    render,
)
from clerestory.errors import ClerestoryError, Refused
from clerestory.policy import Question
from clerestory.policy.checklist import CHECKLIST
from clerestory.project import load
from clerestory.release.check import verify_release
from clerestory.release.gate.register import Register, digest_of
from clerestory.release.trust.project import rules_for
from clerestory.release.verify import Release, open_release

REVIEWS = "reviews"


@dataclass(frozen=True)
class Written:
    """A review page as it was written, and what it asks to look at."""

    file: Path
    review: Review
    points: tuple[Point, ...]

    def said(self) -> dict[str, Any]:
        """The JSON of `clerestory review --format json`."""
        return {
            "kind": "done",
            "exit": 0,
            "release": self.review.release,
            "live": self.review.live or None,
            "page": str(self.file),
            "digest": self.review.page,
            "look_at": [{"section": point.section, "what": point.text} for point in self.points],
        }


def review_folder(root: Path, release: str) -> Path:
    """Where the review of a release is: confidential/reviews/RELEASE."""
    return root / FOLDER / REVIEWS / release


def live_before(root: Path, release: str) -> Release | None:
    """What a release is compared with: the live one, or else the latest other one that the public has had."""
    known = Register(root).standing()
    if known.live and known.live.release != release:
        return open_release(root / "releases" / known.live.release)
    earlier = [event.release for event in known.published.values() if event.release != release]
    return open_release(root / "releases" / earlier[-1]) if earlier else None


def questions_of(root: Path) -> tuple[Question, ...]:
    """What a reviewer is asked: always the same, then what the root of trust and the project ask."""
    found = rules_for(load(root), now=datetime.now(UTC))
    known = {question.id for question in CHECKLIST}
    more = found[1].checklist if found else ()
    return (*CHECKLIST, *(question for question in more if question.id not in known))


def review(
    root: Path,
    release: str = "",
    *,
    progress: Progress | None = None,
) -> Written:
    """Writes the review page of a release to confidential/reviews, for its owner's eyes alone.

    The same release, report and live release give the same bytes, save for the words at the end of sections,
    which are new when the page says something new. Raises Refused if the release is not whole or its proof
    does not hold, InputError if the build's report is not here.
    """
    root = root.resolve()
    watch = Stopwatch(progress or Quiet())
    own = release_of(root, release)
    questions = questions_of(root)
    with watch.step("verify the release and read it"):
        facts = _facts(root, own)
    page = page_digest(facts, questions)
    folder = review_folder(root, own.id)
    private_folder(root / FOLDER)
    private_folder(folder.parent)
    live = facts.changes.before if facts.changes else ""
    record = Review(
        release=own.id,
        manifest=facts.manifest,
        live=live,
        page=page,
        file="",
        nonce=_nonce(folder, page),
        sections=SECTIONS,
        questions=questions,
    )
    content = render(facts, questions, {section: record.word(section) for section, _ in SECTIONS})
    record = _with_file(record, content)
    write_private(folder / PAGE, content.decode())
    write_private(folder / RECORD, record.to_json())
    return Written(folder / PAGE, record, attention(facts))


def _with_file(record: Review, content: bytes) -> Review:
    return Review(**{**record.__dict__, "file": hashlib.sha256(content).hexdigest()})


def _nonce(folder: Path, page: str) -> str:
    """That of the page if it says the same as before, so that nobody's answers are lost."""
    try:
        before = read_review(folder)
    except ClerestoryError:
        before = None
    return before.nonce if before is not None and before.page == page else secrets.token_hex(16)


def _facts(root: Path, release: Release) -> Facts:
    verified = verify_release(release.folder)
    report = read_kept(root, release.id, "reports")
    policy: Mapping[str, Any] = read_kept(root, release.id, "reasons")["policy"]
    structures = structures_of(release)
    tables = tables_of(release, structures)
    live = live_before(root, release.id)
    files = files_of(release)
    return Facts(
        release=release.id,
        manifest=digest_of(release.folder),
        title=release.manifest.title,
        date=release.manifest.date.isoformat(),
        software=release.manifest.software,
        site=f"../../../releases/{release.id}/site",
        bytes=sum(group.size for group in files),
        pages=pages_of(release),
        tables=tables,
        files=files,
        numbers=report["accounting"]["numbers"],
        profile=policy["profile"],
        profile_source=policy["source"],
        policy=rules_of(policy),
        insiders=policy["insider_records"],
        protections=protections_of(report, structures, report.get("titles", {})),
        tightest=tightest_of(release, structures),
        fields=read_fields(report.get("fields", [])),
        fields_known="fields" in report,
        changes=changes_of(root, live, release, {table.name: table.title for table in tables})
        if live
        else None,
        gates=gates_of(report, verified, report.get("titles", {})),
        typed=typed_of(report),
    )


def answers_for(root: Path, release: str, file: Path, *, agreeing: bool = True) -> Answers:
    """The answers in a file, if they are whole, to the page of this release as it lies in the project, and if
    that page is still about the live release.

    agreeing: a no is refused too. Raises Refused or InputError as read_answers() and read_review() do.
    """
    root = root.resolve()
    own = release_of(root, release)
    page = read_review(review_folder(root, own.id))
    live = live_before(root, own.id)
    state = (digest_of(own.folder), live.id if live else "", questions_of(root))
    if (page.manifest, page.live, page.questions) != state:
        raise Refused(
            "the review page is about another state: the release, what is live or the checklist has changed",
            where=str(review_folder(root, own.id) / PAGE),
            fix=f"make it again and read it: clerestory review {own.id}",
        )
    found = read_answers(file, page)
    if agreeing and not found.agrees:
        listed = "\n  ".join(f"{question}: {note}" for question, note in found.no)
        raise Refused(
            f"the reviewer does not agree:\n  {listed}",
            where=str(file),
            fix=f"send it back: clerestory reject {own.id}",
        )
    return found


def answer_all(root: Path, release: str, *, by: str) -> Path:
    """Writes the answers of an invented reviewer who says yes to everything: for the demonstration alone."""
    root = root.resolve()
    own = release_of(root, release)
    page = read_review(review_folder(root, own.id))
    codes = {section: page.word(section) for section, _ in page.sections}
    answers = {question.id: ("yes", "") for question in page.questions}
    file = review_folder(root, own.id) / f"answers-{own.id}.json"
    write_private(file, answered(page, by, codes, answers))
    return file

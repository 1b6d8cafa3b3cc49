"""Answers to a review: that they are about this release and this page, complete, and from who was there.

The digest of the answers is what a signature covers; the answers themselves stay inside.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clerestory.confidential.review.words import same_word, word_for
from clerestory.errors import InputError, Refused
from clerestory.policy import Question

FORMAT = "clerestory-answers/1"
RECORD_FORMAT = "clerestory-review/1"
PAGE, RECORD = "review.html", "review.json"
_MOST_BYTES = 1 << 20
_LONGEST = 10_000
_KEYS = {"format", "release", "manifest", "page", "by", "codes", "answers"}


@dataclass(frozen=True)
class Review:
    """A review page as it was written.

    page: the digest of what it says; file: of its bytes; live: the release that it compares with, "" if none.
    sections: those with a word at their end, in order.
    """

    release: str
    manifest: str
    live: str
    page: str
    file: str
    nonce: str
    sections: tuple[tuple[str, str], ...]
    questions: tuple[Question, ...]

    def word(self, section: str) -> str:
        """The word at the end of a section."""
        return word_for(bytes.fromhex(self.nonce), self.page, section)

    def to_json(self) -> str:
        """As review.json keeps it. Confidential: it holds the nonce."""
        said = {
            "format": RECORD_FORMAT,
            "release": self.release,
            "manifest": self.manifest,
            "live": self.live,
            "page": self.page,
            "file": self.file,
            "nonce": self.nonce,
            "sections": [list(section) for section in self.sections],
            "questions": [[one.id, one.text_en, one.text_es] for one in self.questions],
        }
        return json.dumps(said, indent=2, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Answers:
    """Whole answers to one review. digest: SHA-256 of their canonical form; no: questions answered no, with
    the note that says why."""

    release: str
    manifest: str
    page: str
    by: str
    digest: str
    no: tuple[tuple[str, str], ...]

    @property
    def agrees(self) -> bool:
        """Whether every question was answered yes."""
        return not self.no


def read_review(folder: Path) -> Review:
    """The review whose page and record are in a folder. Raises InputError without one, Refused if the page is
    not the one that was written."""
    try:
        said = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if said.pop("format") != RECORD_FORMAT:
            raise ValueError
        said["sections"] = tuple((str(one), str(title)) for one, title in said["sections"])
        said["questions"] = tuple(Question(*map(str, one)) for one in said["questions"])
        found = Review(**said)
        bytes.fromhex(found.nonce)
        page = (folder / PAGE).read_bytes()
    except (OSError, ValueError, TypeError, KeyError):
        raise InputError(
            "there is no review of this release here",
            where=str(folder),
            fix=f"make its page first: clerestory review {folder.name}",
        ) from None
    if hashlib.sha256(page).hexdigest() != found.file:
        raise Refused(
            "the review page was changed after it was made",
            where=str(folder / PAGE),
            fix=f"make it again and read it: clerestory review {folder.name}",
        )
    return found


def canonical(said: Mapping[str, Any]) -> bytes:
    """The one byte form of answers: keys sorted, no space, UTF-8."""
    return json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def read_answers(file: Path, review: Review) -> Answers:
    """The answers in a file, if they are whole answers to this review.

    Raises InputError if it is no file of answers, Refused that lists everything that does not hold: another
    release or page, a wrong word, a question without answer, a no without a note.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
        said = json.loads(content.decode("utf-8")) if len(content) <= _MOST_BYTES else None
    except (OSError, ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or set(said) != _KEYS or said["format"] != FORMAT:
        raise InputError(
            "it is not a file of answers",
            where=str(file),
            fix="download it from the end of the review page, or: clerestory review RELEASE --answer",
        )
    problems = _problems(said, review)
    if problems:
        raise Refused(
            "the answers cannot be used:\n  " + "\n  ".join(problems),
            where=str(file),
            fix=f"open the page and answer it: clerestory review {review.release}",
        )
    no = tuple(
        (question.id, said["answers"][question.id]["note"].strip())
        for question in review.questions
        if said["answers"][question.id]["answer"] == "no"
    )
    digest = hashlib.sha256(canonical(said)).hexdigest()
    return Answers(review.release, review.manifest, review.page, said["by"].strip(), digest, no)


def _problems(said: Mapping[str, Any], review: Review) -> list[str]:
    if (said["release"], said["manifest"]) != (review.release, review.manifest):
        return ["they are about another release"]
    if said["page"] != review.page:
        return ["they are about another page of this release: what it says has changed since"]
    problems = []
    if not _text(said["by"]) or not said["by"].strip():
        problems.append("nobody's name is on them")
    codes = said["codes"] if isinstance(said["codes"], dict) else {}
    for section, title in review.sections:
        given = codes.get(section)
        if not (_text(given) and same_word(str(given), review.word(section))):
            problems.append(f"the word at the end of “{title}” is missing or wrong")
    if set(codes) - {section for section, _ in review.sections}:
        problems.append("they hold a word of a section that there is not")
    return problems + _unanswered(said["answers"], review.questions)


def _unanswered(answers: Any, questions: Sequence[Question]) -> list[str]:
    if not isinstance(answers, dict):
        return ["they hold no answers"]
    problems = []
    for number, question in enumerate(questions, start=1):
        one: Any = answers.get(question.id)
        whole = isinstance(one, dict) and set(one) == {"answer", "note"} and _text(one["note"])
        if not whole or one["answer"] not in ("yes", "no"):
            problems.append(f"question {number} ({question.id}) is not answered")
        elif one["answer"] == "no" and not one["note"].strip():
            problems.append(f"question {number} ({question.id}) is answered no without saying why")
    if set(answers) - {question.id for question in questions}:
        problems.append("they answer a question that was not asked")
    return problems


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST


def answered(
    review: Review, by: str, codes: Mapping[str, str], answers: Mapping[str, tuple[str, str]]
) -> str:
    """The file of answers that somebody gave. answers: question -> ("yes" or "no", note)."""
    said = {
        "format": FORMAT,
        "release": review.release,
        "manifest": review.manifest,
        "page": review.page,
        "by": by,
        "codes": dict(codes),
        "answers": {question: {"answer": one, "note": note} for question, (one, note) in answers.items()},
    }
    return json.dumps(said, indent=2, ensure_ascii=False) + "\n"

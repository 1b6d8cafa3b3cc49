"""Answers count only if they are whole, about this very page, and from who was at the end of each section."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clerestory.confidential.review import answered, read_answers, read_review, same_word, word_for
from clerestory.errors import InputError, Refused
from tests.confidential.review.reviewed import REVIEW, agreeing, written


def test_whole_answers_agree_and_their_digest_is_that_of_the_canonical_form(tmp_path: Path) -> None:
    said = agreeing()
    found = read_answers(written(tmp_path, said), REVIEW)
    assert found.agrees and found.by == "Rosa Luz"
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert found.digest == hashlib.sha256(canonical.encode()).hexdigest()


def test_the_layout_of_the_file_does_not_change_the_digest(tmp_path: Path) -> None:
    said = agreeing()
    plain = read_answers(written(tmp_path, said), REVIEW).digest
    file = tmp_path / "other.json"
    file.write_text(json.dumps(dict(reversed(said.items())), indent=7), encoding="utf-8")
    assert read_answers(file, REVIEW).digest == plain


def test_a_no_with_its_reason_is_whole_and_does_not_agree(tmp_path: Path) -> None:
    said = agreeing()
    said["answers"]["fields"] = {"answer": "no", "note": " race is not needed "}
    found = read_answers(written(tmp_path, said), REVIEW)
    assert not found.agrees
    assert found.no == (("fields", "race is not needed"),)


def _without(key: str, inside: str) -> Callable[[dict[str, Any]], object]:
    return lambda said: said[key].pop(inside)


@pytest.mark.parametrize(
    ("break_it", "what"),
    [
        (lambda said: said.update(release="r-aaaaaaaaaaaa"), "another release"),
        (lambda said: said.update(manifest="f" * 64), "another release"),
        (lambda said: said.update(page="f" * 64), "another page"),
        (lambda said: said.update(by="  "), "nobody's name"),
        (lambda said: said.update(by=7), "nobody's name"),
        (lambda said: said["codes"].update(learn="wrong-word"), "“What an attacker could learn” is missing"),
        (_without("codes", "public"), "“What becomes public” is missing"),
        (lambda said: said.update(codes=[]), "“What becomes public” is missing"),
        (lambda said: said["codes"].update(other="calm-lake"), "a section that there is not"),
        (_without("answers", "prose"), "question 7 (prose) is not answered"),
        (lambda said: said["answers"]["prose"].update(answer=""), "question 7 (prose) is not answered"),
        (lambda said: said["answers"]["prose"].update(answer="perhaps"), "(prose) is not answered"),
        (lambda said: said["answers"]["prose"].pop("note"), "(prose) is not answered"),
        (lambda said: said["answers"].update(prose="yes"), "(prose) is not answered"),
        (lambda said: said["answers"]["sense"].update(answer="no"), "(sense) is answered no without"),
        (lambda said: said["answers"].update(more={"answer": "yes", "note": ""}), "was not asked"),
        (lambda said: said.update(answers=None), "no answers"),
    ],
)
def test_whatever_is_not_whole_is_refused(
    tmp_path: Path, break_it: Callable[[dict[str, Any]], object], what: str
) -> None:
    said = agreeing()
    break_it(said)
    with pytest.raises(Refused) as refused:
        read_answers(written(tmp_path, said), REVIEW)
    assert what in refused.value.what


@pytest.mark.parametrize(
    "said", [[], {}, {"format": "clerestory-answers/1"}, "yes", agreeing() | {"more": 1}]
)
def test_another_file_is_no_answer(tmp_path: Path, said: object) -> None:
    with pytest.raises(InputError, match="not a file of answers"):
        read_answers(written(tmp_path, said), REVIEW)


def test_a_missing_or_huge_file_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read_answers(tmp_path / "none.json", REVIEW)
    (tmp_path / "huge.json").write_bytes(b" " * (2 << 20))
    with pytest.raises(InputError):
        read_answers(tmp_path / "huge.json", REVIEW)


def test_what_a_terminal_writes_is_read_back(tmp_path: Path) -> None:
    said = agreeing()
    text = answered(REVIEW, "Rosa Luz", said["codes"], {one.id: ("yes", "") for one in REVIEW.questions})
    assert json.loads(text) == said


def _kept(folder: Path, page: bytes = b"<!doctype html>") -> None:
    review = replace(REVIEW, file=hashlib.sha256(page).hexdigest())
    (folder / "review.html").write_bytes(page)
    (folder / "review.json").write_text(review.to_json(), encoding="utf-8")


def test_a_review_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    _kept(tmp_path)
    assert replace(read_review(tmp_path), file="") == REVIEW


def test_a_page_that_was_changed_is_refused(tmp_path: Path) -> None:
    _kept(tmp_path)
    (tmp_path / "review.html").write_bytes(b"<!doctype html>.")
    with pytest.raises(Refused, match="changed after it was made"):
        read_review(tmp_path)


@pytest.mark.parametrize("record", ["", "{}", '{"format": "clerestory-review/2"}', "[]"])
def test_without_its_record_there_is_no_review(tmp_path: Path, record: str) -> None:
    _kept(tmp_path)
    (tmp_path / "review.json").write_text(record, encoding="utf-8")
    with pytest.raises(InputError, match="no review"):
        read_review(tmp_path)


@given(nonce=st.binary(min_size=16, max_size=16), page=st.text(), section=st.text())
def test_a_word_is_two_words_and_follows_from_all_three(nonce: bytes, page: str, section: str) -> None:
    word = word_for(nonce, page, section)
    first, second = word.split("-")
    assert first.isalpha() and second.isalpha()
    assert word == word_for(nonce, page, section)
    assert same_word(f"  {first.upper()} {second} ", word)
    assert not same_word(first, word)


def test_other_nonces_and_sections_have_other_words() -> None:
    words = {word_for(bytes([number]) * 16, "page", section) for number in range(40) for section in "abcde"}
    assert len(words) > 180

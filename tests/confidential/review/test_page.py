"""The page: one file that asks for nothing, the same bytes from the same facts, and what it points at."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace

import pytest

from clerestory.confidential.review import SECTIONS, Facts, attention, page_digest, render
from clerestory.policy import Question
from clerestory.policy.checklist import ABOUT, CHECKLIST
from tests.confidential.review.reviewed import CHANGES, FACTS, changed

WORDS = {section: f"calm-{section}" for section, _ in SECTIONS}


def page(facts: Facts = FACTS) -> str:
    return render(facts, CHECKLIST, WORDS).decode()


def test_the_same_facts_give_the_same_bytes() -> None:
    assert page() == page()
    assert page_digest(FACTS, CHECKLIST) in page()


def test_the_digest_is_of_what_the_page_says_and_not_of_its_words() -> None:
    other = render(FACTS, CHECKLIST, dict.fromkeys(WORDS, "other-word")).decode()
    assert other != page()
    assert page_digest(FACTS, CHECKLIST) in other
    assert page_digest(changed(numbers=1, title="Other"), CHECKLIST) != page_digest(FACTS, CHECKLIST)
    assert page_digest(FACTS, (Question("one", "Is it?"),)) != page_digest(FACTS, CHECKLIST)


def test_style_and_script_are_those_that_the_policy_of_the_page_names() -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page())
    assert policy is not None
    allowed = policy[1].replace("&#39;", "'")
    assert allowed.startswith("default-src 'none';") and "unsafe" not in allowed
    for tag in ("style", "script"):
        content = re.search(rf"<{tag}>(.*?)</{tag}>", page(), re.DOTALL)
        assert content is not None
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in allowed


def test_it_asks_for_nothing_and_has_no_inline_style_or_handler() -> None:
    text = page(changed(changes=CHANGES))
    assert not re.findall(r'(?:src|href)="(?!data:|#|\.\./)[^"]*"', text)
    assert not re.findall(r'<[^>]+ (?:style|on\w+)="', text)
    assert not re.findall(r"<(?:link|iframe|object|base)\b", text)


def test_words_of_the_project_are_escaped() -> None:
    assert "<b>everywhere" not in page()
    assert "&lt;b&gt;everywhere" in page()


@pytest.mark.parametrize(("section", "title"), SECTIONS)
def test_each_section_ends_with_its_word(section: str, title: str) -> None:
    own = page().split(f'<section id="{section}"')[1].split("</section>")[0]
    assert title in own
    assert own.rstrip().endswith("</div>") and f"calm-{section}" in own[-600:]


def test_every_question_is_asked() -> None:
    assert re.findall(r'data-question="(\w+)"', page()) == [question.id for question in CHECKLIST]
    assert len({question.id for question in CHECKLIST}) == len(CHECKLIST)
    assert set(ABOUT) <= {question.id for question in CHECKLIST}
    assert set(ABOUT.values()) == {section for section, _ in SECTIONS}


def test_what_to_look_at_is_said_first_and_leads_to_its_section() -> None:
    facts = changed(changes=CHANGES)
    points = attention(facts)
    said = [point.text for point in points]
    assert said[0] == "A rule is looser than in the live release: Smallest count that is shown"
    assert "1 cell newly shown" in said
    assert "1 number typed in words that can hardly be a year" in said
    text = page(facts)
    for point in points:
        assert f'href="#{point.section}">{point.text}<' in text.replace("&#39;", "'")
    assert f"{len(points)} things need a look" in text


def test_a_release_in_which_nothing_stands_out() -> None:
    same = replace(CHANGES, files_added=(), files_changed=(), tables=(), policy=(), fields=(), drift=())
    facts = changed(changes=same, typed=())
    assert attention(facts) == ()
    assert "Nothing stands out" in page(facts)
    assert "Nothing differs from the live release" in page(facts)


def test_the_first_release_has_nothing_to_compare_with() -> None:
    assert "Nothing was ever public of this project" in page()
    assert attention(FACTS)[0].section == "changes"

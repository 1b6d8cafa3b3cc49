"""The review page: one HTML file that asks for nothing else, the same bytes from the same facts and words."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from clerestory.attack.levels import LEVELS
from clerestory.confidential.review.attention import attention
from clerestory.confidential.review.facts import Facts, Field, Page, Typed
from clerestory.policy import Question
from clerestory.policy.checklist import ABOUT

SECTIONS = (
    ("public", "What becomes public"),
    ("learn", "What an attacker could learn"),
    ("changes", "What changed"),
    ("gates", "What the checks found"),
    ("prose", "Typed numbers"),
)
"""The sections that end with a word, in order."""

_SHORT = {
    "public": "Public",
    "learn": "Attack",
    "changes": "Changes",
    "gates": "Checks",
    "prose": "Typed numbers",
}
"""What the row of links calls them."""
_MOST = 400
"""Cells and files named of one kind of change; the rest are counted."""
_FEW = 30
"""Up to so many are in view at once."""
_ROLES = {
    "identifier": ("identifier", "says who it is; it can never be shown"),
    "quasi-identifier": ("known to others", "helps to single people out"),
    "sensitive": ("sensitive", "what others would not know"),
    "measure": ("measure", "a number that is added up"),
    "operational": ("about the record", "not about the person"),
    "unused": ("unused", "declared as never read"),
}
_LANGUAGES = {"en": "English", "es": "Spanish"}
_METHODS = {
    "suppression": "numbers are hidden",
    "none": "none: its rows are public and name nobody",
    "rounding": "numbers are rounded",
    "cell-key": "numbers are changed by cell keys",
    "differential-privacy": "noise, under a privacy budget",
}


def page_digest(facts: Facts, questions: Sequence[Question]) -> str:
    """SHA-256 of what the page says, without its words: the same for everybody who reviews these facts."""
    nothing = {section: "" for section, _ in SECTIONS}
    return hashlib.sha256(_rendered(facts, questions, nothing, "").encode()).hexdigest()


def render(facts: Facts, questions: Sequence[Question], words: Mapping[str, str]) -> bytes:
    """The page. words: of each section."""
    return _rendered(facts, questions, words, page_digest(facts, questions)).encode()


def _rendered(facts: Facts, questions: Sequence[Question], words: Mapping[str, str], page: str) -> str:
    style, script = _package("review.css"), _package("review.js")
    points = attention(facts)
    return (
        _environment()
        .get_template("review.html")
        .render(
            facts=facts,
            page=page,
            questions=questions,
            about=ABOUT,
            words=words,
            sections=SECTIONS,
            titles=dict(SECTIONS),
            short=_SHORT,
            most=_MOST,
            few=_FEW,
            points=points,
            verdict=_verdict(len(points)),
            figures=_figures(facts),
            languages=_languages(facts),
            read=[one for one in facts.fields if one.uses],
            unread=_unread(facts.fields),
            roles=_ROLES,
            method_names=_METHODS,
            levels={level.value: words.partition(": ")[2] for level, words in LEVELS.items()},
            typed=_typed(facts.typed),
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            csp=(
                f"default-src 'none'; style-src '{_source(style)}'; script-src '{_source(script)}'; "
                "img-src data:; base-uri 'none'; form-action 'none'"
            ),
        )
    )


def _verdict(points: int) -> str:
    if not points:
        return "Every check passed."
    return f"Every check passed. {points} {'thing needs' if points == 1 else 'things need'} a look."


def _figures(facts: Facts) -> list[tuple[str, str]]:
    return [
        (_n(sum(page.versions for page in facts.pages)), "pages"),
        (_n(len(facts.tables)), "tables"),
        (_n(facts.shown), "numbers shown"),
        (_n(facts.hidden), "numbers hidden"),
        (_n(sum(len(group.files) for group in facts.files)), "files"),
        (_size(facts.bytes), "in all"),
    ]


def _languages(facts: Facts) -> list[tuple[str, list[Page]]]:
    """The pages by language, in the order of the facts; those with charts first, where they have any."""
    found: dict[str, list[Page]] = {}
    for page in facts.pages:
        found.setdefault(page.language, []).append(page)
    return [
        (_LANGUAGES.get(language, language), sorted(pages, key=lambda page: not page.charts))
        for language, pages in found.items()
    ]


def _unread(fields: Sequence[Field]) -> list[Field]:
    return [one for one in fields if not one.uses]


def _typed(typed: Sequence[Typed]) -> list[tuple[str, list[Typed], bool]]:
    return [
        ("Numbers that are hardly years", [one for one in typed if one.odd], True),
        ("Years and the like", [one for one in typed if not one.odd], False),
    ]


@cache
def _package(name: str) -> str:
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def _source(content: str) -> str:
    """What a content security policy calls an inline style or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


@lru_cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("clerestory.confidential.review", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["n"] = _n
    made.filters["size"] = _size
    made.filters["picture"] = _picture
    return made


def _n(number: int) -> str:
    return f"{number:,}"


def _size(size: int) -> str:
    if size < 1_000:
        return f"{size} bytes"
    return f"{size / 1e3:,.0f} kB" if size < 1_000_000 else f"{size / 1e6:,.1f} MB"


def _picture(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()

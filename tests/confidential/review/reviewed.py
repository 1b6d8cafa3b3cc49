"""A made-up review: facts of a small release, and the answers of who agrees."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from clerestory.confidential.review import Facts, Review
from clerestory.confidential.review.facts import (
    Changes,
    Chart,
    Field,
    Files,
    Gate,
    Group,
    Page,
    Protection,
    RuleChange,
    Table,
    TableChange,
    Tight,
    Typed,
)
from clerestory.policy.checklist import CHECKLIST

FACTS = Facts(
    release="r-0123456789ab",
    manifest="0123456789ab" + "0" * 52,
    title="Visits <b>everywhere</b>",
    date="2024-01-01",
    software="clerestory 0.1.0",
    site="../../../releases/r-0123456789ab/site",
    bytes=4_000,
    pages=(
        Page("Visits", "visits/", "en", 7, (Chart("Visits by year", "visits", "<svg/>"),)),
        Page("Visitas", "es/visitas/", "es", 7, ()),
        Page("There is no such page", "404.html", "en", 1, ()),
    ),
    tables=(
        Table(
            "visits", "Visits", "visits", "records", ("Town", "Year"), 92, 28, 2, "suppression", 9, 11,
            Group(12, ("Town Elm",), 0),
        ),
    ),
    files=(
        Files("Pages", (("site/index.html", 3_000),)),
        Files("The proof", (("proof/visits.json", 1_000),)),
    ),
    numbers=326,
    profile="calhhs-ddg-2.0",
    profile_source="CalHHS Data De-Identification Guidelines",
    policy=(("Smallest count that is shown", "11"),),
    insiders=1,
    protections=(Protection("visits", "Visits", "suppression", 2, 92, 28, 13),),
    tightest=(Tight("visits", "Town Fir", 1, 10, 9),),
    fields=(
        Field("visits", "town", "", "quasi-identifier", ("visits: shown as “Town”",)),
        Field("visits", "surname", "", "identifier", ()),
    ),
    fields_known=True,
    changes=None,
    gates=(Gate("The files", "All 38 files are those of the manifest."),),
    typed=(Typed("dashboards/visits.md", 6, 1, ("There were ", "43", " people.")),),
)  # fmt: skip

CHANGES = Changes(
    before="r-ba9876543210",
    date="2023-01-01",
    files_added=("site/new/index.html",),
    files_removed=(),
    files_changed=("site/index.html",),
    tables=(TableChange("visits", "Visits", shown=("town=Ash",), hidden=("town=Elm",)),),
    tables_added=(),
    tables_removed=(),
    policy=(RuleChange("Smallest count that is shown", "12", "11", "looser"),),
    fields=("visits.sex is read now, and was not (quasi-identifier): visits: shown as “Sex”",),
    drift=("Table visits: 12.0% more in total; that is a lot.",),
    drift_known=True,
)

REVIEW = Review(
    release=FACTS.release,
    manifest=FACTS.manifest,
    live="",
    page="ab" * 32,
    file="",
    nonce="07" * 16,
    sections=(("public", "What becomes public"), ("learn", "What an attacker could learn")),
    questions=CHECKLIST,
)


def agreeing(review: Review = REVIEW) -> dict[str, Any]:
    """Whole answers, yes to everything."""
    return {
        "format": "clerestory-answers/1",
        "release": review.release,
        "manifest": review.manifest,
        "page": review.page,
        "by": "Rosa Luz",
        "codes": {section: review.word(section) for section, _ in review.sections},
        "answers": {one.id: {"answer": "yes", "note": ""} for one in review.questions},
    }


def written(folder: Path, said: object) -> Path:
    file = folder / "answers.json"
    file.write_text(json.dumps(said), encoding="utf-8")
    return file


def changed(**changes: Any) -> Facts:
    return replace(FACTS, **changes)

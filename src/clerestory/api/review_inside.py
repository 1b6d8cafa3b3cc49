"""What a build kept of a release, for its reviewer: protection, checks, typed numbers, and what changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from clerestory.api.kept import read_kept
from clerestory.api.review_release import tables_by_rule
from clerestory.attack.history import SUFFIX
from clerestory.confidential.review import drift
from clerestory.confidential.review.facts import Changes, Gate, Protection, RuleChange, TableChange, Typed
from clerestory.errors import InputError
from clerestory.release.check import Verified
from clerestory.release.compare import compare
from clerestory.release.proof.verify_proof import SourceChecked
from clerestory.release.structure import Structure
from clerestory.release.verify import Release
from clerestory.site.promises import promise

_RULES = {
    "minimum_count": "Smallest count that is shown",
    "interval_width": "Hidden numbers stay uncertain by",
    "audit_level": "Level of the attacker",
    "insider_records": "Records that an insider knows",
    "minimum_contributors": "Contributors to a sum, at least",
    "dominance": "Dominance: contributors, and percent",
    "p_percent": "p% rule: nobody known to within percent",
    "prior_posterior": "Prior-posterior rule: p and q",
    "attribute_minimum": "Of a group, elsewhere at least",
    "minimum_population": "People that a cell is about, at least",
    "unstable_below": "Rates are flagged below",
    "scoring": "Edition of the scoring criteria",
}
_BRACES = re.compile(r"\{\{.*?\}\}")
_YEAR = re.compile(r"(?:19|20)\d\d")
_AROUND = 60
"""Characters of a line that are kept on each side of a typed number."""


def rules_of(policy: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The policy's numbers in words, those that are on."""
    return tuple((words, _said(policy[key])) for key, words in _RULES.items() if policy.get(key))


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{part:g}" for part in value.values())
    return f"{value:,}" if isinstance(value, int) else f"{value}"


def protections_of(
    report: Mapping[str, Any], structures: Mapping[str, Structure], titles: Mapping[str, str]
) -> tuple[Protection, ...]:
    """How each source is protected. titles: of sources, by name."""
    found = []
    for name, said in sorted(report["sources"].items()):
        past = said["over_time"] or {}
        errors = said["utility"]
        found.append(
            Protection(
                source=name,
                title=titles.get(name, name),
                method=said["method"],
                level=said["audit"]["level"],
                cells=said["cells"],
                hidden=said["hidden"]["total"],
                primary=said["hidden"]["primary"],
                promise=promise(structures[name].rule.method, "en") if name in structures else "",
                errors=(
                    f"Changed: {errors['changed']:.0%} of the numbers, by {errors['mean']:.2f} on average "
                    f"and {errors['largest']:,} at most.",
                )
                if errors
                else (),
                together=tuple(past.get("together", ())),
                unrecoverable=tuple(past.get("unrecoverable", ())),
                over_time=past.get("smallest"),
            )
        )
    return tuple(found)


def gates_of(report: Mapping[str, Any], verified: Verified, titles: Mapping[str, str]) -> tuple[Gate, ...]:
    """What each check found, those of the build and those made again for the page. titles: of sources."""
    return tuple(_gates(report, verified, titles))


def _gates(report: Mapping[str, Any], verified: Verified, titles: Mapping[str, str]) -> Iterator[Gate]:
    yield Gate("The files", f"All {verified.files:,} files are those of the manifest, every byte.")
    sources = report["sources"].items()
    audited = [(name, said) for name, said in sources if said["audit"]["level"]]
    if audited:
        hidden = sum(said["hidden"]["total"] for _, said in audited)
        yield Gate(
            "The attack by the build",
            f"{hidden:,} hidden numbers were attacked; none is known more closely than the rules allow.",
            tuple(
                f"{titles.get(name, name)}: {said['hidden']['total']:,} of {said['cells']:,} hidden, each "
                f"uncertain by {said['audit']['interval_width']:,} or more (level {said['audit']['level']})"
                for name, said in audited
            ),
        )
    proof = verified.proof
    if proof is not None and proof.sources:
        yield Gate(
            "The public proof",
            "Made from the public files alone, and checked again for this page.",
            tuple(_proven(one, titles) for one in (*proof.sources, *proof.over_time)),
        )
    if proof is not None and proof.others:
        yield Gate(
            "Changed numbers",
            "They keep what their method says of every number.",
            tuple(one.sentence() for one in proof.others),
        )
    accounting = report["accounting"]
    yield Gate(
        "Every number accounted for",
        f"{accounting['numbers']:,} numbers in {accounting['files']:,} files were read back; each equals a "
        "protected cell at its place.",
    )
    if report["scoring"]:
        yield _scoring(report["scoring"])


def _proven(one: SourceChecked, titles: Mapping[str, str]) -> str:
    name = one.source.removesuffix(SUFFIX)
    with_earlier = ", together with earlier releases" if name != one.source else ""
    if not one.hidden:
        return f"{titles.get(name, name)}{with_earlier}: nothing is hidden"
    return (
        f"{titles.get(name, name)}{with_earlier}: {one.witnesses:,} whole tables agree with everything "
        f"published, and between them each of {one.hidden:,} hidden numbers differs by "
        f"{one.smallest:,} or more"
    )


def _scoring(tables: Mapping[str, Any]) -> Gate:
    high = {name: one for name, one in tables.items() if not one["passes"]}
    edition = next(iter(tables.values()))["edition"]
    return Gate(
        "CalHHS scoring criteria",
        f"{len(high)} of {len(tables)} tables score above the limit of edition {edition}."
        if high
        else f"No table scores above the limit of edition {edition}.",
        (
            *(
                f"{name}: {one['total']} points, limit {one['limit']}, for "
                f"{' × '.join(one['margin']) or 'the total'}"
                for name, one in sorted(high.items())
            ),
            *(
                ["Such tables may go out only with small counts hidden, as here. Write down why."]
                if high
                else []
            ),
        ),
        attention=bool(high),
    )


def typed_of(report: Mapping[str, Any]) -> tuple[Typed, ...]:
    """Numbers typed in prose, by the line that they stand in."""
    numbers = report["typed_numbers"]
    words = report.get("typed_words") or [one["text"] for one in numbers]
    lines: dict[tuple[str, int, str], list[str]] = {}
    for one, around in zip(numbers, words, strict=True):
        lines.setdefault((one["file"], one["line"], around), []).append(one["text"])
    return tuple(
        Typed(file, line, sum(not _YEAR.fullmatch(number) for number in own), _parts(around, own))
        for (file, line, around), own in lines.items()
    )


def _parts(words: str, numbers: Sequence[str]) -> tuple[str, ...]:
    """A line cut at its typed numbers: words, number, words, …; long words between them are shortened."""
    plain = _BRACES.sub("[a number from the tables]", words)
    found = "|".join(re.escape(number) for number in sorted(set(numbers), key=len, reverse=True))
    parts = re.split(rf"(?<!\d)({found})(?!\d)", plain)
    if len(parts) == 1:
        return (f"{plain[:_AROUND]} ", ", ".join(numbers), "")
    last = len(parts) - 1
    return tuple(
        part if place % 2 else _shortened(part, start=place > 0, end=place < last)
        for place, part in enumerate(parts)
    )


def _shortened(part: str, *, start: bool, end: bool) -> str:
    """Words of which only those beside a number are kept; start, end: whether there is one."""
    part = part.replace("**", "")
    if len(part) <= _AROUND * (start + end) + 5:
        return part
    before = part[:_AROUND].rpartition(" ")[0] if start else ""
    after = part[-_AROUND:].partition(" ")[2] if end else ""
    return f"{before} … {after}"


def changes_of(root: Path, live: Release, release: Release, titles: Mapping[str, str]) -> Changes:
    """What differs from the live release. titles: of tables, by name."""
    found = compare(live, release)
    now = {what: read_kept(root, release.id, what) for what in ("reports", "reasons")}
    then = {what: _kept(root, live.id, what) for what in ("reports", "reasons")}
    counted = bool(then["reports"].get("counts")) and bool(now["reports"].get("counts"))
    return Changes(
        before=live.id,
        date=live.manifest.date.isoformat(),
        files_added=found.files.added,
        files_removed=found.files.removed,
        files_changed=found.files.changed,
        tables=tuple(
            TableChange(
                name=one.name,
                title=titles.get(one.name, one.name),
                shown=one.newly_shown,
                hidden=one.newly_hidden,
                changed=one.changed,
                status=one.status,
                added=one.added,
                removed=one.removed,
                categories_added=one.categories_added,
                categories_removed=one.categories_removed,
            )
            for one in found.tables
        ),
        tables_added=found.tables_added,
        tables_removed=found.tables_removed,
        policy=tuple(_policy(live, release, then["reasons"].get("policy"), now["reasons"]["policy"])),
        fields=tuple(_fields(then["reports"].get("fields"), now["reports"].get("fields"))),
        drift=drift(then["reports"]["counts"], now["reports"]["counts"]) if counted else (),
        drift_known=counted,
    )


def _kept(root: Path, release: str, what: str) -> dict[str, Any]:
    try:
        return read_kept(root, release, what)
    except InputError:
        return {}


def _policy(
    live: Release, release: Release, then: Mapping[str, Any] | None, now: Mapping[str, Any]
) -> Iterator[RuleChange]:
    for key in sorted(now.keys() | then.keys()) if then is not None else ():
        assert then is not None
        was, is_now = then.get(key), now.get(key)
        if was != is_now:
            name = _RULES.get(key, key.replace("_", " "))
            yield RuleChange(name, _said(was or "off"), _said(is_now or "off"), _way(key, was, is_now))
    old, new = tables_by_rule(live.manifest), tables_by_rule(release.manifest)
    for table in sorted(old.keys() & new.keys()):
        for rule, value in new[table].items():
            # Of the numbers, those that the policy already told of are not told again.
            if old[table][rule] != value and (then is None or not isinstance(value, int)):
                yield RuleChange(f"Table {table}: {rule}", _said(old[table][rule]), _said(value), "")


def _way(key: str, was: Any, now: Any) -> str:
    """Whether a rule that is stricter the larger its number became stricter or looser."""
    if key not in _RULES or not all(isinstance(value, int | float) for value in (was, now)):
        return ""
    return "looser" if now < was else "stricter"


def _fields(
    then: Sequence[Mapping[str, Any]] | None, now: Sequence[Mapping[str, Any]] | None
) -> Iterator[str]:
    if then is None or now is None:
        return
    old = {(one["source"], one["name"]): one for one in then}
    new = {(one["source"], one["name"]): one for one in now}
    for place in sorted(new.keys() | old.keys()):
        name = ".".join(place)
        was, is_now = old.get(place), new.get(place)
        if is_now is not None and is_now["uses"] and not (was and was["uses"]):
            yield f"{name} is read now, and was not ({is_now['role']}): {'; '.join(is_now['uses'])}"
        elif was is not None and was["uses"] and not (is_now and is_now["uses"]):
            yield f"{name} is not read any more"
        elif was and is_now and was["uses"] != is_now["uses"]:
            yield f"{name} is used otherwise: {'; '.join(is_now['uses'])}"
        if was and is_now and was["role"] != is_now["role"]:
            yield f"{name} was declared {was['role']}, and is {is_now['role']} now"

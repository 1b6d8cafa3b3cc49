"""Protects a source with its earlier releases in view: which of them count, and what was decided."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clerestory.attack.history import Earlier, history
from clerestory.attack.over_time import Difference, small_differences
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.publish import Protection, protect
from clerestory.errors import Refused, Undecided
from clerestory.policy import Policy
from clerestory.project import DifferenceDecision
from clerestory.release.history import Past, befores, chosen, unchanged
from clerestory.release.structure import Before, Rule, write
from clerestory.tables import Changes

_LISTED = 20
_ROUNDS = 5
"""Turns of hiding what differs by little, which may hide and show other cells."""


@dataclass(frozen=True)
class PastReport:
    """What earlier releases meant for a source. Cells are named, without values.

    together: attacked together with today's; apart: before its tables were revised. unrecoverable: hidden
    today, known from before; accepted, batched: small differences that somebody decided about.
    """

    together: tuple[str, ...]
    apart: tuple[str, ...]
    unrecoverable: tuple[str, ...]
    smallest: int | None
    accepted: tuple[Difference, ...]
    batched: tuple[Difference, ...]

    def said(self) -> dict[str, Any]:
        """As it stands in the JSON report."""
        return {
            "together": list(self.together),
            "apart": list(self.apart),
            "unrecoverable": list(self.unrecoverable),
            "smallest": self.smallest,
            "differences": {
                "accepted": [_said(one) for one in self.accepted],
                "batched": [_said(one) for one in self.batched],
            },
        }

    def lines(self, source: str) -> list[str]:
        """For people: nothing where there is nothing to say."""
        lines = []
        if self.together:
            lines.append(f"{source}: attacked together with {len(self.together)} earlier releases.")
        if self.apart:
            lines.append(f"{source}: revised since {', '.join(self.apart)}; these count other people.")
        if self.unrecoverable:
            lines.append(
                f"{source}: {len(self.unrecoverable):,} cells are hidden now and known from earlier "
                "releases; nothing takes that back:"
            )
            lines += [f"  {cell}" for cell in self.unrecoverable[:_LISTED]]
        for what, found in (("accepted", self.accepted), ("hidden until they grow", self.batched)):
            if found:
                lines.append(f"{source}: {len(found):,} small differences {what}, as decided.")
        return lines


def _said(one: Difference) -> dict[str, str]:
    return {"since": one.release, "table": one.table, "cell": one.cell}


@dataclass(frozen=True, eq=False)
class Protected:
    """A protected source, and what its structure says of earlier releases."""

    protection: Protection
    history: tuple[Before, ...]
    report: PastReport | None


def protect_with_past(
    original: OriginalCells,
    policy: Policy,
    rule: Rule,
    pasts: Sequence[Past],
    decisions: Sequence[DifferenceDecision],
    *,
    seed: int,
    progress: Callable[[str], None] | None = None,
) -> Protected:
    """The public cells of a source, safe from a reader who kept its earlier releases.

    pasts: oldest first. Where neither tables nor shown numbers changed, the last pattern is kept, and the
    history with it: the same release says nothing new. Raises Refused for small differences that nobody
    decided about, and as protect() does.
    """
    if not pasts:
        return Protected(protect(original, policy, seed=seed, progress=progress), (), None)
    last = pasts[-1]
    same = _as_before(original, policy, rule, pasts, seed=seed, progress=progress)
    if same is not None:
        return same
    before = befores(pasts, linked=_counts_the_same(original, last))
    earlier = chosen(pasts, before)
    apart = [Earlier(past.release, past.public) for past in pasts if past.release not in _names(earlier)]
    also = np.zeros(len(original.space), dtype=bool)
    batched: dict[tuple[str, str], Difference] = {}
    for _ in range(_ROUNDS):
        protection = protect(original, policy, seed=seed, earlier=earlier, also=also, progress=progress)
        found = small_differences(protection.public, apart, policy.minimum_count)
        accepted = _decided(found, decisions, last.structure.source)
        waiting = [(one, cell) for one, cell in found if one not in accepted]
        if not waiting:
            report = _report(protection, pasts, before, accepted, tuple(batched.values()))
            return Protected(protection, before, report)
        batched |= {(one.release, one.cell): one for one, _ in waiting}
        also[[cell for _, cell in waiting]] = True
    raise Refused(
        "numbers that differ by little keep coming up while others are hidden",
        where=f"source {last.structure.source!r}",
        fix="release later, when the differences are larger, or accept them",
    )


def _as_before(
    original: OriginalCells,
    policy: Policy,
    rule: Rule,
    pasts: Sequence[Past],
    *,
    seed: int,
    progress: Callable[[str], None] | None,
) -> Protected | None:
    """The cells as the last release has them; None if they changed, or its pattern does not do any more."""
    last = pasts[-1]
    if not (unchanged(last, write(original.space, rule), rule) and _fits(last, original)):
        return None
    before = last.structure.history
    pattern = last.public.hidden
    earlier = chosen(pasts, before)
    try:
        same = protect(original, policy, seed=seed, earlier=earlier, pattern=pattern, progress=progress)
    except (Refused, Undecided):
        return None
    if not np.array_equal(same.public.hidden, pattern):
        return None
    return Protected(same, before, _report(same, pasts, before, (), ()))


def _fits(last: Past, original: OriginalCells) -> bool:
    shown = ~last.public.hidden
    return np.array_equal(last.public.values[shown], original.values[shown])


def _names(earlier: Sequence[Earlier]) -> set[str]:
    return {one.release for one in earlier}


def _counts_the_same(original: OriginalCells, last: Past) -> bool:
    """Whether today's records count the people of the last release, as far as its tables declare.

    Where they were to be revised and not one number was, a reader may take them for what they were.
    """
    if all(layout.design.changes is not Changes.REVISED for layout in original.space.layouts):
        return True
    try:
        history(original.space, [Earlier(last.release, last.public)]).check(original.values)
    except Refused:
        return False
    return True


def _decided(
    found: Sequence[tuple[Difference, int]], decisions: Sequence[DifferenceDecision], source: str
) -> tuple[Difference, ...]:
    """The accepted ones. Raises Refused that lists those nobody decided about."""
    words = {(one.table, one.since): one.do for one in decisions}
    held = [one for one, _ in found if (one.table, one.release) not in words]
    if held:
        listed = "\n  ".join(f"{one.cell}, since {one.release}" for one in held[:_LISTED])
        more = f"\n  and {len(held) - _LISTED:,} more" if len(held) > _LISTED else ""
        raise Refused(
            f"{len(held):,} shown numbers differ from an earlier release by a small count:\n  {listed}{more}",
            where=f"source {source!r}",
            fix="wait until more has changed, or decide in decisions/over-time.toml: accept or batch",
        )
    return tuple(one for one, _ in found if words[one.table, one.release] == "accept")


def _report(
    protection: Protection,
    pasts: Sequence[Past],
    before: Sequence[Before],
    accepted: tuple[Difference, ...],
    batched: tuple[Difference, ...],
) -> PastReport:
    together = tuple(one.release for one in chosen(pasts, before))
    over_time = protection.over_time
    return PastReport(
        together=together,
        apart=tuple(one.release for one in before if one.release not in together),
        unrecoverable=over_time.unrecoverable if over_time else (),
        smallest=over_time.smallest if over_time else None,
        accepted=accepted,
        batched=batched,
    )

"""The cheapest pattern, beside every pattern there is."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clerestory.confidential.audit import audit
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.publish import protect
from clerestory.confidential.protect.rules import primary_suppressions
from clerestory.errors import ClerestoryError
from clerestory.policy import Policy
from clerestory.tables import PublicCells

SIZES = {
    "a line": ({"a": (5, 0)}, [("a",)], 60),
    "a square": ({"a": (2, 0), "b": (3, 0)}, [("a", "b")], 60),
    "groups": ({"a": (4, 2)}, [("a",)], 60),
    "groups by two": ({"a": (3, 0), "b": (2, 0)}, [("a", "b"), ("a",)], 90),
}


def fewest(original: OriginalCells, policy: Policy) -> int | None:
    """The number of hidden cells in the smallest pattern that the audit passes, over all patterns."""
    primary = primary_suppressions(original, policy).hidden
    choice = np.flatnonzero(~primary & (original.values > 0))
    best = None
    for bits in sorted(product((False, True), repeat=len(choice)), key=sum):
        hidden = primary.copy()
        hidden[choice] = bits
        try:
            audit(PublicCells(original.space, np.where(hidden, 0, original.values), hidden), policy=policy)
        except ClerestoryError:
            continue
        best = int(hidden.sum())
        break
    return best


@pytest.mark.parametrize("shape", SIZES)
@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 10**6), width=st.integers(1, 9))
def test_no_pattern_is_cheaper(made, shape: str, seed: int, width: int) -> None:
    sizes, margins, records = SIZES[shape]
    original = made.original(made.space(sizes, margins), seed, records)
    policy = made.policy(width=width)
    best = fewest(original, policy)
    if best is None:
        with pytest.raises(ClerestoryError):
            protect(original, policy, seed=seed)
        return
    assert int(protect(original, policy, seed=seed).public.hidden.sum()) == best


def test_inputs_and_seed_decide_everything(made) -> None:
    original = made.original(made.space({"a": (6, 2), "b": (4, 0)}, [("a", "b")]), 3, 300)
    patterns = [protect(original, made.policy(), seed=seed).public.hidden for seed in range(8)]
    again = [protect(original, made.policy(), seed=seed).public.hidden for seed in range(8)]
    assert all(np.array_equal(one, two) for one, two in zip(patterns, again, strict=True))


def test_the_seed_chooses_among_the_cheapest(made) -> None:
    # one small cell among equal ones: any of them will do as company; the total stays
    space = made.space({"a": (6, 0)}, [("a",)])
    values = np.array([155, 5, 30, 30, 30, 30, 30], dtype=np.int64)
    original = OriginalCells(space, values, values, None)
    hidden = {protect(original, made.policy(), seed=seed).public.hidden.tobytes() for seed in range(24)}
    assert len(hidden) == 5

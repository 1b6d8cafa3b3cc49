"""Numbers that are made once: kept in the project, so that the same cells never get other noise.

A draw of differential privacy spends from a budget that is written down before anything is drawn. Both live
in the project's confidential folder and beside its other files; nothing of it is in a release.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from clerestory.confidential.budget import Spending, drawn, spend
from clerestory.confidential.keyed import derived
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.altered import method_report
from clerestory.confidential.protect.publish import Protection, altered_protection, protect
from clerestory.errors import InputError, Refused
from clerestory.methods import CellKey, CellKeyMode, DifferentialPrivacy, Protector, method_said
from clerestory.policy import Policy
from clerestory.tables import PublicCells

FORMAT = "clerestory-frozen/1"
FOLDER = "frozen"


def protect_once(
    root: Path,
    original: OriginalCells,
    policy: Policy,
    method: Protector,
    *,
    seed: int,
    secret: bytes,
    progress: Callable[[str], None] | None = None,
) -> Protection:
    """Like protect(), but numbers that must be made once are taken from the project if it has them.

    root: the project. Raises Refused also where the budget of differential privacy is spent, or
    does not hold the draw that kept numbers are from.
    """
    if not _made_once(method):
        return protect(original, policy, seed=seed, method=method, secret=secret, progress=progress)
    assert isinstance(method, CellKey | DifferentialPrivacy)
    name = _digest(original, method, secret)
    file = root / "confidential" / FOLDER / f"{original.space.source}-{name[:24]}.json"
    kept = _kept(file, name, original)
    if kept is not None:
        if isinstance(method, DifferentialPrivacy) and not drawn(root, name):
            raise Refused(
                "numbers were drawn for these cells, and the privacy budget does not say so",
                where=f"source {original.space.source!r}",
                fix="restore privacy-budget.jsonl from a backup; without it nobody knows what was spent",
            )
        return altered_protection(original, kept, method_report(kept, method, None))
    if isinstance(method, DifferentialPrivacy):
        spend(root, Spending(original.space.source, method.rho, method.budget, method.delta, name))
    made = protect(original, policy, seed=seed, method=method, secret=secret, progress=progress)
    _keep(file, name, made.public)
    return made


def _made_once(method: Protector) -> bool:
    return isinstance(method, DifferentialPrivacy) or (
        isinstance(method, CellKey) and method.mode is CellKeyMode.ADDITIVE
    )


def _digest(original: OriginalCells, method: Protector, secret: bytes) -> str:
    """A name for exactly these cells under this method: it tells nothing to whoever lacks the secret."""
    space = original.space
    whole = hashlib.blake2b(key=derived(secret, "frozen"), digest_size=32)
    whole.update(json.dumps(method_said(method), sort_keys=True).encode())
    whole.update(repr([(axis.name, axis.categories) for axis in space.axes]).encode())
    whole.update(repr(space.unit_list).encode())
    for sets in space.sets:
        whole.update(np.packbits(sets).tobytes())
    for numbers in (space.cells, space.units, original.values):
        whole.update(np.ascontiguousarray(numbers).tobytes())
    if original.keys is not None:
        whole.update(original.keys.tobytes())
    return whole.hexdigest()


def _kept(file: Path, name: str, original: OriginalCells) -> PublicCells | None:
    if not file.exists():
        return None
    try:
        said = json.loads(file.read_text(encoding="ascii"))
        values = np.array(said["values"], dtype=np.int64)
        whole = said["format"] == FORMAT and said["name"] == name and len(values) == len(original.space)
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        whole = False
    if not whole:
        raise InputError(
            "the numbers that were made for these cells cannot be read",
            where=str(file),
            fix="restore the file from a backup: other numbers for the same cells would give noise away",
        )
    return PublicCells(original.space, values, np.zeros(len(values), dtype=bool))


def _keep(file: Path, name: str, public: PublicCells) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.parent.chmod(0o700)
    content = json.dumps({"format": FORMAT, "name": name, "values": public.values.tolist()})
    fresh = file.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(content + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(file)

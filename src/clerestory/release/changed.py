"""A source keeps its method: what an earlier release showed exactly stays known for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from clerestory.errors import Refused
from clerestory.methods import OPEN, Method, Protector
from clerestory.release.ledger import Entry, methods_of
from clerestory.release.manifest import NAME, parse


def no_other_method(ledger: Sequence[Entry], releases: Path, source: str, method: Protector) -> None:
    """Raises Refused if a release of the ledger protects the source by another method.

    releases: where entries that name no methods are looked up; one that is not there is refused.
    """
    for entry in ledger:
        said = entry.methods if entry.methods is not None else _looked_up(releases, entry, source)
        other = said.get(source, OPEN)
        if other not in (method.method.value, OPEN):
            noise = Method.DIFFERENTIAL_PRIVACY.value in (other, method.method.value)
            raise Refused(
                f"release {entry.release} protects this source by {other}, and this one would by "
                f"{method.method.value}: "
                + (
                    "exact or rounded numbers break differential privacy"
                    if noise
                    else "numbers of both would narrow each other"
                ),
                where=f"source {source!r}",
                fix=f'keep the method: [method] name = "{other}"',
            )


def _looked_up(releases: Path, entry: Entry, source: str) -> Mapping[str, str]:
    try:
        content = (releases / entry.release / NAME).read_bytes()
    except OSError:
        content = b""
    if hashlib.sha256(content).hexdigest() != entry.manifest:
        raise Refused(
            "it is not known by which method an earlier release protects this source",
            where=f"release {entry.release}, source {source!r}",
            fix="restore the folder of that release, every byte; then build again",
        )
    return methods_of(parse(content, where=entry.release))

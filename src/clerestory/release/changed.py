"""A source keeps its method: what an earlier release showed exactly stays known for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from clerestory.errors import Refused
from clerestory.methods import OPEN, Method, Protector
from clerestory.release.ledger import Event
from clerestory.release.manifest import NAME, parse


def no_other_method(public: Iterable[Event], releases: Path, source: str, method: Protector) -> None:
    """Raises Refused if a release that was public protects the source by another method.

    public: the ledger's lines that made releases live. releases: where their manifests are; one that is not
    there as it was is refused.
    """
    for event in public:
        other = _methods(releases, event, source).get(source, OPEN)
        if other not in (method.method.value, OPEN):
            noise = Method.DIFFERENTIAL_PRIVACY.value in (other, method.method.value)
            raise Refused(
                f"release {event.release} protects this source by {other}, and this one would by "
                f"{method.method.value}: "
                + (
                    "exact or rounded numbers break differential privacy"
                    if noise
                    else "numbers of both would narrow each other"
                ),
                where=f"source {source!r}",
                fix=f'keep the method: [method] name = "{other}"',
            )


def _methods(releases: Path, event: Event, source: str) -> Mapping[str, str]:
    try:
        content = (releases / event.release / NAME).read_bytes()
    except OSError:
        content = b""
    if hashlib.sha256(content).hexdigest() != event.manifest:
        raise Refused(
            "an earlier release cannot be audited against: its manifest is missing or another one",
            where=f"release {event.release}, source {source!r}",
            fix="restore the folder of that release, every byte; then build again",
        )
    tables = parse(content, where=event.release).tables
    return {facts.source: facts.method for facts in tables.values()}

"""A source keeps its method: what an earlier release showed exactly stays known for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from clerestory.errors import Refused
from clerestory.methods import OPEN, Method, Protector
from clerestory.release.ledger import Event
from clerestory.release.manifest import NAME, is_id, parse


def no_other_method(releases: Path, source: str, method: Protector, published: Iterable[Event]) -> None:
    """Raises Refused if a release in a folder of releases protects the source by another method.

    published: what the ledger says was published; each must be there, else its method is not known.
    """
    for event in published:
        try:
            content = (releases / event.release / NAME).read_bytes()
        except OSError:
            content = b""
        if hashlib.sha256(content).hexdigest() != event.manifest:
            raise Refused(
                "an earlier release cannot be audited against: its manifest is missing or another one",
                where=f"release {event.release}, source {source!r}",
                fix="restore the folder of that release, every byte, beside the others; then build again",
            )
    if not releases.is_dir():
        return
    for folder in sorted(releases.iterdir()):
        manifest = folder / NAME
        if not is_id(folder.name) or not manifest.is_file():
            continue
        tables = parse(manifest.read_bytes(), where=folder.name).tables
        earlier = {facts.method for facts in tables.values() if facts.source == source}
        others = sorted(earlier - {method.method.value, OPEN})
        if others:
            noise = Method.DIFFERENTIAL_PRIVACY.value in (*others, method.method.value)
            raise Refused(
                f"release {folder.name} protects this source by {others[0]}, and this one would by "
                f"{method.method.value}: "
                + (
                    "exact or rounded numbers break differential privacy"
                    if noise
                    else "numbers of both would narrow each other"
                ),
                where=f"source {source!r}",
                fix=f'keep the method: [method] name = "{others[0]}"',
            )

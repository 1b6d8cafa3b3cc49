"""Record keys: a number for each record that follows from a secret and from what tells the record apart."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import ibis
from ibis import Value

from clerestory.confidential.records import Records
from clerestory.confidential.tabulate.fields import as_text

KEY = "record key"
"""Stands in place of a measure: cells sum it like one. No field can have this name in a table's sum."""

_DIGITS = 8


@dataclass(frozen=True, repr=False)
class RecordKeys:
    """How record keys are made. fields: what tells records apart; keys: from 0 to keys - 1.

    The key is the SHA-256 of the secret and the fields' texts, each with its length before it; the first 32
    bits modulo `keys`. DuckDB, PostgreSQL and SQLite make the same one.
    """

    secret: bytes
    fields: tuple[str, ...]
    keys: int

    def expression(self, records: Records) -> Value:
        """The key of each record, a whole number."""
        whole = ibis.literal(f"{self.secret.hex()};")
        for field in self.fields:
            text = ibis.coalesce(as_text(records, field), "")
            whole = whole.concat(text.length().cast("string"), ":", text, ";")
        return self._hashed(records, whole)

    def of_person(self, records: Records, person: Value) -> Value:
        """The key of a person, from the value that tells persons apart; the same for all who are unknown."""
        text = ibis.coalesce(person if person.type().is_string() else person.cast("string"), "")
        return self._hashed(records, ibis.literal(f"{self.secret.hex()};").concat(text))

    def _hashed(self, records: Records, text: Value) -> Value:
        if records.dialect == "sqlite":
            records.backend.con.create_function("clerestory_sha", 1, _number, deterministic=True)
            return _sqlite(text) % self.keys
        if records.dialect == "postgres":
            return _bits(_encoded(_sha_of_bytes(_bytes(text, "UTF8")), "hex")) % self.keys
        digits = _sha(text).substr(0, _DIGITS)
        return ibis.literal("0x").concat(digits).cast("int64") % self.keys


def _number(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest()[:_DIGITS], 16)


@ibis.udf.scalar.builtin(name="clerestory_sha", signature=(("string",), "int64"))  # type: ignore[untyped-decorator]
def _sqlite(text: str) -> int:  # type: ignore[empty-body]
    """The function that is made known to SQLite."""


@ibis.udf.scalar.builtin(name="sha256", signature=(("string",), "string"))  # type: ignore[untyped-decorator]
def _sha(text: str) -> str:  # type: ignore[empty-body]
    """DuckDB's digest of a text, in hexadecimal."""


@ibis.udf.scalar.builtin(name="convert_to", signature=(("string", "string"), "binary"))  # type: ignore[untyped-decorator]
def _bytes(text: str, encoding: str) -> bytes:  # type: ignore[empty-body]
    """PostgreSQL's bytes of a text."""


@ibis.udf.scalar.builtin(name="sha256", signature=(("binary",), "binary"))  # type: ignore[untyped-decorator]
def _sha_of_bytes(content: bytes) -> bytes:  # type: ignore[empty-body]
    """PostgreSQL's digest of bytes."""


@ibis.udf.scalar.builtin(name="encode", signature=(("binary", "string"), "string"))  # type: ignore[untyped-decorator]
def _encoded(content: bytes, form: str) -> str:  # type: ignore[empty-body]
    """PostgreSQL's bytes in hexadecimal."""


def _bits(digits: Any) -> Value:
    """The first eight hexadecimal digits as a number, by the positions of each in the alphabet."""
    total = ibis.literal(0, "int64")
    for place in range(_DIGITS):
        digit = ibis.literal("0123456789abcdef").find(digits.substr(place, 1)).cast("int64")
        total = total * 16 + digit
    return total

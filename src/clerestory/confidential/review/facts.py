"""What a review page says, as plain values. No hidden number is among them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Chart:
    """A chart as the public gets it. picture: the bytes of its SVG, as they stand in the page."""

    title: str
    table: str
    picture: str


@dataclass(frozen=True)
class Page:
    """A page. address: from the site's root; versions: how many choices of a reader it has, each a file."""

    title: str
    address: str
    language: str
    versions: int
    charts: tuple[Chart, ...]


@dataclass(frozen=True)
class Group:
    """The smallest number above zero that a table shows, and the cells that show it."""

    value: int
    cells: tuple[str, ...]
    more: int


@dataclass(frozen=True)
class Table:
    """A table. method: as the manifest names it; smallest: None for sums, and where no number is shown."""

    name: str
    title: str
    source: str
    unit: str
    by: tuple[str, ...]
    cells: int
    hidden: int
    zeros: int
    method: str
    width: int
    minimum: int
    smallest: Group | None

    @property
    def shown(self) -> int:
        """Cells with a number, or of which it is said that nothing was collected."""
        return self.cells - self.hidden


@dataclass(frozen=True)
class Files:
    """Files of one kind: what they are, in words, and each with its bytes."""

    what: str
    files: tuple[tuple[str, int], ...]

    @property
    def size(self) -> int:
        """Bytes of all of them."""
        return sum(size for _, size in self.files)


@dataclass(frozen=True)
class Tight:
    """A hidden cell among those best known to a reader. low, high: values that the proof shows possible."""

    table: str
    cell: str
    low: int
    high: int
    asked: int

    @property
    def width(self) -> int:
        """How far apart they are."""
        return self.high - self.low


@dataclass(frozen=True)
class Field:
    """A field of a source: its role, and what each table needs it for; unread: no table needs it."""

    source: str
    name: str
    title: str
    role: str
    uses: tuple[str, ...]


@dataclass(frozen=True)
class Protection:
    """How a source is protected. hidden: in all its tables, each cell once; primary: for their own sake.

    promise: of another method than suppression, with its parameters; errors: what it changed, in words.
    together: earlier releases attacked with this one; unrecoverable: cells hidden now and known from them;
    over_time: the least width even then.
    """

    source: str
    title: str
    method: str
    level: int
    cells: int
    hidden: int
    primary: int
    promise: str = ""
    errors: tuple[str, ...] = ()
    together: tuple[str, ...] = ()
    unrecoverable: tuple[str, ...] = ()
    over_time: int | None = None


@dataclass(frozen=True)
class TableChange:
    """How a table differs from the live release; cells by their codes."""

    name: str
    title: str
    shown: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    categories_added: tuple[str, ...] = ()
    categories_removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class RuleChange:
    """A rule that changed. way: "looser", "stricter", or "" if that cannot be told."""

    rule: str
    before: str
    after: str
    way: str


@dataclass(frozen=True)
class Changes:
    """What differs from the live release. policy: the rules; drift, fields: sentences."""

    before: str
    date: str
    files_added: tuple[str, ...]
    files_removed: tuple[str, ...]
    files_changed: tuple[str, ...]
    tables: tuple[TableChange, ...]
    tables_added: tuple[str, ...]
    tables_removed: tuple[str, ...]
    policy: tuple[RuleChange, ...]
    fields: tuple[str, ...]
    drift: tuple[str, ...]
    drift_known: bool

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not (
            self.files_added
            or self.files_removed
            or self.files_changed
            or self.policy
            or self.fields
            or self.drift
        )


@dataclass(frozen=True)
class Gate:
    """What one check found. attention: it passed, but somebody should look; details: a line each."""

    name: str
    found: str
    details: tuple[str, ...] = ()
    attention: bool = False


@dataclass(frozen=True)
class Typed:
    """Numbers that somebody typed, in one line of a file.

    parts: the line, cut so that every second part is one of the numbers; odd: how many were typed that can
    hardly be a year.
    """

    file: str
    line: int
    odd: int
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """Everything that a review page says."""

    release: str
    manifest: str
    title: str
    date: str
    software: str
    site: str
    """Where the site's files are, from the page: for links that open them."""
    bytes: int
    pages: tuple[Page, ...]
    tables: tuple[Table, ...]
    files: tuple[Files, ...]
    numbers: int
    profile: str
    profile_source: str
    policy: tuple[tuple[str, str], ...]
    insiders: int
    protections: tuple[Protection, ...]
    tightest: tuple[Tight, ...]
    fields: tuple[Field, ...]
    fields_known: bool
    changes: Changes | None
    gates: tuple[Gate, ...]
    typed: tuple[Typed, ...] = field(default=())

    @property
    def shown(self) -> int:
        """Numbers in the tables."""
        return sum(table.shown for table in self.tables)

    @property
    def hidden(self) -> int:
        """Hidden cells of the tables."""
        return sum(table.hidden for table in self.tables)

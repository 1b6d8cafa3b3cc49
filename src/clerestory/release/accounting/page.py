"""HTML pages: every digit is a protected cell, a label, typed prose, or something the template prints."""

from __future__ import annotations

import re
from dataclasses import dataclass

from clerestory.release.accounting.attributes import account_attributes
from clerestory.release.accounting.chart import Figure, account_svg
from clerestory.release.accounting.markup import (
    TOKEN,
    VOID,
    attributes_of,
    body_of,
    odd_character,
    place_of,
    unescaped,
    words,
)
from clerestory.release.accounting.numbers import DIGIT, Known, KnownCell, KnownList, plain
from clerestory.release.accounting.tally import Tally

# Where a text stands decides which digits it may hold. An element takes its parent's rule unless it has one.
_TEXT, _LABEL, _PROSE, _META, _RANK, _CELL, _LIST = range(7)

_ELEMENTS = words(
    """html head body title meta link script header footer main nav section article aside div span p a ul ol
    li dl dt dd h1 h2 h3 h4 h5 h6 figure figcaption table caption thead tbody tfoot tr th td colgroup col
    data time form fieldset legend label select option optgroup button input textarea output noscript img br
    hr wbr strong em b i s small sub sup code pre kbd samp blockquote cite q abbr dfn mark del ins details
    summary address search hgroup var bdi"""
)
"""What a page may be made of beside svg: nothing that loads a frame, a plug-in, a template or raw text."""

_LABELS = words(
    "title th caption h1 h2 h3 h4 h5 h6 option optgroup a label legend figcaption summary button dt code"
)
"""Elements that hold names of categories, tables and pages; there a label such as 2012 is no number."""

_UNWATCHED = frozenset((_TEXT, _LABEL, _META, _RANK))
_HOLDERS = words("figure table ol ul")
"""Nothing happens at the end of other elements under these rules."""

_BLOCKS = words("p li td th dd dt h1 h2 h3 h4 h5 h6 blockquote pre caption figcaption div")
_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d))?)?)?")
_LONGEST_META = 2_000
"""Characters: room for a source's description, none for a table of numbers."""
_WHOLE = re.compile(r"[1-9]\d{0,6}")


@dataclass(slots=True)
class _Open:
    """An open element, and what it gathers until it is closed."""

    name: str
    rule: int
    at: int
    own: bool = False
    """Whether the element, not one above it, has set the rule."""
    rows: int = 0
    ranks: list[tuple[int, int]] | None = None


def account_page(text: str, known: Known, tally: Tally) -> None:
    """Accounts for every digit of an HTML page. May raise Stop."""
    _Page(text, known, tally).read()


class _Page:
    """One page being read; `at` is where the tag in hand begins."""

    def __init__(self, text: str, known: Known, tally: Tally) -> None:
        self.text = text
        self.known = known
        self.tally = tally
        self.stack = [_Open("", _TEXT, 0)]
        self.figures: list[Figure] = []
        self.at = 0
        self.cell: KnownCell | None = None
        self.gathered: list[str] = []
        self.list: KnownList | None = None
        self.list_row: list[str] = []
        self.block: list[str] = []

    def refuse(self, rule: str, at: int | None = None) -> None:
        self.tally.refuse(place_of(self.text, self.at if at is None else at), rule)

    def stop(self, rule: str) -> Exception:
        return self.tally.stop(place_of(self.text, self.at), rule)

    def read(self) -> None:
        text, match, stack = self.text, TOKEN.match, self.stack
        position = body_of(text)
        if position < 0:
            raise self.stop("a page begins with <!doctype html>")
        if (odd := odd_character(text)) >= 0:
            self.at = odd
            raise self.stop("a control or direction character")
        end = len(text)
        while position < end:
            self.at = position
            token = match(text, position)
            if token is None:
                raise self.stop(
                    "not strict HTML: a comment, an odd tag, or an attribute without double quotes"
                )
            slash, name, written, closed, after = token.groups()
            position = token.end()
            if slash:
                element = stack.pop()
                if name != element.name or written:
                    raise self.stop("elements must be closed, in order")
                if element.rule not in _UNWATCHED or name in _HOLDERS:
                    self.close(element)
            elif name == "svg":
                figure = self.figures[-1] if self.figures and not self.figures[-1].ended else None
                begin = account_svg(text, token.start(), figure, self.known, self.tally)
                position = following if (following := text.find("<", begin)) >= 0 else end
                after = text[begin:position]
            else:
                self.open(name, written, bool(closed))
            if after and not after.isspace():
                self.say(after)
        if len(stack) > 1:
            raise self.stop("an element is not closed")
        for figure in self.figures:
            figure.finish(text, self.tally)

    def open(self, name: str, written: str, closed: bool) -> None:
        above = self.stack[-1]
        attributes = attributes_of(written)
        if name not in _ELEMENTS or attributes is None or (closed and name not in VOID):
            raise self.stop(f"<{name}> is not for pages, has an attribute twice, or is closed in its own tag")
        if above.name in ("script", "title"):
            raise self.stop(f"an element inside <{above.name}>")
        if name == "script" and not attributes.get("src"):
            raise self.stop("a script that stands in the page")
        rule, own = above.rule, False
        classes = attributes.get("class", "").split()
        if "data-cell" in attributes:
            rule, own = self.open_cell(name, attributes), True
        elif "data-list" in attributes:
            rule, own = self.open_list(attributes["data-list"]), True
        elif rule == _LIST and name in _LABELS:
            rule = _LABEL
        elif rule in (_CELL, _LIST, _PROSE, _META, _RANK):
            pass
        elif "prose" in classes and name == "div":
            rule, own = _PROSE, True
        elif "meta" in classes or name == "time":
            rule, own = _META, True
        elif name == "td" and "rank" in classes:
            rule, own = _RANK, True
        elif name in _LABELS:
            rule = _LABEL
        elif name in ("td", "dd", "table"):
            rule = _TEXT  # a heading's labels do not reach into the cells beside it
        if attributes:
            for problem in account_attributes(name, attributes, self.tally.file, self.known, rule == _PROSE):
                self.refuse(problem)
        if name == "figure" and "chart" in classes:
            table = self.known.tables.get(attributes.get("data-table", ""))
            if table is None:
                raise self.stop("a chart must name its protected table")
            self.figures.append(Figure(table))
        if name in ("tr", "li"):
            self.count_row(name, attributes)
        if name == "time" and not _DATE.fullmatch(attributes.get("datetime", "")):
            self.refuse("<time> must have a date in datetime")
        if name not in VOID:
            self.stack.append(_Open(name, rule, self.at, own))

    def open_cell(self, name: str, attributes: dict[str, str]) -> int:
        if self.cell is not None:
            raise self.stop("a cell inside a cell")
        table_name, where = attributes.get("data-table", ""), attributes["data-cell"]
        table = self.known.tables.get(table_name)
        cell = table.cells.get(where) if table else None
        if cell is None:
            raise self.stop("data-table and data-cell name no protected cell")
        if attributes.get("data-status", "") != cell.status:
            self.refuse("data-status is not the protected cell's status")
        if name == "data":
            expected = "" if cell.value is None else str(cell.value)
            if attributes.get("value", "") != expected:
                self.refuse("the value of <data> is not the protected cell's")
        elif name not in ("td", "span", "output", "strong"):
            self.refuse(f"<{name}> cannot hold a cell")
        if self.figures and self.figures[-1].table.name == table_name:
            figure = self.figures[-1]
            (figure.after if figure.ended else figure.inside)[where] = cell
        self.tally.cells.add((table_name, where))
        self.cell, self.gathered = cell, []
        return _CELL

    def open_list(self, name: str) -> int:
        if name not in self.known.lists:
            raise self.stop("data-list names no public list")
        self.list, self.list_row, self.gathered = self.known.lists[name], [], []
        return _LIST

    def count_row(self, name: str, attributes: dict[str, str]) -> None:
        holder = next((e for e in reversed(self.stack) if e.name in ("table", "ol", "ul")), None)
        if holder is None:
            return
        holder.rows += 1
        if name == "li" and "value" in attributes:
            self.add_rank(attributes["value"], holder)
        self.list_row = []

    def add_rank(self, written: str, holder: _Open | None) -> None:
        if holder is None or not _WHOLE.fullmatch(written):
            self.refuse("a rank is a whole number in a table or list")
        else:
            holder.ranks = [*(holder.ranks or ()), (int(written), self.at)]

    def say(self, written: str) -> None:
        """Accounts for a text between tags."""
        element = self.stack[-1]
        rule = element.rule
        said = unescaped(written)
        if element.name == "script":
            raise self.stop("a script that stands in the page")
        if rule in (_CELL, _LIST):
            self.gathered.append(said)
        elif rule == _PROSE:
            self.block.append(said)
        elif not DIGIT.search(said):
            return
        elif rule == _META:
            if self.known.leaves_digits(said, label=True):
                if len(said) > _LONGEST_META:
                    self.refuse("a long text in an element of class meta")
                self.tally.printed.append(plain(said))
        elif rule == _RANK:
            holder = next((e for e in reversed(self.stack) if e.name == "table"), None)
            self.add_rank(said.strip(), holder)
        elif self.known.leaves_digits(said, label=rule == _LABEL):
            self.refuse(f"a number in <{element.name}> that is neither cell, label, prose nor meta")

    def close(self, element: _Open) -> None:
        name = element.name
        if element.rule == _CELL and element.own:
            self.close_cell()
        elif element.rule == _LIST:
            self.close_in_list(element)
        elif element.rule == _PROSE and (element.own or name in _BLOCKS):
            said = plain("".join(self.block))
            self.block = []
            if DIGIT.search(said):
                self.tally.prose.append(said)
        if name == "figure" and self.figures:
            self.figures[-1].ended = True
        if element.ranks and element.name in ("table", "ol", "ul"):
            for rank, at in element.ranks:
                if rank > element.rows:
                    self.refuse("a rank beyond the number of rows", at)

    def close_cell(self) -> None:
        cell, said = self.cell, plain("".join(self.gathered))
        self.cell, self.gathered = None, []
        if cell is None:
            return
        if cell.value is None:
            if DIGIT.search(said):
                self.refuse("a cell without a number holds one")
        elif said != cell.written:
            self.refuse("the number is not the protected cell's")
        else:
            self.tally.numbers += 1

    def close_in_list(self, element: _Open) -> None:
        said, self.gathered = plain("".join(self.gathered)), []
        if element.name == "td":
            self.list_row.append(said)
        elif DIGIT.search(said):
            self.refuse("a number beside the rows of a public list")
        elif element.name == "tr" and self.list_row:
            row = tuple(self.list_row)
            if self.list is None or row not in self.list.plain_rows:
                self.refuse("a row is not of the public list")
            self.tally.numbers += sum(1 for value in row if DIGIT.search(value))
        if element.own:
            self.list = None

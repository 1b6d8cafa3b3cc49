"""`clerestory review`: the page that a reviewer reads, and the answers of who has no browser at hand."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clerestory.cli.console import Steps, answering, err, out, print_json
from clerestory.cli.standalone import Format, FormatOption

if TYPE_CHECKING:
    from clerestory.confidential.review import Review


def review(
    release: Annotated[
        str, typer.Argument(help="The release, r-…; the one that was built last if absent.")
    ] = "",
    project: Annotated[Path, typer.Option(help="The project.")] = Path(),
    open_page: Annotated[
        bool | None,
        typer.Option("--open/--no-open", help="Open the page in the browser; on a terminal if not said."),
    ] = None,
    answer: Annotated[
        bool, typer.Option("--answer", help="Answer here, with the words at the end of each section.")
    ] = False,
    to: Annotated[
        Path | None, typer.Option(help="With --answer, the file to write.", show_default=False)
    ] = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Write the review page of a release: what becomes public, what it tells, what changed, what to answer.

    The page is confidential, in confidential/reviews/RELEASE. It needs no network and no script.
    """
    from clerestory.api.review import review as run

    steps = Steps()
    with answering(steps, as_json=format is Format.JSON):
        if answer:
            _answer(project, release, to)
            return
        written = run(project, release, progress=steps)
        if format is Format.JSON:
            print_json(written.said())
        else:
            out.print(f"Review of {written.review.release}: {written.file}", markup=False)
            if written.points:
                out.print("Look at:")
            for point in written.points:
                out.print(f"  {point.text}", markup=False)
            out.print(
                "Next: read it, answer at its end, and save the answers; without a browser: "
                f"clerestory review {written.review.release} --answer",
                markup=False,
            )
        if sys.stdout.isatty() if open_page is None else open_page:
            typer.launch(written.file.resolve().as_uri())


def _answer(project: Path, release: str, to: Path | None) -> None:
    from clerestory.api.gate import release_of
    from clerestory.api.kept import write_private
    from clerestory.api.review import answers_for, review_folder
    from clerestory.confidential.review import answered, read_review
    from clerestory.errors import InputError

    own = release_of(project, release)
    folder = review_folder(project, own.id)
    page = read_review(folder)
    file = to or folder / f"answers-{own.id}.json"
    if file.exists():
        raise InputError(
            "there are answers already",
            where=str(file),
            fix="name another file with --to, or remove these",
        )
    err.print(f"The page is {folder / 'review.html'}. Have its sections read.", markup=False)
    lines = _lines()
    by = _asked("Your name: ", lines)
    codes = {section: _word(page, section, title, lines) for section, title in page.sections}
    answers = {}
    for number, question in enumerate(page.questions, start=1):
        err.print(f"\n{number}. {question.text_en}", markup=False)
        said = ""
        while said not in ("yes", "no"):
            given = _asked("Yes or no? ", lines).lower()
            said = {"y": "yes", "n": "no"}.get(given, given)
        err.print("Note (may be left out): " if said == "yes" else "Why not: ", end="")
        note = next(lines, "").strip() if said == "yes" else _asked("", lines)
        answers[question.id] = (said, note)
    write_private(file, answered(page, by, codes, answers)) if to is None else file.write_text(
        answered(page, by, codes, answers), encoding="utf-8"
    )
    found = answers_for(project, own.id, file, agreeing=False)
    out.print(f"Answers of {found.by}, digest {found.digest}: {file}", markup=False)
    then = f"approve {own.id} --as YOU --answers {file}" if found.agrees else f"reject {own.id} --as YOU"
    out.print(f"Next: clerestory {then}", markup=False)


def _lines() -> Iterator[str]:
    """What is typed, a line at a time."""
    for line in sys.stdin:
        yield line.rstrip("\n")


def _asked(question: str, lines: Iterator[str]) -> str:
    """An answer that is not empty. Raises InputError if there are no more lines."""
    from clerestory.errors import InputError

    while True:
        err.print(question, end="", markup=False)
        given = next(lines, None)
        if given is None:
            raise InputError("the answers are not complete; nothing was written", fix="answer every question")
        if given.strip():
            return given.strip()


def _word(page: Review, section: str, title: str, lines: Iterator[str]) -> str:
    from clerestory.confidential.review import same_word

    while True:
        given = _asked(f"The word at the end of “{title}”: ", lines)
        if same_word(given, page.word(section)):
            return page.word(section)
        err.print("That is not the word at the end of that section.")

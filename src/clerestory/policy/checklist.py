"""What a reviewer is asked before a release goes out. Yes is the answer of whom nothing troubles."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """One question. id: what the answers call it; section: of the review page, which tells more."""

    id: str
    text: str
    section: str = ""


# After the Five Safes (Desai, Ritchie and Welpton 2016), and what nobody had asked before an exposure: what
# is in the download, which fields are in it and why, and who can take it down.
CHECKLIST = (
    Question(
        "files",
        "Is every page and every file that becomes public one that you expect to be public?",
        "public",
    ),
    Question("fields", "Is every field that was read needed for something that is shown?", "learn"),
    Question(
        "smallest",
        "Have you looked at the smallest groups shown, and is nobody in them easy to recognise or harmed?",
        "learn",
    ),
    Question(
        "known",
        "Think of somebody in these records whom many people know. Is there nothing here that a neighbour, "
        "a colleague or a journalist could learn about that person?",
        "learn",
    ),
    Question(
        "changes",
        "Is every change since the live release expected, and does somebody know the reason for it?",
        "changes",
    ),
    Question(
        "criteria",
        "Where a check asks for attention, is it written down why the release may go out all the same?",
        "gates",
    ),
    Question("prose", "May every number that was typed by hand be public, and is it right?", "prose"),
    Question(
        "sense",
        "Do totals, years and categories look as somebody who knows the subject would expect?",
        "public",
    ),
    Question(
        "takedown", "If this turned out to be a mistake tonight, do you know who takes it down, and how?", ""
    ),
)
"""Asked where the rules of the gate name no questions of their own."""

"""What every reviewer is asked. Whoever finds nothing wrong says yes to all of it."""

from __future__ import annotations

from clerestory.policy.gate import Question

# After the Five Safes (Desai, Ritchie and Welpton 2016), and what nobody had asked before an exposure: what
# is in the download, which fields are in it and why, and who can take it down.
CHECKLIST = (
    Question("files", "Is every page and every file that becomes public one that you expect to be public?"),
    Question("fields", "Is every field that was read needed for something that is shown?"),
    Question(
        "smallest",
        "Have you looked at the smallest groups shown, and is nobody in them easy to recognise or harmed?",
    ),
    Question(
        "known",
        "Think of somebody in these records whom many people know. Is there nothing here that a neighbour, "
        "a colleague or a journalist could learn about that person?",
    ),
    Question(
        "changes",
        "Is every change since the live release expected, and does somebody know the reason for it?",
    ),
    Question(
        "criteria",
        "Where a check asks for attention, is it written down why the release may go out all the same?",
    ),
    Question("prose", "May every number that was typed by hand be public, and is it right?"),
    Question("sense", "Do totals, years and categories look as somebody who knows the subject would expect?"),
    Question(
        "takedown", "If this turned out to be a mistake tonight, do you know who takes it down, and how?"
    ),
)
"""Asked in this order, and then what the rules of the gate ask."""

ABOUT = {
    "files": "public",
    "fields": "learn",
    "smallest": "learn",
    "known": "learn",
    "changes": "changes",
    "criteria": "gates",
    "prose": "prose",
    "sense": "public",
}
"""The section of the review page that tells more about a question."""

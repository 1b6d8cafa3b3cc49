"""Reports from outside: a line with a clock; silence takes the release down by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from clerestory.errors import InputError, Refused
from clerestory.release.gate.deciding import Decider, Live, Withdrawn
from clerestory.release.gate.reporting import Report, answer, open_reports, take_in
from clerestory.release.ledger import Kind
from tests.release.gate.made import Project
from tests.release.signing import GATE, signer

FINDING = "f" * 64
SAFE = {"safe": True, "reason": "x", "finding": FINDING}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "p")


def report(project: Project, text: str = "A name") -> Report:
    return Report("p-1", project.now.isoformat(), "/visits/", text, "", "en")


def test_a_report_is_a_line_about_what_is_live_and_written_once(project: Project) -> None:
    release = project.live()
    one = report(project)
    (event,) = take_in(project.register, [one])
    assert (event.kind, event.release, event.body, event.by) == (Kind.REPORTED, release, one.digest, "")
    assert take_in(project.register, [one]) == []
    (found,) = open_reports(project.register, project.register.standing(), GATE.report_hours)
    assert found.report == one


def test_without_an_answer_in_time_the_release_is_taken_down_by_itself(project: Project) -> None:
    release = project.live()
    shown = Decider(project.root, clock=lambda: project.now)
    take_in(project.register, [report(project)])
    project.wait(hours=GATE.report_hours - 1)
    assert isinstance(shown.look(), Live)
    project.wait(hours=1, minutes=1)
    assert shown.look().release == release and isinstance(shown.look(), Withdrawn)
    # For good: it lies beside the ledger, whoever starts what again, and whatever is answered later.
    project.register.fold()
    assert project.register.events()[-1].kind is Kind.WITHDRAWN
    assert isinstance(Decider(project.root, clock=lambda: project.now).look(), Withdrawn)


def test_a_report_that_only_the_server_has_counts_as_much(project: Project) -> None:
    project.live()
    told = [report(project)]
    shown = Decider(project.root, clock=lambda: project.now, inbox=lambda: told)
    assert isinstance(shown.look(), Live)
    project.wait(hours=GATE.report_hours, minutes=1)
    assert isinstance(shown.look(), Withdrawn)


def test_an_answer_by_somebody_who_did_not_build_it_ends_the_clock(project: Project) -> None:
    project.live()
    one = report(project)
    take_in(project.register, [one])
    with pytest.raises(Refused, match=r"role|built"):
        answer(project.register, one.digest[:8], **SAFE, signer=signer("ana"))
    with pytest.raises(InputError, match="no such report"):
        answer(project.register, "000000", **SAFE, signer=signer("iris"))
    answer(project.register, one.digest[:8], **SAFE, signer=signer("iris"))
    project.wait(hours=GATE.report_hours + 5)
    assert isinstance(Decider(project.root, clock=lambda: project.now).look(), Live)
    with pytest.raises(InputError, match="no such report"):
        answer(project.register, one.digest[:8], **SAFE, signer=signer("iris"))


def test_who_built_a_release_does_not_judge_it(project: Project) -> None:
    # Cleo may build and review; what she built, somebody else judges.
    release = project.built(who="cleo")
    for who in ("ben", "emil"):
        project.say(Kind.APPROVED, release, who, answers="a" * 64)
    project.publish(release)
    one = report(project)
    take_in(project.register, [one])
    with pytest.raises(Refused, match="built this release"):
        answer(project.register, one.digest, **SAFE, signer=signer("cleo"))

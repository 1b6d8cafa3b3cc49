"""The gate: who may let what go live, and what brings it back; each refusal and why."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from clerestory.errors import Refused
from clerestory.release.gate.deciding import Decider, Live, Nothing, Seen, Withdrawn
from clerestory.release.gate.restoring import restore
from clerestory.release.gate.takedown import takedown
from clerestory.release.ledger import NAME, Kind, slots
from clerestory.release.trust import Training
from clerestory.release.verify import verify_digests
from tests.release.gate.made import ANSWERS, Project
from tests.release.signing import COURSE, GATE, agree, content, person, signer


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


def decider(project: Project, seen: Seen | None = None) -> Decider:
    return Decider(project.root, clock=lambda: project.now, seen=seen)


def test_a_release_with_every_signature_goes_live_and_one_line_is_the_switch(project: Project) -> None:
    first = project.live("one")
    assert decider(project).look() == Live(
        project.root / "releases" / first, first, project.register.standing().live.manifest, 60
    )
    second = project.approved("two")
    shown = decider(project)
    assert shown.look().release == first
    project.publish(second)
    assert shown.look().release == second
    assert (project.root / "releases" / "current").resolve().name == second


def test_nothing_is_live_without_signatures(project: Project) -> None:
    release = project.release()
    (project.root / "releases" / "current").symlink_to(release)
    assert isinstance(decider(project).look(), Nothing)


@pytest.mark.parametrize(
    ("leave_out", "why"),
    [
        ("built", "nobody has signed for having built it"),
        ("ben", "1 of 2 reviewers"),
        ("both", "0 of 2 reviewers"),
    ],
)
def test_one_signature_short_is_refused(project: Project, leave_out: str, why: str) -> None:
    release = project.release()
    if leave_out != "built":
        project.say(Kind.BUILT, release, "ana", after="0" * 64)
    for who in ("ben", "cleo"):
        if leave_out not in (who, "both"):
            project.say(Kind.APPROVED, release, who, answers=ANSWERS)
    with pytest.raises(Refused, match=why):
        project.publish(release)
    assert project.register.standing().live is None


def test_who_built_or_approved_does_not_publish_and_the_builder_does_not_count(tmp_path: Path) -> None:
    project = Project(tmp_path / "p", gate=replace(GATE, reviewers=1))
    release = project.built(who="cleo")
    project.say(Kind.APPROVED, release, "cleo", answers=ANSWERS)
    with pytest.raises(Refused, match="0 of 1 reviewers"):
        project.publish(release)
    known = {
        name: person(name, roles=frozenset({*person(name).roles, *extra}))
        for name, extra in (
            ("ana", person("pia").roles),
            ("ben", person("pia").roles),
            *((n, frozenset()) for n in ("cleo", "pia", "iris", "ivo", "dora", "emil", "fay")),
        )
    }
    project.wait(days=1)
    agree(project.root / "trust", content(known, gate=project.gate), now=project.now)
    project.register = project.fresh()
    second = project.approved("two")
    with pytest.raises(Refused, match="who built a release does not publish it"):
        project.publish(second, "ana")
    with pytest.raises(Refused, match="who approved a release does not publish it"):
        project.publish(second, "ben")
    project.publish(second, "pia")


@pytest.mark.parametrize("who", ["ana", "ben", "iris"])
def test_only_a_publisher_publishes(project: Project, who: str) -> None:
    release = project.approved()
    with pytest.raises(Refused, match="does not have the role publisher"):
        project.publish(release, who)


def test_a_stranger_signs_nothing(project: Project) -> None:
    with pytest.raises(Refused, match="nobody's"):
        project.built(who="mallory")


def test_an_approval_without_answers_does_not_count(project: Project) -> None:
    release = project.built()
    for who in ("ben", "cleo"):
        project.say(Kind.APPROVED, release, who)
    with pytest.raises(Refused, match="review page was not answered"):
        project.publish(release)


def test_approvals_expire(project: Project) -> None:
    release = project.approved()
    project.wait(days=GATE.approval_days + 1)
    with pytest.raises(Refused, match="has expired after 30 days"):
        project.publish(release)


def test_expired_training_signs_nothing(project: Project) -> None:
    release = project.built()
    project.now = project.now.replace(year=2027, month=1, day=16)
    with pytest.raises(Refused, match="training in sdc-101 expired on 2027-01-15"):
        project.say(Kind.APPROVED, release, "ben", answers=ANSWERS)


def test_an_approval_stops_counting_when_the_key_is_revoked(project: Project) -> None:
    from clerestory.release.trust import Revoked

    release = project.approved()
    project.wait(hours=1)
    before = content(gate=project.gate)
    lost = signer("ben").public_key.keyid
    people = {name: one for name, one in before.people.items() if name != "ben"}
    keys = {key: one for key, one in before.keys.items() if key != lost}
    revoked = {lost: Revoked("ben", date(2026, 11, 25), "lost")}
    said = replace(before, people=people, keys=keys, revoked=revoked)
    agree(project.root / "trust", said, now=project.now)
    project.register = project.fresh()
    with pytest.raises(Refused, match="was revoked"):
        project.publish(release)
    with pytest.raises(Refused, match="revoked"):
        project.say(Kind.APPROVED, release, "ben", answers=ANSWERS)


def test_a_line_signed_under_an_older_root_cannot_follow_a_newer_one(project: Project) -> None:
    release = project.approved()
    project.wait(hours=1)
    courses = {
        n: person(n, training=(COURSE, Training("new", date(2026, 1, 1), date(2028, 1, 1))))
        for n in content().people
    }
    agree(project.root / "trust", content(courses, gate=project.gate), now=project.now)
    project.register = project.fresh()
    project.publish(release)
    old = project.root / "trust" / "2.root.json"
    old.unlink()
    with pytest.raises(Refused, match="no version 2"):
        project.fresh().events()


def test_the_review_time_must_pass_unless_two_officers_agree(tmp_path: Path) -> None:
    project = Project(tmp_path / "p", gate=replace(GATE, review_minutes=120))
    release = project.approved()
    with pytest.raises(Refused, match="review time of 120 minutes has 120 to go"):
        project.publish(release)
    project.say(Kind.EMERGENCY, release, "iris", reason="The news")
    with pytest.raises(Refused, match="review time"):
        project.publish(release)
    project.say(Kind.EMERGENCY, release, "iris", reason="The news")
    with pytest.raises(Refused, match="review time"):
        project.publish(release)
    project.say(Kind.EMERGENCY, release, "ivo", reason="The news")
    found = project.publish(release)
    assert found.counted.officers == ("iris", "ivo")
    kinds = [event.kind for event in project.register.events()]
    assert kinds.count(Kind.EMERGENCY) == 3

    slow = project.approved("two")
    project.wait(minutes=121)
    project.publish(slow)


def test_recount_and_reproof_by_another_person(tmp_path: Path) -> None:
    project = Project(tmp_path / "p", gate=replace(GATE, recount=True, reproof=True))
    release = project.approved()
    with pytest.raises(Refused, match=r"recounted it.*proved it again"):
        project.publish(release)
    project.say(Kind.RECOUNTED, release, "ana")
    with pytest.raises(Refused, match="recounted"):
        project.publish(release)
    project.say(Kind.RECOUNTED, release, "cleo")
    project.say(Kind.PROVED, release, "ben")
    project.publish(release)


def test_a_rejected_release_never_goes_live(project: Project) -> None:
    release = project.approved()
    project.say(Kind.REJECTED, release, "ben", reason="A table too many")
    with pytest.raises(Refused, match="rejected"):
        project.publish(release)


def test_an_older_release_is_not_offered_as_newer(project: Project) -> None:
    first = project.live("one")
    second = project.approved("two")
    stale = project.approved("three")
    project.publish(second)
    with pytest.raises(Refused, match="older than what replaced it"):
        project.publish(first)
    with pytest.raises(Refused, match="went live after it was built"):
        project.publish(stale)


def test_one_flipped_byte_is_refused(project: Project) -> None:
    release = project.approved()
    page = project.root / "releases" / release / "site" / "index.html"
    content_ = page.read_bytes()
    page.write_bytes(content_[:-1] + bytes([content_[-1] ^ 1]))
    with pytest.raises(Refused, match="another digest"):
        project.publish(release)


def test_one_flipped_byte_in_a_signature_is_refused(project: Project) -> None:
    release = project.approved()
    folder = project.root / "releases" / release / "signatures"
    file = sorted(folder.glob("approved-*.json"))[0]
    content_ = bytearray(file.read_bytes())
    content_[len(content_) // 2] ^= 1
    file.write_bytes(content_)
    with pytest.raises(Refused, match="not a statement"):
        project.publish(release)


def test_nothing_else_may_lie_among_the_signatures(project: Project) -> None:
    release = project.live()
    folder = project.root / "releases" / release
    (folder / "signatures" / "people.csv").write_text("name\n")
    with pytest.raises(Refused, match="not a statement"):
        verify_digests(folder)
    assert isinstance(decider(project).look(), Nothing)


def test_an_approval_copied_from_another_release_does_not_count(project: Project) -> None:
    first = project.approved("one")
    second = project.built("two")
    for file in (project.root / "releases" / first / "signatures").glob("approved-*"):
        shutil.copy(file, project.root / "releases" / second / "signatures")
    with pytest.raises(Refused, match="0 of 2 reviewers"):
        project.publish(second)


def test_a_takedown_needs_one_signature_and_counts_at_once(project: Project) -> None:
    release = project.live()
    shown = decider(project)
    assert isinstance(shown.look(), Live)
    done = takedown(project.root, "", "names in it", signer("iris"), register=project.register)
    assert done.release == release and not done.waiting and not done.unsaid
    assert shown.look() == Withdrawn(release, done.time)
    assert not (project.root / "releases" / "current").exists()
    with pytest.raises(Refused, match="withdrawn"):
        project.publish(release)


def test_an_analyst_takes_nothing_down_but_anybody_breaks_the_glass(project: Project) -> None:
    release = project.live()
    with pytest.raises(Refused, match="does not have the role"):
        takedown(project.root, "", "x", signer("ana"), register=project.register)
    done = takedown(project.root, release, "x", None, register=project.register)
    assert done.signed == ""
    assert isinstance(decider(project).look(), Withdrawn)
    assert project.register.events()[-1].by == ""


def test_a_takedown_works_with_an_expired_root_and_a_clock_set_back(project: Project) -> None:
    release = project.live()
    project.now += timedelta(days=20)
    project.now = project.now.replace(year=2026, month=11, day=1)
    done = takedown(project.root, "", "x", signer("iris"), register=project.fresh())
    assert done.release == release and not done.waiting
    assert isinstance(decider(project).look(), Withdrawn)


def test_a_takedown_works_while_another_command_holds_the_ledger(project: Project) -> None:
    import fcntl

    release = project.live()
    shown = decider(project)
    with (project.root / NAME).open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = takedown(project.root, "", "x", signer("iris"), register=project.register)
        assert "another command" in done.waiting
        assert shown.look().release == release and isinstance(shown.look(), Withdrawn)
    project.built("two")
    assert slots.slips(project.root) == {}
    assert [e.kind for e in project.register.events()][-2:] == [Kind.WITHDRAWN, Kind.BUILT]
    assert isinstance(decider(project).look(), Withdrawn)


def test_a_broken_ledger_does_not_stop_a_takedown(project: Project) -> None:
    release = project.live()
    with (project.root / NAME).open("ab") as file:
        file.write(b"{}\n")
    done = takedown(project.root, "", "x", None)
    assert done.release == release and done.waiting
    assert not isinstance(decider(project).look(), Live)


def test_it_takes_two_people_to_bring_it_back(project: Project) -> None:
    release = project.live()
    takedown(project.root, "", "x", signer("iris"), register=project.register)
    project.wait(minutes=1)
    first = restore(project.register, release, "false alarm", signer("iris"))
    assert not first.back and isinstance(decider(project).look(), Withdrawn)
    with pytest.raises(Refused, match="agreed already"):
        restore(project.register, release, "false alarm", signer("iris"))
    with pytest.raises(Refused, match="role"):
        restore(project.register, release, "false alarm", signer("ben"))
    second = restore(project.register, release, "false alarm", signer("pia"))
    assert second.back and second.live and second.agreed == ("iris", "pia")
    assert decider(project).look().release == release


def test_agreement_before_a_second_takedown_counts_no_more(project: Project) -> None:
    release = project.live()
    takedown(project.root, "", "x", signer("iris"), register=project.register)
    restore(project.register, release, "y", signer("iris"))
    takedown(project.root, release, "x again", signer("iris"), register=project.register)
    assert not restore(project.register, release, "y", signer("pia")).back


def test_no_copy_of_the_files_brings_a_withdrawn_release_back(project: Project, tmp_path: Path) -> None:
    release = project.live()
    shown = decider(project)
    assert isinstance(shown.look(), Live)
    shutil.copytree(project.root, tmp_path / "backup", symlinks=True)
    takedown(project.root, "", "x", signer("iris"), register=project.register)
    assert isinstance(shown.look(), Withdrawn)
    # The folder of releases from the backup, with its link.
    shutil.rmtree(project.root / "releases")
    shutil.copytree(tmp_path / "backup" / "releases", project.root / "releases", symlinks=True)
    (project.root / "releases" / "current").unlink(missing_ok=True)
    (project.root / "releases" / "current").symlink_to(release)
    assert isinstance(decider(project).look(), Withdrawn)
    # The ledger too: a server that has seen the newer one shows nothing.
    shutil.copy(tmp_path / "backup" / NAME, project.root / NAME)
    assert isinstance(shown.look(), Nothing)
    assert isinstance(decider(project, shown.seen).look(), Nothing)


def test_a_forged_line_stops_everything(project: Project) -> None:
    from clerestory.release.ledger import Event, head, signed

    project.live()
    release = project.built("two")
    events = project.register.events()
    forged = signed(
        replace(events[-1], seq=len(events), previous=head(events), kind=Kind.PUBLISHED, release=release),
        signer("ana"),
    )
    with (project.root / NAME).open("ab") as file:
        file.write(forged.to_bytes())
    assert isinstance(forged, Event)
    with pytest.raises(Refused, match="does not have the role publisher"):
        project.fresh().events()
    assert isinstance(decider(project).look(), Nothing)


def test_a_publication_that_skips_the_gate_is_not_shown(project: Project) -> None:
    release = project.built()
    project.say(Kind.PUBLISHED, release, "pia")
    found = decider(project).look()
    assert isinstance(found, Nothing) and "0 of 2 reviewers" in found.problem


def test_a_second_line_does_not_bring_back_what_was_replaced_or_rejected(project: Project) -> None:
    first = project.live("one")
    rejected = project.approved("no")
    project.say(Kind.REJECTED, rejected, "ben", reason="x")
    second = project.approved("two")
    project.publish(second)
    # A publisher's key that skips the command: the lines stand, and change nothing.
    project.say(Kind.PUBLISHED, first, "pia")
    project.say(Kind.PUBLISHED, rejected, "pia")
    assert decider(project).look().release == second


def test_a_release_that_was_not_audited_against_the_live_one_is_not_shown(project: Project) -> None:
    stale = project.approved("stale")
    project.live("one")
    project.say(Kind.PUBLISHED, stale, "pia")
    found = decider(project).look()
    assert isinstance(found, Nothing) and "went live after it was built" in found.problem


def test_the_builder_is_no_officer_who_hurries_it(tmp_path: Path) -> None:
    project = Project(tmp_path / "p", gate=replace(GATE, review_minutes=120))
    people = {n: person(n) for n in content().people}
    people["ana"] = person("ana", roles=frozenset({*person("ana").roles, *person("iris").roles}))
    project.wait(minutes=1)
    agree(project.root / "trust", content(people, gate=project.gate), now=project.now)
    project.register = project.fresh()
    release = project.approved()
    project.say(Kind.EMERGENCY, release, "ana", reason="x")
    project.say(Kind.EMERGENCY, release, "iris", reason="x")
    with pytest.raises(Refused, match="review time"):
        project.publish(release)

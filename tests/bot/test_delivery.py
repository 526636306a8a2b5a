"""Delivery against a Slack look-alike, on both databases: one card a job, nothing lost, nothing twice."""

from datetime import timedelta

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from bot.delivery import LOCK, deliver_waiting, outcomes
from bot.sandbox import sample_company
from bot.sandbox.workspace import BOT_TOKEN, CHANNEL_ID, TEAM_ID
from tests import factories
from tests.bot.site import NEXT_SYNC, Site
from tests.factories import actor
from workflow import directory, outbox
from workflow.request_ids import working_for
from workflow.tables import OutboxNotice, RequestedUpdate
from workflow.tables import Person as DirectoryPerson
from workflow.vocabulary import NoticeKind, Place, State


def test_a_request_becomes_a_card_a_reply_and_a_direct_message_to_each_approver(site: Site) -> None:
    site.ask(site.riverside, "03-300 L", "03-300 M")
    assert site.drain() == 4
    (card,) = site.channel()
    assert "24-017 Riverside Medical Center" in card.words
    assert card.buttons == ["View Requested Updates", "Update", "Reject"]
    assert str(int(NEXT_SYNC.timestamp())) in card.words
    assert site.thread() == [
        "Tom Beckett requested 2 assignments of 1 cost code. Ready to Update. (command line)"
    ]
    for approver in (site.dana, site.marcus):
        (told,) = site.person(approver).sees().direct_messages
        assert "Tom Beckett requested 2 assignments" in told.words
        assert f"/#/{CHANNEL_ID}/p{card.ts.replace('.', '')}|Open the card" in told.words
    assert site.person(site.tom).sees().direct_messages == []
    assert site.waiting() == []


def test_a_job_has_one_card_that_changes_in_place_and_a_thread_that_tells_its_history(site: Site) -> None:
    requested = site.ask(site.riverside, "03-300 L")
    site.drain()
    (before,) = site.channel()
    site.update(requested)
    site.drain()
    (after,) = site.channel()
    assert after.ts == before.ts
    assert "Updated, waits for the data sync" in after.words
    assert after.buttons == ["View Requested Updates", "Take back"]
    assert [line.split(" ", 2)[2].split(" ")[0] for line in site.thread()] == ["requested", "updated"]
    (told,) = site.person(site.tom).sees().direct_messages
    assert "updated revision 1" in told.words


def test_a_job_that_changed_often_is_drawn_once(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    site.drain()
    for line in ("03-300 M", "01-100 L", "09-250 L"):
        site.ask(site.riverside, line)
    site.drain()
    assert len(site.sandbox.calls("chat.update")) == 1
    assert len(site.thread()) == 4
    assert "4 cost codes" not in site.channel()[0].words
    assert "3 cost codes, 4 assignments" in site.channel()[0].words


def test_a_burst_is_one_direct_message_a_person(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    site.clock.wait(seconds=1)
    site.ask(site.depot, "03-300 L")
    site.drain()
    (told,) = site.person(site.dana).sees().direct_messages
    assert "24-017 Riverside Medical Center" in told.words
    assert "24-018 Bus Depot" in told.words
    assert len(site.channel()) == 2


def test_a_reply_that_concerns_the_channel_is_shown_there_too(site: Site) -> None:
    requested = site.ask(site.riverside, "03-300 L")
    site.update(requested)
    site.drain()
    with site.database.writing() as session:
        session.get_one(RequestedUpdate, requested.id).state = State.SYNCED
    site.ask(site.riverside, "09-250 L")
    site.drain()
    replies = [m for m in site.person(site.dana).sees().messages if m.thread_ts not in (None, m.ts)]
    assert [reply.raw["broadcast"] for reply in replies] == [False, False, True]


def test_with_nothing_due_slack_is_not_called(site: Site) -> None:
    assert site.drain() == 0
    assert site.sandbox.calls() == []


def test_a_delivered_notice_is_logged_with_the_request_that_it_is_of(site: Site) -> None:
    with working_for("asks"):
        requested = site.ask(site.riverside, "03-300 L")
    with working_for("decides"):
        site.update(requested)
    with capture_logs(processors=[merge_contextvars]) as logs:
        delivered = site.drain()
    told = [line for line in logs if line["event"] == "a notice was delivered"]
    assert len(told) == delivered
    assert {line["request_id"] for line in told} == {"asks", "decides"}


def test_a_message_that_gathers_many_notices_is_one_line_of_the_log(site: Site) -> None:
    for request in ("first", "second", "second"):
        with working_for(request):
            site.ask_for_privilege(site.dana)
    site.clock.wait(seconds=5)
    with capture_logs(processors=[merge_contextvars]) as logs:
        assert site.drain() == 3
    told = [line for line in logs if "delivered" in line["event"] and line["log_level"] == "info"]
    assert [(line["event"], line["notices"], line["seconds"], line["request_ids"]) for line in told] == [
        ("gathered notices were delivered", 3, 5.0, ["first", "second"])
    ]


def test_a_person_without_a_slack_user_is_given_up_and_the_others_are_told(site: Site) -> None:
    with site.database.writing() as session:
        factories.approver(session, "nobody@example.com")
        factories.approver(session, sample_company.GUEST)
    site.ask(site.riverside, "03-300 L")
    site.drain()
    assert sorted(str(notice.last_error) for notice in site.given_up()) == [
        "nobody in Slack has the e-mail nobody@example.com",
        f"the Slack user with the e-mail {sample_company.GUEST} is no confirmed member",
    ]
    assert len(site.person(site.dana).sees().direct_messages) == 1


def test_a_person_is_pinned_at_the_first_message_and_a_change_of_e_mail_moves_nothing(site: Site) -> None:
    site.ask_for_privilege(site.dana)
    site.drain()
    with site.database.writing() as session:
        assert directory.slack_user_of(session, TEAM_ID, site.dana.id) == "U0DANA"
        session.get_one(DirectoryPerson, site.dana.id).email = sample_company.SECOND_APPROVER + ".old"
    site.ask_for_privilege(site.dana)
    site.drain()
    assert len(site.sandbox.as_person(sample_company.APPROVER).sees().direct_messages) == 2
    assert len(site.sandbox.calls("users.lookupByEmail")) == 1


def test_a_slack_user_who_is_somebody_else_already_gets_no_message_for_this_person(site: Site) -> None:
    with site.database.writing() as session:
        tom = session.get_one(DirectoryPerson, site.tom.id)
        by = actor(tom, Place.COMMAND_LINE)
        directory.link(session, tom, team_id=TEAM_ID, user_id="U0DANA", by=by, at=site.clock.now)
    site.ask_for_privilege(site.dana)
    site.drain()
    assert "is tied to tom.beckett" in str(site.given_up()[0].last_error)


def test_a_notice_that_can_never_be_delivered_is_given_up_after_hours_and_blocks_nobody(site: Site) -> None:
    with site.database.writing() as session:
        session.add(
            OutboxNotice(
                kind=NoticeKind.DIRECT,
                person_id=site.marcus.id,
                created_at=site.clock.now,
                due_at=site.clock.now,
            )
        )
    site.ask_for_privilege(site.dana)
    started = site.clock.now
    with capture_logs() as logs:
        assert site.drain() == 1
        (poison,) = site.waiting()
        assert poison.attempts == 1
        assert "tells of no event" in str(poison.last_error)
        while site.waiting():
            assert site.clock.now - started < timedelta(hours=8)
            site.clock.wait(hours=1)
            site.drain()
    assert site.clock.now - started > outcomes.GIVE_UP_AGE
    assert len(logs) > outcomes.GIVE_UP_ATTEMPTS
    assert "tells of no event" in str(site.given_up()[0].last_error)


def test_a_notice_of_a_job_without_requests_needs_no_card(site: Site) -> None:
    with site.database.writing() as session:
        outbox.refresh_card(session, site.depot.id, at=site.clock.now)
    assert site.drain() == 1
    assert site.sandbox.calls() == []


def test_only_one_process_delivers_at_a_time(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    with site.database.exclusive(LOCK) as held:
        assert held
        assert site.drain() == 0
    assert site.sandbox.calls() == []
    assert site.drain() == 4


def test_the_channel_may_be_given_by_name(site: Site) -> None:
    requested = site.ask(site.riverside, "03-300 L")
    site.drain(channel="#cost-codes")
    site.update(requested)
    site.drain(channel="#cost-codes")
    assert len(site.channel()) == 1
    assert "Take back" in site.channel()[0].buttons


def test_the_worker_delivers_with_the_settings_in_force(
    site: Site, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site.database.writing() as session:
        factories.requested(session, job=site.riverside, by=site.tom)
    monkeypatch.setenv("COSTBOT_DATABASE_URL", database_url)
    monkeypatch.setenv("SLACK_API_URL", site.sandbox.api_url)
    monkeypatch.setenv("COSTBOT_CHANNEL", CHANNEL_ID)
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    assert deliver_waiting() == 0
    assert len(site.waiting()) == 4
    monkeypatch.setenv("SLACK_BOT_TOKEN", BOT_TOKEN)
    assert deliver_waiting() == 4
    assert len(site.channel()) == 1

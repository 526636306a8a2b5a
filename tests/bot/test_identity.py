"""Who a Slack user is: tied once, pinned from then on, and refused where Slack says no or says nothing."""

from dataclasses import dataclass

import pytest
from sqlalchemy import select

from bot.gateway import Gateway, web_client
from bot.identity import FRESH_SECONDS, Identity
from bot.sandbox import sample_company
from bot.sandbox.client import Sandbox
from bot.sandbox.workspace import BOT_TOKEN, TEAM_ID
from tests import factories
from tests.factories import NINE, RULES
from workflow import approvals, directory
from workflow.database import Database
from workflow.privileges import Actor
from workflow.tables import AuditEvent, Person
from workflow.vocabulary import Event, Place, Refusal

DANA = "U0DANA"


@dataclass
class Desk:
    """The directory, the workspace and the one who finds out; time moves when a test says so."""

    sandbox: Sandbox
    database: Database
    dana: int
    seconds: float = 0.0

    def __post_init__(self) -> None:
        gateway = Gateway(web_client(BOT_TOKEN, self.sandbox.api_url))
        self.identity = Identity(gateway, self.database, clock=lambda: NINE, monotonic=lambda: self.seconds)

    def actor(self, user_id: str = DANA, team_id: str | None = TEAM_ID) -> Actor:
        return self.identity.actor(user_id, team_id)


@pytest.fixture
def desk(database: Database, sandbox: Sandbox) -> Desk:
    with database.writing() as session:
        dana = factories.approver(session, sample_company.APPROVER)
        factories.approver(session, sample_company.SECOND_APPROVER)
    return Desk(sandbox, database, dana.id)


def test_a_member_is_tied_to_the_person_with_their_e_mail_once(desk: Desk) -> None:
    for _ in range(2):
        assert desk.actor() == Actor(Place.SLACK, "Dana Whitfield", desk.dana)
    with desk.database.reading() as session:
        assert directory.slack_user_of(session, TEAM_ID, desk.dana) == DANA


def test_letter_case_of_the_e_mail_does_not_matter(desk: Desk) -> None:
    desk.sandbox.put_user(DANA, email=sample_company.APPROVER.upper())
    assert desk.actor().person_id == desk.dana


def test_a_later_change_of_e_mail_moves_nothing(desk: Desk) -> None:
    desk.actor()
    desk.sandbox.put_user(DANA, email=sample_company.SECOND_APPROVER)
    desk.seconds += FRESH_SECONDS
    assert desk.actor().person_id == desk.dana


def test_nobody_takes_over_a_person_by_taking_their_e_mail(desk: Desk) -> None:
    desk.actor()
    desk.sandbox.put_user("U0THIEF", real_name="Thea Thief", email=sample_company.APPROVER)
    thief = desk.actor("U0THIEF")
    assert thief.person_id is None
    assert "which is another Slack user's" in thief.name


def test_whoever_is_made_a_guest_is_refused_within_a_minute_though_pinned(desk: Desk) -> None:
    desk.actor()
    desk.sandbox.put_user(DANA, is_restricted=True)
    desk.seconds += FRESH_SECONDS
    assert desk.actor().refusal is Refusal.FROM_OUTSIDE


def test_whoever_is_deactivated_in_slack_is_refused(desk: Desk) -> None:
    desk.sandbox.put_user(DANA, deleted=True)
    assert desk.actor().refusal is Refusal.DEACTIVATED


def test_a_burst_of_clicks_asks_slack_once(desk: Desk) -> None:
    for _ in range(5):
        desk.actor()
    assert len(desk.sandbox.calls("users.info")) == 1
    assert len(desk.sandbox.calls("auth.test")) == 1


def test_a_payload_from_another_workspace_is_refused(desk: Desk) -> None:
    assert desk.actor(team_id="T0ELSEWHERE").refusal is Refusal.FROM_OUTSIDE


def test_a_user_whom_slack_does_not_know_is_refused(desk: Desk) -> None:
    assert desk.actor("U0NOBODY").refusal is Refusal.FROM_OUTSIDE


@pytest.mark.parametrize("method", ["auth.test", "users.info"])
@pytest.mark.parametrize("kind", ["server_error", "ratelimited", "reset"])
def test_when_slack_cannot_say_nobody_is_let_in_and_the_next_time_it_is_asked_again(
    desk: Desk, method: str, kind: str
) -> None:
    desk.sandbox.fail_next(method, kind, retry_after=0)
    assert desk.actor().refusal is Refusal.COULD_NOT_FIND_OUT
    assert desk.actor().person_id == desk.dana


@pytest.mark.parametrize("method", ["auth.test", "users.info"])
def test_whoever_is_refused_is_on_record_as_the_person_they_were_tied_to_and_acts_as_nobody(
    desk: Desk, method: str
) -> None:
    desk.actor()
    anew = Desk(desk.sandbox, desk.database, desk.dana)
    desk.sandbox.fail_next(method, "ratelimited", retry_after=2)
    with anew.identity.writing(anew.identity.member(DANA, TEAM_ID)) as (session, by):
        assert (by.person_id, by.refusal) == (None, Refusal.COULD_NOT_FIND_OUT)
        approvals.check(session, "update", by=by, at=NINE, rules=RULES)
    with desk.database.reading() as session:
        last = session.scalars(select(AuditEvent).order_by(AuditEvent.seq.desc()).limit(1)).one()
        assert (last.event, last.actor_id, last.actor) == (Event.REFUSED, desk.dana, "Dana Whitfield")


def test_without_the_scope_for_e_mails_it_could_not_find_out(desk: Desk) -> None:
    desk.sandbox.put_user(DANA, email="")
    assert desk.actor().refusal is Refusal.COULD_NOT_FIND_OUT


def test_a_member_whom_the_directory_does_not_have_is_named_for_the_administrator(desk: Desk) -> None:
    tom = desk.actor("U0TOM")
    assert (tom.person_id, tom.refusal) == (None, None)
    assert tom.name == f"Tom Beckett ({sample_company.PROJECT_ENGINEER})"


def test_an_administrator_can_unlink_and_the_e_mail_ties_anew(desk: Desk) -> None:
    desk.actor()
    with desk.database.writing() as session:
        dana = directory.person_by_email(session, sample_company.APPROVER)
        assert dana is not None
        directory.unlink(session, dana, by=factories.actor(dana), at=NINE)
    desk.sandbox.put_user("U0NEWDANA", real_name="Dana Whitfield", email=sample_company.APPROVER)
    assert desk.actor("U0NEWDANA").person_id == desk.dana


def test_an_act_is_by_whoever_the_user_is_tied_to_as_it_begins(desk: Desk) -> None:
    member = desk.identity.member(DANA, TEAM_ID)
    with desk.identity.writing(member) as (_, by):
        assert by == Actor(Place.SLACK, "Dana Whitfield", desk.dana)

    with desk.database.writing() as session:
        other = directory.person_by_email(session, sample_company.SECOND_APPROVER)
        assert other is not None
        directory.unlink(session, session.get_one(Person, desk.dana), by=by, at=NINE)
        directory.link(session, other, team_id=TEAM_ID, user_id=DANA, by=by, at=NINE)

    with desk.identity.writing(member) as (_, by):
        assert by.person_id == other.id


def test_an_act_of_somebody_who_is_refused_is_theirs_all_the_same(desk: Desk) -> None:
    desk.sandbox.put_user(DANA, is_restricted=True)
    with desk.identity.writing(desk.identity.member(DANA, TEAM_ID)) as (_, by):
        assert (by.person_id, by.refusal) == (None, Refusal.FROM_OUTSIDE)

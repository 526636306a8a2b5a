"""What became of an act, where the database or an answer was lost on the way."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from bot.slack_answers import SlackUser
from bot.visit import RepeatedError, UnsureError, Visit, receive
from tests.bot.test_answering import CLICK
from tests.factories import NINE
from workflow.acting import AlreadyDecided, Done, Stale
from workflow.aways import Unusable
from workflow.columns import Unfit
from workflow.database import Database
from workflow.drafts import NoDraft
from workflow.privilege_requests import AnsweredBefore, NotAsked
from workflow.privileges import Actor, Refused
from workflow.requests import NothingNew
from workflow.settings import Settings
from workflow.tables import PrivilegeRequest, RequestedUpdate
from workflow.vocabulary import Place, Refusal

DANA = Actor(Place.SLACK, "Dana Whitfield")


@dataclass
class Desk:
    """One person's click, in a bot whose Slack only takes what is said to them."""

    database: Database
    told: list[str] = field(default_factory=list)

    def visit(self, delivery: str = "trigger:1.2") -> Visit:
        """The click as it is delivered; without a key nobody can tell whether it was before."""
        services: Any = SimpleNamespace(
            settings=Settings(_env_file=None),
            gateway=SimpleNamespace(respond=lambda _url, message: self.told.append(message.text)),
            database=self.database,
            identity=self,
            nudge=lambda _name: None,
            clock=lambda: NINE,
        )
        return Visit(services, replace(CLICK, delivery=delivery))

    def member(self, user_id: str, team_id: str | None) -> SlackUser | Actor:
        return DANA

    def language(self, user_id: str, *, within: float) -> str | None:
        return None

    @contextmanager
    def writing(self, member: Actor) -> Iterator[tuple[Session, Actor]]:
        with self.database.writing() as session:
            yield session, member


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def loses_a_commit(database: Database, monkeypatch: pytest.MonkeyPatch, *, kept: bool) -> None:
    """The line breaks at the next commit, before the database answers: after it was kept, or before."""
    commit = database.engine.dialect.do_commit

    def breaks(connection: Any) -> None:
        monkeypatch.setattr(database.engine.dialect, "do_commit", commit)
        if kept:
            commit(connection)
        raise ConnectionResetError("the server has gone away")

    monkeypatch.setattr(database.engine.dialect, "do_commit", breaks)


def saves(_session: Session, _by: Actor, _at: datetime) -> Done:
    return Done()


@pytest.mark.parametrize("kept", [True, False])
def test_after_an_answer_that_was_lost_the_visit_goes_on_and_is_once_more_handled_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    visit = desk.visit()
    loses_a_commit(desk.database, monkeypatch, kept=kept)
    with pytest.raises(UnsureError):
        visit.act(saves)
    assert visit.act(saves) == visit.act(saves) == Done()
    with pytest.raises(RepeatedError):
        desk.visit().act(saves)


def test_what_was_surely_undone_is_not_taken_for_one_s_own_delivery(desk: Desk) -> None:
    def fails(_session: Session, _by: Actor, _at: datetime) -> None:
        raise ZeroDivisionError

    visit = desk.visit()
    with pytest.raises(ZeroDivisionError):
        visit.act(fails)
    desk.visit().act(saves)
    with pytest.raises(RepeatedError):
        visit.act(saves)


def test_only_the_act_whose_answer_was_lost_is_unsure(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    visit = desk.visit()
    loses_a_commit(desk.database, monkeypatch, kept=False)
    with pytest.raises(UnsureError):
        visit.act(saves)
    with monkeypatch.context() as away:
        away.setattr(Database, "writing", lambda _: (_ for _ in ()).throw(ConnectionRefusedError("starting")))
        with pytest.raises(ConnectionRefusedError):
            visit.act(saves)


def test_an_unsure_act_stays_unsure_after_one_that_changed_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = desk.visit()
    loses_a_commit(desk.database, monkeypatch, kept=False)
    with pytest.raises(UnsureError):
        visit.act(saves)
    visit.act(lambda *_: Stale((), "It changed."))
    assert visit.saved is None


def told_in_trouble(desk: Desk, act: Callable[[Session, Actor, datetime], object]) -> str:
    """What the person is told where something goes wrong after an act."""

    def handle(visit: Visit) -> None:
        visit.act(act)
        raise ZeroDivisionError

    with capture_logs():  # or each traceback is put into words, which is slow
        receive(desk.visit(""), handle, request_id="r1")
    return desk.told.pop()


NOTHING: list[object] = [
    AlreadyDecided("Ada was first."),
    AnsweredBefore(PrivilegeRequest(), "Ada was first."),
    NoDraft(),
    NotAsked("You have asked already."),
    NothingNew(RequestedUpdate()),
    Refused(Refusal.NOT_READY, "It is not ready."),
    Stale((), "It changed."),
    Unfit(()),
    Unusable("It is over."),
]


def test_of_what_changed_nothing_it_is_not_said_that_it_was_saved(desk: Desk) -> None:
    for result in NOTHING:
        told = told_in_trouble(desk, lambda *_, result=result: result)
        assert "Something went wrong. Nothing was changed." in told, result


def test_of_what_was_kept_it_is_said_that_it_was_saved(desk: Desk) -> None:
    assert "It was saved, but not all of it could be shown." in told_in_trouble(desk, saves)

"""Cost codes that are read and ERP requests, switched to and fro: nothing is lost or asked for twice."""

import itertools
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Select, select

from bot.sandbox.procore.company import Record
from sync.sage.embedded import EmbeddedSage
from tests import factories
from tests.sync.procore.company import RULES, Kestrel
from tests.sync.procore.conftest import Clock, Door
from tests.sync.procore.integrator import Integrator
from workflow import approvals, lines
from workflow.settings import ProcoreIntake, Settings
from workflow.tables import Job, Person, RequestedLine, RequestedUpdate
from workflow.vocabulary import State

CODES = ("300", "400")
STEPS = ("tick 300", "tick 400", "send", "send unheard", "switch", "hear", "look", "sync", "reject")
WAYS = (ProcoreIntake.COST_CODES, ProcoreIntake.ERP_REQUESTS)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One engine: what could differ between them is in the tests of each way."""
    return sqlite_url


@pytest.fixture
def integrator(kestrel: Kestrel, settings: Settings, door: Door, tmp_path: Path, clock: Clock) -> Integrator:
    made = Integrator(kestrel, settings, EmbeddedSage(tmp_path / "sage.db", None), clock)
    made.connect(door.address)
    made.look()
    return made


class Office:
    """One job of its own, on which people in Procore and an approver act as an example says."""

    def __init__(self, integrator: Integrator, door: Door, number: str) -> None:
        self.integrator, self.door, self.number = integrator, door, number
        self.company, self.types = integrator.procore.company, integrator.kestrel.types
        self.project = self.company.add_project(number, "Job")
        self.parent = self.company.add_cost_code(self.project, "03", "Concrete")
        self.codes: dict[str, Record] = {}
        self.requests: list[Record] = []

    def do(self, step: str) -> None:
        act, _, rest = step.partition(" ")
        match act:
            case "tick":
                self._tick(rest)
            case "send":
                self.door.is_open = rest != "unheard"
                self.requests.append(self.integrator.send(self.project))
                self.integrator.procore.webhooks.wait()
                self.door.is_open = True
            case "switch":
                now = self.integrator.settings.procore_intake
                self.integrator.switch(WAYS[now is WAYS[0]])
            case "hear":
                self.integrator.hear()
            case "look":
                self.integrator.look()
            case "sync" | "reject":
                self._decide(accept=act == "sync")

    def _tick(self, code: str) -> None:
        """Add a code, or remove it where it is there."""
        self.integrator.clock.pause(1)
        if code in self.codes:
            self.company.remove(self.codes.pop(code))
        else:
            labor = [self.types["L"]]
            self.codes[code] = self.company.add_cost_code(
                self.project, code, "Concrete", types=labor, parent=self.parent
            )

    def _decide(self, *, accept: bool) -> None:
        self.integrator.clock.pause(1)
        with self.integrator.database.writing() as session:
            approver = session.scalars(select(Person).where(Person.can_push_to_accounting)).first()
            approver = approver or factories.approver(session)
            update = session.scalars(self._updates().where(RequestedUpdate.state == State.READY)).first()
            if update is None:
                return
            decide = approvals.accept if accept else partial(approvals.reject, comment="No.")
            decide(
                session,
                requested_update_id=update.id,
                revision=update.revision,
                by=factories.actor(approver),
                at=self.integrator.clock(),
                rules=RULES,
            )
        if accept:
            self.integrator.sync()

    def standing(self) -> dict[str, list[State]]:
        """The states of the requested updates that ask for each code."""
        found: dict[str, list[State]] = {}
        with self.integrator.database.reading() as session:
            query = self._updates().add_columns(RequestedLine).join(RequestedLine)
            for update, line in session.execute(query.order_by(RequestedLine.id)):
                found.setdefault(line.code.removeprefix("03-"), []).append(update.state)
        return found

    def in_sage(self) -> set[str]:
        with self.integrator.database.reading() as session:
            job = session.scalars(select(Job).where(Job.number == self.number)).one()
            return {code.removeprefix("03-") for _, code in lines.held_by_sage(session, job.id)}

    def _updates(self) -> Select[RequestedUpdate]:
        job = select(Job.id).where(Job.number == self.number).scalar_subquery()
        return select(RequestedUpdate).where(RequestedUpdate.job_id == job)


_numbers = itertools.count(100)


@pytest.mark.long
@hypothesis_settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(STEPS), max_size=9), last=st.sampled_from(WAYS))
@example(["tick 300", "hear", "send", "switch", "look"], WAYS[1])
@example(["switch", "tick 300", "send", "hear", "tick 300", "tick 400", "switch", "hear"], WAYS[0])
@example(["tick 300", "send", "hear", "tick 300", "hear", "switch", "look"], WAYS[1])
@example(["switch", "tick 300", "send unheard", "sync", "look", "reject", "send", "hear"], WAYS[1])
def test_switching_to_and_fro_loses_and_doubles_nothing(
    integrator: Integrator, door: Door, steps: list[str], last: ProcoreIntake
) -> None:
    integrator.switch(WAYS[0])
    office = Office(integrator, door, f"25-{next(_numbers)}")
    for step in steps:
        office.do(step)

    integrator.switch(last)
    office.do("send")
    office.do("hear")
    integrator.clock.pause(3601)
    office.do("look")

    standing = office.standing()
    for code in CODES:
        states = standing.get(code, [])
        assert states.count(State.READY) + states.count(State.SYNCED) <= 1, "asked for twice"
        if code in office.codes and last is ProcoreIntake.ERP_REQUESTS:
            assert State.READY in states or code in office.in_sage(), "lost"
        elif code in office.codes:
            assert states or code in office.in_sage(), "lost"
        else:
            assert State.READY not in states, "still asked for, though it left Procore"

    # the way by requests: once everything is decided, Procore waits for nothing
    integrator.switch(ProcoreIntake.ERP_REQUESTS)
    office.do("sync")
    integrator.clock.pause(3601)
    office.do("look")
    office.do("look")
    assert {integrator.detail(request)["status"] for request in office.requests} <= {
        "success",
        "rejected",
        "stale",
    }

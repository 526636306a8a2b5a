"""Facts for tests of cards and windows: one of each that is usual, and hypothesis' hostile ones."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from workflow.checks import Finding
from workflow.facts import CostCodeFacts, Counts, Found, HistoryEvent, HoldFacts, UpdateFacts
from workflow.queries import FINDINGS_SHOWN
from workflow.vocabulary import TURNED_DOWN, Event, HoldKind, Place, Rule, Severity, Standing, State

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CATEGORIES = {"E": "Equipment", "L": "Labor", "M": "Material", "S": "Subcontract"}
HOSTILE = "<!channel> & *bold* `code` <@U1> :tada:\n> quoted"


def update_facts(state: State = State.READY, **changes: Any) -> UpdateFacts:
    decided = state is not State.READY
    finished = state in (State.SYNCED, State.FAILED)
    usual = UpdateFacts(
        job_id=7,
        number="24-017",
        name="Riverside Medical Center",
        requested_update_id=12,
        state=state,
        revision=2,
        requested_by="Pat Rivera",
        requested_by_email="pat@example.com",
        requested_at=NOON,
        decided_by="Dana Whitfield" if decided and state is not State.EXPIRED else None,
        decided_at=NOON if decided else None,
        comment="Wrong phase" if state is State.REJECTED else None,
        batch="DS000003" if decided and state not in (State.ACCEPTED, *TURNED_DOWN) else None,
        exported_at=NOON if finished or state is State.EXPORTED else None,
        finished_at=NOON if finished else None,
        counts=counts(),
        holds_waiting=0,
    )
    return replace(usual, **changes)


def counts(**changes: int) -> Counts:
    usual = Counts(
        cost_codes=3,
        assignments=7,
        new_codes=2,
        new_to_sage=6,
        created=0,
        tied=0,
        already_there=0,
        failed=0,
    )
    return replace(usual, **changes)


def cost_code(code: str = "03-100", **changes: Any) -> CostCodeFacts:
    usual = CostCodeFacts(
        extra="",
        code=code,
        description="Concrete formwork",
        sage_description=None,
        standing=Standing.NEW_CODE,
        requested=("L", "M"),
        in_sage=(),
        refused=(),
    )
    return replace(usual, **changes)


def finding(message: str = "cost code 03-100: no", severity: Severity = Severity.REFUSE) -> Finding:
    return Finding(Rule.CODE_FORMAT, severity, message)


def hold(number: str = "SC-014", **changes: Any) -> HoldFacts:
    return replace(HoldFacts(HoldKind.COMMITMENT, number, "Steel erection", waiting=True), **changes)


def event(kind: Event = Event.UPDATED, place: Place = Place.SLACK, /, **facts: Any) -> HistoryEvent:
    return HistoryEvent(5, NOON, kind.value, place.value, "Dana Whitfield", facts)


_hostile = st.text(max_size=20) | st.just(HOSTILE) | st.just("&" * 60)
_short = st.text(min_size=1, max_size=20)
_findings = st.lists(
    st.builds(
        Finding, st.sampled_from(Rule), st.sampled_from(Severity), _hostile.map(lambda text: text * 30)
    ),
    max_size=FINDINGS_SHOWN,
).map(tuple)
any_cost_code = st.builds(
    CostCodeFacts,
    extra=st.just("") | _short,
    code=_short,
    description=_hostile.map(lambda text: (text * 10)[:200]),
    sage_description=st.none() | _hostile,
    standing=st.sampled_from(Standing),
    requested=st.lists(_short, min_size=1, max_size=12, unique=True).map(tuple),
    in_sage=st.lists(_short, max_size=10, unique=True).map(tuple),
    refused=st.lists(st.tuples(_short, _hostile.map(lambda text: text * 30)), max_size=4).map(tuple),
    findings=_findings,
)
any_hold = st.builds(
    HoldFacts, kind=st.sampled_from(HoldKind), number=_short, title=_hostile, waiting=st.booleans()
)
any_update = st.builds(
    update_facts,
    state=st.sampled_from(State),
    number=_short,
    name=_hostile.map(lambda text: (text * 10)[:200]),
    requested_by=_hostile,
    comment=st.none() | _hostile.map(lambda text: text * 50),
    counts=st.builds(
        counts, cost_codes=st.integers(0, 5_000), assignments=st.integers(0, 5_000), failed=st.integers(0, 9)
    ),
    found=st.builds(Found, refusing=st.integers(0, 5_000), warning=st.integers(0, 5_000), first=_findings),
)

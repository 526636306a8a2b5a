"""Everything that costbot draws in Slack, by name: for tests that hold for all of it."""

from collections.abc import Iterator
from datetime import time, timedelta
from types import SimpleNamespace
from typing import Any

from bot.blocks import (
    comparison_window,
    home_tab,
    notices,
    privilege,
    reach_words,
    request_window,
    several_windows,
    updates_window,
)
from bot.blocks.home_jobs import JobList
from bot.blocks.job_card import job_card
from bot.blocks.notices import ToldJob
from bot.blocks.notify_window import notify_window
from bot.blocks.pieces import Json, Message
from bot.blocks.several_windows import ReadyJob, Result, tick_of
from bot.blocks.unfurl import job_unfurl
from bot.listeners import strangers, usage
from bot.listeners.opening import loading
from bot.payloads import PrivilegeButton, PrivilegeRequestMark, SeveralMetadata, WindowMetadata
from tests.bot.facts import CATEGORIES, NOON, cost_code, counts, event, hold, update_facts
from workflow.acting import AlreadyDecided, Done, FirstOfTwo, Stale
from workflow.administration import AccountantReport, Administration, NearlyApprover, Undelivered
from workflow.aways import Cannot
from workflow.bursts import BurstFacts
from workflow.checks import Finding, Format, SageLimits, Surroundings, check
from workflow.comparison import Asked, InProcore, InSage, Judged, Row
from workflow.facts import FirstApprovalFacts, Found
from workflow.language import joined, later
from workflow.merge import NOT_READ_BACK, Assignment
from workflow.outbox import Backlog
from workflow.preferences import Choices, QuietHours
from workflow.privileges import Refused, Rules, explain
from workflow.queues import QueuedUpdate
from workflow.request_preview import Preview, PreviewLine
from workflow.requests import NothingNew, Requested
from workflow.tables import DataSync, Job, Person, PrivilegeRequest, RequestedUpdate
from workflow.three_places import ProcoreKnown, ThreePlaces
from workflow.vocabulary import (
    ErpPermission,
    Event,
    HoldKind,
    JobFilter,
    Notify,
    Place,
    PrivilegeAnswer,
    Refusal,
    Severity,
    Standing,
    State,
    SyncState,
    Verdict,
)

LATER = NOON + timedelta(days=3, hours=2)
CARD = "https://acme.slack.com/archives/C1/p1"
TWO = Rules(two_approvers_above=1, admin_emails=("ada@example.com", "bob@example.com"))
ACTS = [
    *("update", "reject", "take back", "send again", "update several", "request", "ask again", "hand over"),
    *("look at cost codes", "start a data sync", "ask for the privilege", "answer for the privilege"),
]


def found() -> list[Finding]:
    """One finding of every rule."""
    limits = SageLimits(
        code_format=Format((2, 4), "-", letters=False, tiers=True),
        job_format=Format((2, 3), "-", letters=False),
        code_width=7,
        job_width=4,
        extra_width=2,
        description_width=5,
        category_width=1,
        categories=frozenset({"L", "M"}),
        encoding="ascii",
        job_must_exist=True,
    )
    asked = [
        Assignment("03-3010", "L"),
        Assignment("03.3010", "LAB"),
        Assignment("é12345678", "X", "CO-1"),
        Assignment("04-1000", "L", "Q1"),
        Assignment("05-1000", "L"),
    ]
    around = Surroundings(
        job_number="24-017x",
        job_name="Riverside",
        standard={"03-3010": "Concrete", "05-1000": "Steel"},
        asked={one.code for one in asked},
        in_sage={("", "05-1000"): SimpleNamespace(description="Stahl", categories={"M"})},  # type: ignore[dict-item]
        job_known=False,
        extras=frozenset({"Q2"}),
    )
    every = [one for _, each in check(asked, limits, around) for one in each]
    return list({one.rule: one for one in every}.values())


def cards() -> Iterator[tuple[str, Message]]:
    """A job's card in every state."""
    said = found()
    refused = [one for one in said if one.severity is Severity.REFUSE]
    codes = [
        cost_code(extra="7", in_sage=("L",), sage_description="Formwork", findings=tuple(said)),
        cost_code(
            "03-200", refused=(("L", NOT_READ_BACK), ("M", later("Not sent: {why}.", why=joined(["x"]))))
        ),
    ]
    many = counts(cost_codes=20, failed=2, created=1, tied=2, already_there=3)
    holds = [hold(str(n), kind=kind) for n, kind in enumerate(HoldKind)]
    for state in State:
        for which in (
            Found(),
            Found(len(refused), 1, tuple(said[:4])),
            Found(0, 9, tuple(one for one in said if one not in refused)),
        ):
            facts = update_facts(state, found=which, counts=many, decided_for="Sam Ortiz")
            yield f"card {state} {which.refusing}", job_card(facts, codes, holds, next_sync=NOON, rules=TWO)
            yield f"unfurl {state} {which.refusing}", Message(facts.title, tuple(job_unfurl(facts, TWO)))
    first = FirstApprovalFacts("Dana Whitfield", NOON)
    for state in (State.READY, State.ACCEPTED):
        facts = update_facts(state, first_approval=first)
        yield f"card {state}, 1 of 2", job_card(facts, codes, holds[:1], next_sync=None, rules=TWO)


def windows() -> Iterator[tuple[str, Json]]:
    """Every window."""
    codes = [cost_code(in_sage=("L",), sage_description="Formwork", findings=tuple(found()))]
    codes += [cost_code("03-200", standing=standing) for standing in Standing]
    codes.append(cost_code("03-300", refused=(("L", NOT_READ_BACK),)))
    for state in State:
        yield (
            f"updates {state}",
            updates_window.updates_window(
                update_facts(state),
                codes,
                [hold(), hold("2", kind=HoldKind.BUDGET)],
                CATEGORIES,
                page=1 if state is State.SYNCED else 0,
                pages=3,
                may_update=state is State.READY,
                why_not=explain(Refusal.PRIVILEGE_MISSING, "Dana", TWO),
                channel_id="C1",
                new_since=frozenset({Assignment("03-100", "L", "")}),
                rules=TWO,
                card=CARD,
            ),
        )
    metadata = WindowMetadata(job_id=7, requested_update_id=12, revision=2, channel_id="C1")
    yield "reject", updates_window.reject_window(update_facts(), metadata)
    yield "loading", loading()
    yield from comparisons()
    yield "answer", updates_window.answer_window(notices.help_text())
    for notify in Notify:
        choices = Choices(notify, QuietHours(time(18), time(7, 15)))
        yield f"notify {notify}", notify_window(choices, time_zone="UTC", is_approver=True)
    for reason in (Refusal.PRIVILEGE_MISSING, Refusal.PERMISSION_TOO_LOW, Refusal.NO_MATCHING_PERSON):
        yield f"ask for {reason}", privilege.ask_window(PrivilegeButton(reason=reason))
    yield "decline", privilege.decline_window(request(), PrivilegeRequestMark(privilege_request_id=3))
    yield from request_steps()
    yield from several()


def comparisons() -> Iterator[tuple[str, Json]]:
    """A job in three places: every verdict, with every state of what was asked for, and nothing at all."""
    told = [Judged(one, "03-100") for one in Verdict]
    rows = [
        Row(
            Assignment(f"03-{number}", "L"),
            InProcore("Concrete", has_erp_id=number % 2 == 0, removed_at=NOON if number % 3 == 0 else None),
            Asked("Concrete", state),
            InSage("Formwork", has_category=number % 2 == 1) if number % 5 else None,
            (one,),
        )
        for number, (state, one) in enumerate((state, one) for state in State for one in told)
    ]
    alike = [Row(Assignment("04-100", str(n)), None, None, None, (told[-1],)) for n in range(40)]
    known = ThreePlaces(7, "24-017", "Riverside", ProcoreKnown(NOON, True), True, NOON, (*rows, *alike))
    for page in range(3):
        yield f"comparison {page}", comparison_window.comparison_window(known, page=page)
    for procore in (None, ProcoreKnown(None, changed_since=False), ProcoreKnown(NOON, changed_since=False)):
        for sage_read_at in (None, NOON):
            nothing = ThreePlaces(7, "24-017", "", procore, False, sage_read_at, tuple(rows[:1]))
            yield f"comparison {procore} {sage_read_at}", comparison_window.comparison_window(nothing)


def request_steps() -> Iterator[tuple[str, Json]]:
    """The request window, empty and full."""
    for full in (False, True):
        facts = request_window.RequestFacts(
            token="t",
            job=(7, "24-017") if full else None,
            picked=[("03-100", "")] if full else [],
            text="03-100 L" if full else "",
            file_name="1.csv",
            lines_in_file=2 if full else 0,
            begun_at=NOON if full else None,
        )
        yield f"request {full}", request_window.request_window(facts, [])
        yield f"request with problems {full}", request_window.request_window(facts, ["7"] * 30)
    rows = [request_window.GridRow("03-100", "", ["L"], ["M"])]
    for categories in (CATEGORIES, {str(n): str(n) for n in range(40)}):
        yield f"grid {len(categories)}", request_window.category_window("24-017", rows, categories, token="t")
    said = tuple(found())
    lines = tuple(
        PreviewLine(Assignment(f"0{n}-100", "L"), "", standing, n == 2, said)
        for n, standing in enumerate((*Standing, Standing.NEW_CODE))
    )
    for joins in (None, update_facts(), update_facts(State.FAILED)):
        read = NOON if joins else None
        preview = Preview(7, "24-017", lines, joins, read)
        yield f"preview {joins and joins.state}", request_window.preview_window(preview, token="t")
    nothing = Preview(7, "24-017", (), None, None)
    yield "preview of nothing", request_window.preview_window(nothing, token="t")


def several() -> Iterator[tuple[str, Json]]:
    """Update several: its list, its question and its results."""
    said = found()
    warned = update_facts(found=Found(0, 5, tuple(one for one in said if one.severity is Severity.WARN)))
    jobs = [
        ReadyJob(warned),
        ReadyJob(
            update_facts(requested_update_id=13, holds_waiting=1), explain(Refusal.OWN_REQUEST, "Dana", TWO)
        ),
    ]
    jobs += [ReadyJob(update_facts(requested_update_id=14, holds_waiting=2))]
    for name, listed in (("none", []), ("some", jobs)):
        yield (
            f"several {name}",
            several_windows.list_window(
                listed,
                total=100,
                pages=5,
                ticked=frozenset({tick_of(update_facts(revision=1))}),
                metadata=SeveralMetadata(channel_id="C1", page=1),
                now=LATER,
                rules=TWO,
            ),
        )
    facts = [update_facts()] * 100
    yield (
        "several confirm",
        several_windows.confirm_window(facts, facts[:2], metadata=SeveralMetadata(), rules=TWO),
    )
    yield "several results", several_windows.result_window(results())


def results() -> list[Result]:
    """One result of every kind."""
    refused = [
        Refused(reason, explain(Refusal.OWN_REQUEST, "Dana", TWO))
        for reason in (Refusal.SAGE_WOULD_REFUSE, Refusal.OWN_REQUEST)
    ]
    decisions = [
        Done(),
        FirstOfTwo(),
        AlreadyDecided(""),
        Stale((Assignment("03-100", "L"),), ""),
        *refused,
        None,
    ]
    return [Result(update_facts(requested_update_id=n), each) for n, each in enumerate(decisions)] + [
        Result(None, None)
    ]


def messages() -> Iterator[tuple[str, Message]]:
    """Everything that is neither a card nor a window."""
    yield "help", notices.help_text()
    for total in (0, 1, 50):
        rows = [update_facts(state, job_id=n) for n, state in enumerate(State)][:total]
        yield f"jobs {total}", notices.jobs_list(rows, total, heading="7", update_several=True)
        if total:
            for is_reminder in (True, False):
                yield f"digest {total} {is_reminder}", notices.digest(rows, total, is_reminder=is_reminder)
    for waiting in (0, 3):
        yield (
            f"burst {waiting}",
            notices.burst_digest(BurstFacts(id=1, began_at=NOON, jobs=40, waiting=waiting)),
        )
    happened = [one for _, one in events()]
    told = [ToldJob([one], facts=update_facts(job_id=n), card=CARD) for n, one in enumerate(happened)]
    yield "direct", notices.direct_message(told[:1], jobs=1, events=1)
    yield (
        "gathered",
        notices.noted(
            notices.direct_message(told, jobs=len(told), events=len(told)),
            reach_words.forwarded_words("Sam", NOON.date()),
        ),
    )
    for cannot in Cannot:
        yield (
            f"noted {cannot}",
            notices.noted(notices.help_text(), reach_words.not_forwarded_words("Sam", cannot)),
        )
    for name, one in events():
        yield f"event {name}", notices.thread_reply(one)
    yield "history", notices.history("24-017", [one for _, one in events()])
    yield "no history", notices.history("24-017", [])
    job = Job(number="24-017", name="")
    yield (
        "holds",
        notices.holds_list([(job, hold(str(n), kind=kind)) for n, kind in enumerate([*HoldKind] * 3)]),
    )
    yield "no holds", notices.holds_list([])
    yield "syncs", notices.syncs([data_sync(state) for state in SyncState], next_sync=None)
    yield "no syncs", notices.syncs([], next_sync=NOON)
    yield from about_people()
    for answer in (None, *PrivilegeAnswer):
        for person_id in (None, 3):
            yield f"privilege {answer} {person_id}", privilege.asked(request(answer, person_id))
    yield "privilege in Procore", privilege.asked(request(in_procore=True))
    yield from answers()


def answers() -> Iterator[tuple[str, Message]]:
    """What is said to one person alone."""
    for channel, card in (("C1", None), (None, None), ("C1", CARD)):
        for result in (
            Requested(RequestedUpdate(revision=2), 3, joined=False),
            NothingNew(RequestedUpdate()),
        ):
            yield (
                f"requested {channel} {card}",
                request_window.requested("24-017", result, channel=channel, card=card),
            )
    yield "several results told", several_windows.result_message(results())
    for text in (strangers.BUTTON, strangers.WINDOW, strangers.SHORTCUT, strangers.COMMAND):
        yield "stranger", notices.answer(text)
    for typed in ("show", "notify 7", "sho", "xyz"):
        wrong = usage.parse(typed)
        assert isinstance(wrong, usage.WrongUsage)
        yield f"usage {typed}", notices.answer(wrong.words)


def about_people() -> Iterator[tuple[str, Message]]:
    """Who somebody is, and why they may not."""
    for permission in ErpPermission:
        person = Person(
            name="Dana",
            email="d@x",
            erp_permission=permission,
            can_push_to_accounting=permission is not ErpPermission.NONE,
            active=permission is ErpPermission.ADMIN,
        )
        yield f"whoami {permission}", notices.whoami(person, None)
    for reason in (
        *(
            Refusal.NO_MATCHING_PERSON,
            Refusal.DEACTIVATED,
            Refusal.PERMISSION_TOO_LOW,
            Refusal.PRIVILEGE_MISSING,
        ),
        *(Refusal.COULD_NOT_FIND_OUT, Refusal.FROM_OUTSIDE, Refusal.OWN_REQUEST),
    ):
        for rules in (TWO, Rules()):
            why = explain(reason, "Dana", rules)
            yield f"denied {reason}", notices.denied(why, reason, can_ask=True)


def homes() -> Iterator[tuple[str, Json]]:
    """App Home, of each list and for each reader."""
    row = QueuedUpdate(
        update_facts(State.FAILED, holds_waiting=1, counts=counts(failed=4)),
        ((Assignment("03-100", "L"), NOT_READ_BACK),),
    )
    report = AccountantReport(
        ("Dana",) * 5,
        9,
        tuple(
            NearlyApprover("Tom", "t@x", lacks)
            for lacks in (Refusal.PRIVILEGE_MISSING, Refusal.PERMISSION_TOO_LOW)
        ),
        9,
        NOON,
    )
    trouble = Administration(report, Backlog(4, NOON, 2), (Undelivered("7", 3, 1, NOON),), ("1.jce",))
    nobody = Administration(AccountantReport((), 0, (), 0), Backlog(0, None, 0), (), ())
    syncs = home_tab.Syncs(NOON, data_sync(SyncState.FINISHED), NOON)
    ready = QueuedUpdate(
        update_facts(requested_update_id=31, found=Found(9, 0, tuple(found()[:2])), holds_waiting=3)
    )
    for which in JobFilter:
        for rows, search, page in (
            ((), "", 0),
            ((), "7", 0),
            ((row, ready, QueuedUpdate(update_facts(State.REJECTED, requested_update_id=32))), "", 1),
        ):
            jobs = JobList(which, search, page, rows, goes_on=page > 0, ready=30)
            for company in (None, trouble, nobody):
                facts = home_tab.HomeFacts(
                    jobs,
                    failed=3,
                    syncs=syncs,
                    may_update=company is not None,
                    why_not=explain(Refusal.PRIVILEGE_MISSING, "Dana", TWO),
                    turned_down=[
                        QueuedUpdate(update_facts(State.EXPIRED, requested_update_id=40 + n))
                        for n in range(4)
                    ],
                    administration=company,
                )
                yield f"home {which} {page} {search}", home_tab.home_tab(facts, now=LATER, rules=TWO)
    yield "closed home", _closed_home()


def _closed_home() -> Any:
    why = explain(Refusal.FROM_OUTSIDE, "Dana", TWO)
    return home_tab.closed_home(why, Refusal.FROM_OUTSIDE, can_ask=True)


def events() -> Iterator[tuple[str, Any]]:
    """Every audit event, with the facts that make its sentence longest."""
    lines = {"created": 1, "tied": 2, "already_there": 3, "failed": 1}
    facts: dict[str, Any] = {
        "revision": 2,
        "seen": 1,
        "added": 3,
        "assignments": [["", "03-100", "L"]],
        "hours": 9,
        "days": 30,
        "jobs": 5,
        "rows": 7,
        "oldest": ["24-017"],
        "holds": ["commitment SC-1", "budget B-2"],
        "kind": "prime_contract",
        "number": "PC-1",
        "reason": Refusal.PRIVILEGE_MISSING.value,
        "what": "standard codes",
        "channel": "C0123",
        "quiet": "18:00 to 07:00",
        "to": ["24-017"],
        "lines": lines,
        "batch": "DS000003",
        "act": "update",
        "first_day": "2026-12-01",
        "last_day": "2026-12-02",
        "words": "7",
        "comment": "7",
        "file": "1.jce",
        "person": "Sam",
        "delegate": "Sam",
        "user_id": "U1",
        "source": "1.csv",
        "standing_in_for": ["Sam"],
    }
    for kind in Event:
        yield kind.value, event(kind, **facts)
    for act in ACTS:
        yield f"may not {act}", event(Event.REFUSED, **facts | {"act": act})
    for reason in Refusal:
        yield f"refused: {reason}", event(Event.REFUSED, **facts | {"reason": reason.value})
    for what in ("people", "jobs", "categories", "standard codes"):
        yield f"imported {what}", event(Event.IMPORTED, Place.COMMAND_LINE, **facts | {"what": what})
    for notify in Notify:
        yield f"chose {notify}", event(Event.NOTIFY_CHOSEN, **facts | {"notify": notify.value, "quiet": None})
    for code in ("not_in_channel", "is_archived", "restricted_action", "channel_not_found"):
        yield f"channel {code}", event(Event.CHANNEL_CLOSED, code=code)
    for kind, more in (
        (Event.REQUESTED, {"again": True}),
        (Event.SENT_AGAIN, {"added": 0}),
        (Event.UPDATED, {"first": "Sam"}),
        (Event.ESCALATED, {"to": []}),
        (Event.PRIVILEGE_GRANTED, {"answer": "granted"}),
    ):
        yield f"{kind} {more}", event(kind, **facts | more)


def data_sync(state: SyncState) -> DataSync:
    """A data sync by file."""
    return DataSync(
        id=3,
        state=state,
        started_at=NOON,
        sent_at=NOON,
        finished_at=LATER if state is SyncState.FINISHED else None,
        alerted_at=NOON,
        jobs=2,
        created=4,
        tied=1,
        already_there=0,
        failed=1,
        file="1.jce",
        file_sha256="0" * 64,
    )


def request(
    answer: PrivilegeAnswer | None = None, person_id: int | None = 3, *, in_procore: bool = False
) -> PrivilegeRequest:
    """A request for the privilege."""
    person = Person(id=3, name="Tom", email="t@x") if person_id else None
    return PrivilegeRequest(
        id=3,
        asker="Tom",
        person=person,
        lacks=Refusal.PRIVILEGE_MISSING,
        reason="7",
        in_procore=in_procore,
        asked_at=NOON,
        answer=answer,
        answered_by=None,
        answered_at=NOON if answer else None,
        comment="7",
    )


def everything() -> Iterator[tuple[str, Message | Json]]:
    """All of it."""
    yield from cards()
    yield from windows()
    yield from homes()
    yield from messages()

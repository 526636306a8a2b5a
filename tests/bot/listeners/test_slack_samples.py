"""All that Slack says it sends, with junk in it: answered, nothing broken, nothing changed.

What follows the ack is done before the answer, and read: what is told to people, the log, and every row of a
company that has something to lose.
"""

import itertools
import json
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import select
from structlog.typing import EventDict

from bot.blocks.notices import COMMANDS
from bot.bot_process import SocketMode
from bot.payloads import Action, Shortcut, Window
from bot.sandbox import sample_company
from bot.sandbox.app import wired
from bot.sandbox.client import NO_AUTHORITIES, Message, Person, Sandbox
from bot.sandbox.server import running
from bot.sandbox.sockets import Sockets
from bot.sandbox.web_api import WebApi
from bot.sandbox.workspace import APP_TOKEN, CHANNEL_ID, TEAM_ID, Workspace
from tests import factories
from tests.bot.junk import BARE, JUNK, ODD, spoiled
from tests.bot.listeners.conftest import Office
from tests.bot.listeners.slack_sends import DRAFT, HOW_IT_COMES, NOBODIES, PUBLIC, Sent, sent_by_slack
from tests.bot.many.town import settle
from tests.bot.signing import posted
from tests.bot.slack_samples import ENVELOPES, SAMPLES, dressed
from tests.bot.threads import AtOnce
from tests.factories import NINE
from tests.workflow.everything import raw
from workflow import drafts, privilege_requests
from workflow.drafts import Content
from workflow.tables import AuditEvent, AuditHead, RequestDraft, SeenDelivery
from workflow.vocabulary import Event

MUCH = examples(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
FEWER = examples(MUCH, max_examples=max(MUCH.max_examples // 3, 1))

REFUSALS = {Event.REFUSED, Event.PERSON_LINKED}
"""What is put on record of people who did nothing but come."""
REMEMBERED = {
    AuditHead.__tablename__,
    SeenDelivery.__tablename__,  # so that nothing is handled twice
    "slack_links",  # who somebody is, the first time that they come
    "home_views",  # where they left their App Home
}
"""Tables that may have other rows after a request came to nothing; of the trail each event is looked at."""

TOLD: dict[str, tuple[str, ...]] = {
    "app_uninstalled": (Event.SLACK_REMOVED,),
    "tokens_revoked": (Event.SLACK_REMOVED,),
    "function_executed": ("workflow_steps", "workflow_steps.outputs", "outbox"),
}
"""What Slack tells costbot, which is put on record or answered whoever acts."""
OWN: dict[str, tuple[str, ...]] = {
    Window.NOTIFY: ("notify_choices", Event.NOTIFY_CHOSEN),
    Action.SYNC_NOW: (Event.SYNC_ASKED, "schedule_slots"),
} | dict.fromkeys(
    [
        *Shortcut,
        Action.ASK_AGAIN,
        Action.CHANGE_REQUEST,
        Action.START_OVER,
        Window.REQUEST,
        Window.CATEGORIES,
    ],
    (RequestDraft.__tablename__,),
)
OWN |= dict.fromkeys(
    [Action.UPDATE, Window.UPDATES, Window.REJECT, Window.SEVERAL_CONFIRM], (Event.STALE, "outbox")
)
"""All that people of the directory may change: their own; an older revision has the card redrawn."""

Json = dict[str, Any]


@dataclass
class Slack:
    """Slack, and a company that has something to lose: what was changed, told and logged."""

    office: Office
    workspace: Workspace
    web_api: WebApi
    logged: list[EventDict]
    caplog: pytest.LogCaptureFixture
    http: httpx.Client
    before: dict[str, list[Any]]
    count: Iterator[int] = field(default_factory=itertools.count)

    def real(self, sent: Sent) -> Json:
        """What is sent, as a delivery of its own and with a trigger that is good."""
        with self.office.database.reading() as session:
            drafts = session.scalars(select(RequestDraft.token)).all()
        fresh, answer = next(self.count), f"{self.office.sandbox.url}/response/none"
        names = {
            "Ev0SAMPLE": f"Ev{fresh}",
            "Fx0SAMPLE": f"Fx{fresh}",
            "1.1.sample": self.workspace.modals.trigger(sent.who),
            DRAFT: json.dumps({"token": next(iter(drafts), "none")}),
            "https://hooks.slack.com/actions/T0SAMPLE/1/sample": answer,
            "https://hooks.slack.com/commands/T0SAMPLE/1/sample": answer,
        }
        payload: Json = dressed(sent.payload, names)
        return payload

    def post(self, kind: str, payload: Json) -> str:
        """Bring a request of that kind, signed; the answer, when what follows the ack is over."""
        answer = self.http.post("/slack/events", **posted(kind, payload))
        assert answer.status_code in (200, 400)
        return answer.text

    def check(self, answer: str, *may_change: str) -> None:
        """Nothing broke or was changed by the last request, and people read whole sentences."""
        told = [answer, *(json.dumps(call.arguments) for call in self.web_api.calls)]
        broken = [line for line in self.logged if line["log_level"] == "error" or "exc_info" in line]
        records = [
            record.getMessage()
            for record in self.caplog.records
            if record.levelname == "ERROR" and record.name != "slack_sdk.socket_mode"  # of what is no JSON
        ]
        self.web_api.calls.clear()
        self.logged.clear()
        self.caplog.clear()
        assert [
            line for line in broken if line["event"] != "nothing could be said to the person who acted"
        ] == []
        assert records == []
        assert [words for words in told if BARE.search(words)] == []
        assert self.changed() <= REMEMBERED | set(may_change)

    def changed(self) -> set[str]:
        """The tables that have other rows than before; of the trail, the events that are no refusals."""
        before, self.before = self.before, raw(self.office.database)
        found = {name for name, rows in self.before.items() if rows != before[name]}
        if "audit_events" in found:
            found -= {"audit_events", "audit_events.facts"}
            kept = len(before["audit_events"])
            with self.office.database.reading() as session:
                new = session.scalars(select(AuditEvent.event).where(AuditEvent.seq > kept))
                found |= set(new) - REFUSALS
        return found


@pytest.fixture
def settings() -> Json:
    return {
        "admin_email": sample_company.ADMIN_WITHOUT_PRIVILEGE,
        "public_url": PUBLIC,
        "slack_app_token": APP_TOKEN,
    }


@pytest.fixture
def workspace() -> Workspace:
    return Workspace(sample_company.slack_users(), trigger_seconds=60)


@pytest.fixture
def sockets(workspace: Workspace) -> Sockets:
    return Sockets(workspace.changed)


@pytest.fixture
def web_api(workspace: Workspace, sockets: Sockets) -> WebApi:
    return WebApi(workspace, sockets.url)


@pytest.fixture
def sandbox(workspace: Workspace, web_api: WebApi, sockets: Sockets) -> Iterator[Sandbox]:
    with running(wired(workspace, web_api, sockets, ack_seconds=60)) as url:
        client = Sandbox(url)
        yield client
        client.close()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows the ack is done within the request, and waits for no window that is not there."""
    monkeypatch.setattr("bot.app.ThreadPoolExecutor", AtOnce)
    monkeypatch.setattr("bot.answering.RESULT_SECONDS", 0.0)


@pytest.fixture
def slack(
    at_once: None,
    office: Office,
    workspace: Workspace,
    web_api: WebApi,
    logged: list[EventDict],
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Slack]:
    """A company with jobs in three states, a contract that waits, a draft and a request for the privilege."""
    site = office.site
    decided, turned_down = site.another_job("24-018", "Bus Depot"), site.another_job("24-019")
    site.accept(site.ask("03-300 L", job=decided))
    site.reject(site.ask("03-300 L", job=turned_down, by=office.tom))
    site.hold()
    with office.database.writing() as session:
        rules, by = office.settings.rules, factories.actor(office.tom)
        privilege_requests.ask(session, reason="I am new", by=by, at=NINE, rules=rules)
        content = Content(picked=("03-300",), text="03-300 L")
        drafts.save(session, by, content, job_id=office.job_id, at=NINE)
    with httpx.Client(base_url=office.url, timeout=60, verify=NO_AUTHORITIES) as http:
        yield Slack(office, workspace, web_api, logged, caplog, http, raw(office.database))


def allowed(who: str, payload: Json) -> set[str]:
    """What this request of theirs may change."""
    text, acts = json.dumps(payload), TOLD if who in NOBODIES else TOLD | OWN
    return {table for act, tables in acts.items() if f'"{act}"' in text for table in tables}


def test_whatever_slack_publishes_with_junk_in_it_breaks_tells_and_changes_nothing(slack: Slack) -> None:
    @given(sent_by_slack())
    @MUCH
    def check(sent: Sent) -> None:
        payload = slack.real(sent)
        slack.check(slack.post(sent.kind, payload), *allowed(sent.who, payload))

    check()


def test_each_payload_that_slack_publishes_is_lived_through_as_it_is(slack: Slack) -> None:
    for kind, samples in SAMPLES.items():
        for sample in samples.values():
            known = dressed(sample, {"T0SAMPLE": TEAM_ID, "C0SAMPLE": CHANNEL_ID, "U0SAMPLE": "U0NOBODY"})
            payload = slack.real(Sent(kind, "U0NOBODY", known))
            slack.check(slack.post(kind, payload), *allowed("U0NOBODY", payload))


def test_an_approvers_button_that_says_something_else_updates_nothing(slack: Slack, card: Message) -> None:
    drawn = card.element("Update")
    said = json.loads(drawn["value"])
    other = st.fixed_dictionaries(dict.fromkeys(said, JUNK)).filter(lambda value: value != said)
    values = st.text(max_size=50) | other.map(json.dumps) | st.just(json.dumps(said | {"revision": 2**80}))

    def click(value: str) -> Json:
        clicked = dressed(
            SAMPLES["interactive"]["block_actions_on_a_message"],
            {
                "sample:action": drawn["action_id"],
                "sample:value": value,
                "U0SAMPLE": "U0DANA",
                "T0SAMPLE": TEAM_ID,
                "C0SAMPLE": CHANNEL_ID,
            },
        )
        return slack.real(Sent("interactive", "U0DANA", clicked))

    @given(values)
    @FEWER
    def check(value: str) -> None:
        slack.check(slack.post("interactive", click(value)), Event.STALE, "outbox")

    check()
    # and the button as it was drawn works
    slack.post("interactive", click(drawn["value"]))
    assert Event.UPDATED in slack.changed()


def test_whatever_is_typed_after_the_command_is_answered_and_decides_nothing(slack: Slack) -> None:
    verbs = [usage.split()[0] for usage in COMMANDS]
    words = st.lists(
        st.sampled_from([*verbs, "24-017", "all", "off", "@tom", "<@U0TOM|tom>", "2026-12-01..2026-13-99"])
        | st.text(string.printable, max_size=12),
        max_size=4,
    ).map(" ".join)
    typed = dressed(
        SAMPLES["slash_commands"]["slash_command"],
        {"T0SAMPLE": TEAM_ID, "C0SAMPLE": CHANNEL_ID, "U0SAMPLE": "U0DANA", "/sample": "/costcodes"},
    )

    @given(words | st.text(max_size=60) | st.sampled_from(ODD))
    @MUCH
    def check(text: str) -> None:
        payload = slack.real(Sent("slash_commands", "U0DANA", typed | {"text": text}))
        own = {Event.SYNC_ASKED, "schedule_slots"} if text.lower().split()[:1] == ["sync"] else set()
        slack.check(slack.post("slash_commands", payload), "request_drafts", *own)

    check()


# the socket's own threads draw the masks of its frames, when they like
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
def test_whatever_comes_by_socket_mode_is_lived_through_and_changes_nothing(
    slack: Slack, dana: Person
) -> None:
    mode = SocketMode(slack.office.app, slack.office.settings)
    mode.start()
    slack.office.sandbox.switch(events_url=None)
    slack.office.sandbox.wait_for_bot()
    workers = mode._handler.client.message_workers

    # by `disconnect` the client comes back another way, which is tested with the bot's process
    kinds = [envelope for name, envelope in ENVELOPES.items() if name != "disconnect"]
    envelopes = st.sampled_from(kinds).flatmap(spoiled)

    @given(sent_by_slack(), envelopes, HOW_IT_COMES)
    @FEWER
    def check(sent: Sent, envelope: Json, comes: Callable[[str], str]) -> None:
        payload = slack.real(sent)
        inner = {"payload": payload} if envelope.get("payload") == {} else {}
        slack.office.sandbox.say_by_sockets(comes(json.dumps(envelope | inner)))
        # what comes next is answered, so this one was begun; and with all threads free it is over
        assert dana.slash("/costcodes help").error is None
        settle(workers)
        slack.check("", *allowed(sent.who, payload))

    try:
        check()
    finally:
        mode.stop()

"""Slack's payloads with junk in them, and whatever people may type: nothing breaks and nobody decides by it.

The payloads are those that the sandbox sends for real clicks, in the shapes of Slack's published samples
(slackapi/java-slack-sdk, json-logs/samples/app-backend), with anything put anywhere.
"""

import json
import string
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from structlog.typing import EventDict

from bot.blocks.notices import COMMANDS
from bot.sandbox.client import NO_AUTHORITIES, Message, Person
from tests.bot.listeners.conftest import Office
from tests.bot.signing import places, signed
from tests.bot.threads import AtOnce
from workflow.tables import RequestedLine, RequestedUpdate
from workflow.vocabulary import State

JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40)
    | st.sampled_from(["\x00", "x" * 5_000, "<!channel>", "24-017", "'; DROP TABLE jobs; --", "{}", "[]"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
MUCH = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

Json = dict[str, Any]
Post = Callable[[str, Json], int]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows the ack is done within the request, so that the answer says that it is over."""
    monkeypatch.setattr("bot.app.ThreadPoolExecutor", AtOnce)


@pytest.fixture
def post(office: Office) -> Iterator[Post]:
    """Post a payload of one of Slack's kinds to the bot, signed; the status of its answer."""
    client = httpx.Client(base_url=office.url, timeout=60, verify=NO_AUTHORITIES)

    def send(kind: str, payload: Json) -> int:
        if kind == "events_api":
            asked = signed(json.dumps(payload))
        else:
            form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
            asked = signed(
                urlencode(form, errors="replace"), Content_Type="application/x-www-form-urlencoded"
            )
        return client.post("/slack/events", **asked).status_code

    with client:
        yield send


@pytest.fixture
def nothing_broke(logged: list[EventDict]) -> Callable[[], None]:
    """No traceback so far: an error with one is a fault of costbot, whatever came in."""

    def check() -> None:
        broken = [line for line in logged if line["log_level"] == "error" and "exc_info" in line]
        assert not [line for line in broken if line["event"] != "a request was not understood"]

    return check


def standing(office: Office) -> tuple[Any, ...]:
    """Every requested update with where it stands, and how many lines there are."""
    with office.database.reading() as session:
        updates = session.execute(
            select(RequestedUpdate.id, RequestedUpdate.state, RequestedUpdate.revision).order_by(
                RequestedUpdate.id
            )
        ).all()
        return (*updates, session.scalar(select(func.count()).select_from(RequestedLine)))


def deliveries_of(office: Office, who: Person, card: Message) -> list[tuple[str, Json]]:
    """What Slack sends for a day's work of one person: clicks, windows, commands, App Home."""
    who.slash("jobs")
    who.open_home()
    who.click("View Requested Updates", card)
    who.click("Update", card)
    who.slash("/costcodes request 24-017")
    kept = [(one["kind"], one["payload"]) for one in office.sandbox.deliveries()]
    assert {kind for kind, _ in kept} == {"slash_commands", "interactive", "events_api"}
    return kept


def with_junk(payload: Json, way: tuple[Any, ...], junk: Any) -> Json:
    """The payload with junk at that place, or without the place where `junk` is ..."""
    wrong = deepcopy(payload)
    place: Any = wrong
    for name in way[:-1]:
        place = place[name]
    if junk is ...:
        del place[way[-1]]
    else:
        place[way[-1]] = junk
    return wrong


def test_junk_anywhere_in_what_somebody_without_the_privilege_does_breaks_and_changes_nothing(
    office: Office, card: Message, tom: Person, post: Post, nothing_broke: Callable[[], None]
) -> None:
    kept = deliveries_of(office, tom, card)
    before = standing(office)
    everywhere = [(index, way) for index, (_, payload) in enumerate(kept) for way in places(payload)]

    @given(st.sampled_from(everywhere), JUNK | st.just(...), st.uuids())
    @MUCH
    def check(where: tuple[int, tuple[Any, ...]], junk: Any, fresh: Any) -> None:
        index, way = where
        kind, payload = kept[index]
        # each is a delivery of its own, else the bot would pass over it as seen before
        anew = payload | {name: str(fresh) for name in ("trigger_id", "event_id") if name in payload}
        wrong = with_junk(anew, way, junk)
        if kind == "slash_commands":
            wrong = {name: value if isinstance(value, str) else repr(value) for name, value in wrong.items()}
        assert post(kind, wrong) in (200, 400)

    check()
    nothing_broke()
    assert standing(office) == before


def test_an_approvers_button_that_says_something_else_updates_nothing(
    office: Office, card: Message, dana: Person, post: Post, nothing_broke: Callable[[], None]
) -> None:
    dana.click("View Requested Updates", card)
    [sent] = [one["payload"] for one in office.sandbox.deliveries() if one["kind"] == "interactive"]
    said = json.loads(sent["actions"][0]["value"])
    before = standing(office)
    other = st.fixed_dictionaries(dict.fromkeys(said, JUNK)).filter(lambda value: value != said)

    @given(st.text(max_size=50) | other.map(json.dumps) | st.just(json.dumps(said | {"revision": 2**80})))
    @MUCH
    def check(value: str) -> None:
        click = sent["actions"][0] | {"action_id": "job:update", "value": value}
        anew = sent | {"actions": [click], "trigger_id": f"t{hash(value)}"}
        assert post("interactive", anew) in (200, 400)

    check()
    nothing_broke()
    assert standing(office) == before
    # and the button as it was drawn works
    as_drawn = sent["actions"][0] | {"action_id": "job:update", "value": json.dumps(said)}
    assert post("interactive", sent | {"actions": [as_drawn], "trigger_id": "t.good"}) == 200
    assert office.state() is State.ACCEPTED


def test_whatever_is_typed_after_the_command_is_answered_and_decides_nothing(
    office: Office, card: Message, dana: Person, post: Post, nothing_broke: Callable[[], None]
) -> None:
    dana.slash("/costcodes help")
    [sent] = [one["payload"] for one in office.sandbox.deliveries()]
    before = standing(office)
    verbs = [usage.split()[0] for usage in COMMANDS]
    words = st.lists(
        st.sampled_from([*verbs, "24-017", "all", "off", "@tom", "<@U0TOM|tom>", "2026-12-01..2026-13-99"])
        | st.text(string.printable, max_size=12),
        max_size=4,
    ).map(" ".join)

    @given(words | st.text(max_size=60), st.uuids())
    @MUCH
    def check(text: str, fresh: Any) -> None:
        assert post("slash_commands", sent | {"text": text, "trigger_id": str(fresh)}) == 200

    check()
    nothing_broke()
    assert standing(office) == before

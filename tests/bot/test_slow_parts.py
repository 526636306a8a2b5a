"""A part that hangs, neither answering nor failing: whoever watches costbot is answered all the same."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count

import httpx
import pytest

from bot.http import LINKS_AT_ONCE, http_app
from bot.identity import Identity
from bot.many import trouble_of
from bot.metrics import KEPT_SECONDS, Metrics, Watched
from bot.sandbox.client import NO_AUTHORITIES
from bot.sandbox.server import running
from bot.slow_parts import OneAtATime, Question, answers
from tests.e2e.tree import wait_until
from tests.factories import NINE, later
from workflow import directory
from workflow.database import Database
from workflow.settings import Settings

SHORT = 0.2
LONG = 90.0


@pytest.fixture
def hanging() -> Iterator["Hanging"]:
    part = Hanging()
    yield part
    part.mended.set()


class Hanging:
    """A part that says nothing until it is mended, and then that all is well."""

    def __init__(self) -> None:
        self.mended = threading.Event()
        self.asked = 0

    def __call__(self) -> str | None:
        self.asked += 1
        assert self.mended.wait(LONG)
        return None


def test_readiness_is_told_while_a_part_hangs_which_is_asked_once_for_all(hanging: Hanging) -> None:
    parts = {"ready": {"database": hanging}, "notes": {"redis": lambda: None}}
    web = http_app(None, takes_events=False, **parts, patience=SHORT)  # type: ignore[arg-type]
    with running(web) as url, httpx.Client(base_url=url, verify=NO_AUTHORITIES) as client:

        def said() -> tuple[int, dict[str, str]]:
            answer = client.get("/readyz")
            return answer.status_code, answer.json()

        wait_until(
            lambda: said() == (503, {"database": "does not answer", "redis": "ok"}),
            "a part that answers is heard",
        )
        assert said()[0] == 503
        assert hanging.asked == 1
        hanging.mended.set()
        wait_until(lambda: said() == (200, {"database": "ok", "redis": "ok"}), "a part that answers is heard")


def test_links_that_are_followed_while_slack_hangs_keep_no_thread_from_others(hanging: Hanging) -> None:
    more_than_anyios_threads = 50
    web = http_app(
        None,  # type: ignore[arg-type]
        takes_events=False,
        ready={"database": lambda: None},
        card_of=lambda _number: hanging(),
    )

    async def readiness() -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://bot") as client:
            links = [asyncio.create_task(client.get(f"/jobs/{n}")) for n in range(more_than_anyios_threads)]
            try:
                while hanging.asked < LINKS_AT_ONCE:
                    await asyncio.sleep(0.01)
                return (await asyncio.wait_for(client.get("/readyz"), LONG / 3)).status_code
            finally:
                hanging.mended.set()
                assert [answer.status_code for answer in await asyncio.gather(*links)] == [404] * len(links)

    with ThreadPoolExecutor(1) as apart:  # where no browser of another test has a loop of its own
        assert apart.submit(lambda: asyncio.run(readiness())).result() == 200


def test_on_a_host_for_many_one_company_s_part_that_hangs_is_that_company_s_trouble(
    hanging: Hanging,
) -> None:
    check = trouble_of({"alpha": {"database": hanging}, "beta": {"database": lambda: None}}, patience=SHORT)
    wait_until(lambda: check() == "1 of 2 have trouble; the log says which", "a part that answers is heard")
    hanging.mended.set()
    wait_until(lambda: check() is None, "a part that answers is heard")


def test_a_company_whose_database_hangs_holds_up_nobody_s_figures(
    hanging: Hanging, sqlite_url: str, redis_url: str
) -> None:
    class Slow(Watched):
        def vitals(self, at: object) -> None:
            hanging()

    settings = [Settings(_env_file=None, redis_url=redis_url, company=name) for name in ("alpha", "beta")]
    with closing(Database(sqlite_url)) as database:
        companies = [Slow(settings[0], database), Watched(settings[1], database)]
        metrics = Metrics(
            companies,
            slack_connected=None,
            clock=lambda: later(60),
            monotonic=count(0.0, KEPT_SECONDS).__next__,
            patience=SHORT,
        )
        others = (
            'costbot_redis_up{company="alpha"} 1.0',
            'costbot_database_up{company="beta"} 1.0',
            'costbot_requested_updates{company="beta",state="ready"} 0.0',
        )
        wait_until(
            lambda: all(figure in metrics.text().decode() for figure in others),
            "a part that answers is heard",
        )
        assert 'costbot_database_up{company="alpha"} 0.0' in metrics.text().decode()


def test_what_a_question_raises_is_raised_to_who_asked() -> None:
    with pytest.raises(ZeroDivisionError):
        answers({"part": Question(lambda: 1 / 0)}, seconds=LONG)


def test_while_the_database_hangs_clicks_of_many_hold_one_thread_and_do_not_wait(
    hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(_session: object, user_id: str) -> str:
        hanging()
        return f"language of {user_id}"

    monkeypatch.setattr(directory, "language_in_slack", hang)
    started: list[threading.Thread] = []
    start = threading.Thread.start

    def counted(thread: threading.Thread) -> None:
        started.append(thread)
        start(thread)

    with closing(Database("sqlite://")) as database:
        identity = Identity(None, database, clock=lambda: NINE)  # type: ignore[arg-type]
        with ThreadPoolExecutor(8) as clicks:
            told = [clicks.submit(identity.language, f"U{n}", within=SHORT) for n in range(8)]
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", counted)
            for _ in range(8):
                with pytest.raises(TimeoutError):
                    identity.language("U1", within=LONG)
        assert [type(each.exception()) for each in told] == [TimeoutError] * 8
        wait_until(lambda: hanging.asked > 0, "the one question")
        assert (hanging.asked, started) == (1, [])
        hanging.mended.set()
        wait_until(lambda: _language(identity) == "language of U1", "a part that answers is heard")


def _language(identity: Identity) -> str | None:
    try:
        return identity.language("U1", within=LONG)
    except TimeoutError:
        return None


def test_clicks_at_once_each_learn_their_own_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "language_in_slack", lambda _session, user_id: f"language of {user_id}")
    users = [f"U{n}" for n in range(8)]
    with closing(Database("sqlite://")) as database, ThreadPoolExecutor(8) as clicks:
        identity = Identity(None, database, clock=lambda: NINE)  # type: ignore[arg-type]
        told = list(clicks.map(lambda user: identity.language(user, within=LONG), users))
    assert told == [f"language of {user}" for user in users]


def test_what_a_question_that_has_its_turn_raises_is_raised_and_the_next_one_is_asked() -> None:
    part = OneAtATime[float]()
    with pytest.raises(ZeroDivisionError):
        part.answer(lambda: 1 / 0, seconds=LONG)
    assert part.answer(lambda: 1.0, seconds=LONG) == 1.0


def test_where_there_was_no_thread_to_ask_in_it_is_asked_the_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    part = Question(lambda: "all is well")

    def cannot(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", cannot)
        with pytest.raises(RuntimeError):
            part.asked()

    assert answers({"part": part}, seconds=LONG) == {"part": "all is well"}


def test_without_a_thread_for_it_a_question_leaves_its_turn_to_the_next_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    part = OneAtATime[str]()

    def cannot(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", cannot)
        with pytest.raises(RuntimeError):
            part.answer(lambda: "never", seconds=LONG)

    assert part.answer(lambda: "all is well", seconds=LONG) == "all is well"

"""Logs: one form for costbot and its libraries, and no secret in any of them."""

import io
import json
import logging
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bot import logs
from tests import line


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    with line.logs_as_before():
        yield


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_where_nobody_looks_at_a_terminal() -> None:
    stream = io.StringIO()
    logs.configure("info", process="worker", stream=stream)

    structlog.get_logger("sync").info("data sync finished", batch="DS000001")

    [said] = lines(stream)
    assert said["event"] == "data sync finished"
    assert (said["batch"], said["level"], said["process"], said["logger"]) == (
        "DS000001",
        "info",
        "worker",
        "sync",
    )
    assert str(said["timestamp"]).endswith("Z")


def test_a_logger_without_a_name_is_told_by_its_module() -> None:
    stream = io.StringIO()
    logs.configure("info", stream=stream)

    structlog.get_logger().info("here")

    assert [line["logger"] for line in lines(stream)] == [__name__]


def test_at_debug_costbot_and_its_libraries_tell_everything() -> None:
    stream = io.StringIO()
    logs.configure("debug", stream=stream)

    structlog.get_logger("bot").debug("for whoever looks closely")
    logging.getLogger("some.library").debug("chatter")

    assert [line["level"] for line in lines(stream)] == ["debug", "debug"]


def test_a_stream_that_is_gone_stops_nobody() -> None:
    stream = io.StringIO()
    logs.configure("info", stream=stream)
    stream.close()

    structlog.get_logger("bot").info("nobody hears this")


def test_libraries_speak_in_the_same_form_and_only_from_a_warning_on(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    logs.configure("info", stream=stream)

    logging.getLogger("rq.worker").warning("lost %s", "job")
    monkeypatch.setattr(logging.getLogger("rq.worker"), "level", logging.INFO)
    logging.getLogger("rq.worker").info("chatter")

    assert [line["event"] for line in lines(stream)] == ["lost job"]


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-1234567890-abcDEF",
        "xapp-1-A012-345-abcdef",
        "xoxe-1-My0xLWFiY2RlRg-abcDEF",
        "xoxe.xoxb-1-A012-abcDEF",
        "xoxe.xoxp-1-A012-abcDEF",
        "postgresql+psycopg://costbot:hunter2@db/costbot",
        "redis://:hunter2@redis:6379/0",
    ],
)
def test_a_secret_is_masked_wherever_it_stands(secret: str) -> None:
    stream = io.StringIO()
    logs.configure("info", stream=stream)
    log = structlog.get_logger("bot")

    log.info(f"saying {secret} aloud", fact=secret, facts={"inner": [secret]})
    logging.getLogger("sqlalchemy").warning("cannot connect to %s", secret)
    try:
        raise ValueError(secret)
    except ValueError:
        log.exception("failed")

    assert len(lines(stream)) == 3
    for word in ("hunter2", "abcDEF", "A012", "abcdef", "My0x"):
        assert word not in stream.getvalue()


@given(secret=st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=40))
def test_a_secret_of_the_settings_is_masked_however_it_is_written(secret: str) -> None:
    stream = io.StringIO()
    logs.configure("info", secrets=[secret], stream=stream)
    log = structlog.get_logger("bot")

    log.info("before", said=secret, facts={"inner": [secret]}, quoted=quote(secret, safe=""))
    log.info("before", shown=repr(secret), body=json.dumps({"told": secret}))

    first, second = lines(stream)
    assert (first["said"], first["facts"], first["quoted"]) == ("***", {"inner": ["***"]}, "***")
    assert (str(second["shown"])[1:-1], second["body"]) == ("***", '{"told": "***"}')


def test_what_is_too_short_for_a_secret_takes_no_other_word_apart() -> None:
    stream = io.StringIO()
    logs.configure("info", secrets=["", "costbot"], stream=stream)

    structlog.get_logger("bot").info("costbot runs", database="postgresql://costbot:costbot@db/costbot")

    [said] = lines(stream)
    assert (said["event"], said["database"]) == ("costbot runs", "postgresql://costbot:***@db/costbot")


def test_what_is_below_the_level_is_not_said() -> None:
    stream = io.StringIO()
    logs.configure("warning", stream=stream)

    structlog.get_logger("bot").info("quiet")

    assert stream.getvalue() == ""


def test_a_call_of_slack_without_an_answer_is_told_by_who_called_alone() -> None:
    stream = io.StringIO()
    logs.configure("info", stream=stream)
    logging.getLogger("slack_sdk.web.base_client").error("Failed to send a request to Slack API server")
    logging.getLogger("slack_sdk.socket_mode").error("no connection")
    assert [line["event"] for line in lines(stream)] == ["no connection"]


def test_what_repeats_itself_is_said_seldom() -> None:
    times = iter([0.0, 3.0, 6.0, 60.0])
    passes = logs.seldom(60.0, clock=lambda: next(times))
    error = logging.makeLogRecord({"levelno": logging.ERROR})
    assert [passes(error) for _ in range(4)] == [True, False, False, True]
    assert passes(logging.makeLogRecord({"levelno": logging.INFO}))

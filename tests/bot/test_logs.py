"""Logs: one form for costbot and its libraries, and no secret in any of them."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bot import logs


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_where_nobody_looks_at_a_terminal() -> None:
    stream = io.StringIO()
    logs.configure("info", process="worker", stream=stream)

    structlog.get_logger("sync").info("data sync finished", batch="DS000001")

    [line] = lines(stream)
    assert line["event"] == "data sync finished"
    assert (line["batch"], line["level"], line["process"], line["logger"]) == (
        "DS000001",
        "info",
        "worker",
        "sync",
    )
    assert str(line["timestamp"]).endswith("Z")


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
    for word in ("hunter2", "abcDEF", "A012", "abcdef"):
        assert word not in stream.getvalue()


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

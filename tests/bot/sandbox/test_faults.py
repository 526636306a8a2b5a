"""What goes wrong on request, as the real slack_sdk client meets it."""

import http.client
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from slack_sdk import WebClient, WebhookClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from bot.sandbox.client import Person, Sandbox
from bot.sandbox.workspace import CHANNEL_ID
from tests.bot.sandbox.trial_app import TrialApp


@pytest.fixture
def app(sandbox: Sandbox) -> Iterator[TrialApp]:
    with TrialApp(sandbox).connected(sandbox) as app:
        yield app


def post(slack: WebClient, text: str = "card") -> None:
    slack.chat_postMessage(channel=CHANNEL_ID, text=text)


def test_a_limited_call_is_told_how_long_to_wait(slack: WebClient, sandbox: Sandbox, dana: Person) -> None:
    sandbox.fail_next("chat.postMessage", "ratelimited", retry_after=7)
    with pytest.raises(SlackApiError) as limited:
        post(slack)
    assert limited.value.response.status_code == 429
    assert limited.value.response.headers["Retry-After"] == "7"
    assert dana.sees().messages == []
    post(slack)
    assert len(dana.sees().messages) == 1


def test_a_client_that_waits_as_told_succeeds(slack: WebClient, sandbox: Sandbox, dana: Person) -> None:
    slack.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=1))
    sandbox.fail_next("chat.postMessage", "ratelimited", retry_after=1)
    post(slack)
    assert len(dana.sees().messages) == 1
    assert [call["fault"] for call in sandbox.calls("chat.postMessage")] == ["ratelimited", None]


def test_an_error_of_choice_strikes_as_often_as_asked(slack: WebClient, sandbox: Sandbox) -> None:
    sandbox.fail_next("*", "error", times=2, error="internal_error")
    for _ in range(2):
        with pytest.raises(SlackApiError, match="internal_error"):
            slack.auth_test()
    assert slack.auth_test()["ok"]
    sandbox.fail_next("auth.test", "error", times=5)
    sandbox.clear_faults()
    assert slack.auth_test()["ok"]


def test_a_server_error_is_no_answer_of_slack(slack: WebClient, sandbox: Sandbox) -> None:
    sandbox.fail_next("auth.test", "server_error")
    with pytest.raises(SlackApiError, match="Internal Server Error"):
        slack.auth_test()


def test_a_broken_line_leaves_the_caller_without_an_answer(
    slack: WebClient, sandbox: Sandbox, dana: Person
) -> None:
    sandbox.fail_next("chat.postMessage", "reset")
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        post(slack)
    assert dana.sees().messages == []


@pytest.mark.parametrize("kind", ["reset", "server_error", "error"])
def test_a_message_may_be_posted_although_its_caller_heard_otherwise(
    slack: WebClient, sandbox: Sandbox, dana: Person, kind: str
) -> None:
    sandbox.fail_next("chat.postMessage", kind, after=True)
    with pytest.raises((http.client.HTTPException, ConnectionError, SlackApiError)):
        post(slack)
    assert [message.text for message in dana.sees().messages] == ["card"]


def test_a_call_that_hangs_ends_by_the_callers_own_time_out(sandbox: Sandbox, slack: WebClient) -> None:
    sandbox.fail_next("auth.test", "hang", seconds=2)
    slack.timeout = 1
    with pytest.raises(TimeoutError):
        slack.auth_test()


def test_real_limits_let_a_short_burst_through_and_then_refuse(slack: WebClient, sandbox: Sandbox) -> None:
    sandbox.switch(rate_limits=True)
    for _ in range(3):
        post(slack)
    with pytest.raises(SlackApiError, match="ratelimited") as limited:
        post(slack)
    assert 1 <= int(limited.value.response.headers["Retry-After"]) <= 4
    slack.chat_postMessage(channel="U0DANA", text="another channel")
    sandbox.switch(rate_limits=False)
    post(slack)


def test_whoever_waits_is_woken_by_a_change(slack: WebClient, dana: Person) -> None:
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(dana.wait_for_message, "late news")
        started = time.monotonic()
        post(slack, "late news")
        assert waiting.result().text == "late news"
        assert time.monotonic() - started < 3


def test_waiting_in_vain_says_what_was_on_the_screen(slack: WebClient, dana: Person) -> None:
    post(slack, "something else")
    with pytest.raises(AssertionError, match="something else"):
        dana.wait_for_message("never", seconds=0.2)


def test_an_answer_by_a_response_url_goes_wrong_before_or_after_it_is_seen(
    app: TrialApp, sandbox: Sandbox, dana: Person
) -> None:
    dana.slash("/costcodes jobs")
    answer = WebhookClient(app.told[0][1]["response_url"], retry_handlers=[])
    sandbox.fail_next("response_url", "ratelimited")
    sandbox.fail_next("response_url", "server_error", after=True)
    assert [answer.send(text=text).status_code for text in ("lost", "seen", "well")] == [429, 500, 200]
    assert [message.text for message in dana.sees().ephemerals] == ["seen", "well"]
    calls = sandbox.calls("response_url")
    struck = [(call["fault"], call["ok"]) for call in calls]
    assert struck == [("ratelimited", False), ("server_error", True), (None, True)]
    assert {call["arguments"]["user"] for call in calls} == {"U0DANA"}

"""The ways to answer one person, when the first of them do not work."""

from collections import defaultdict
from dataclasses import dataclass, field
from dataclasses import replace as changed
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot import answering
from bot.answering import AnsweredBeforeError, Answering, WindowNotOpenedError, result_window
from bot.blocks.notices import answer
from bot.blocks.updates_window import message_view
from bot.interaction import Interaction
from bot.slack_answers import Posted, SlackRefused, SlackUnavailable

HELLO = answer("Hello")
VIEW = message_view("Update", "Updated.")
CLICK = Interaction(
    name="job:update",
    user_id="U1",
    team_id="T1",
    channel_id="C1",
    trigger_id="1.2",
    response_url="https://hooks.slack.com/actions/1",
    delivery="trigger:1.2",
    text="",
    value="",
    view_id=None,
    is_submission=False,
    inputs={},
)
SUBMISSION = changed(CLICK, response_url=None, view_id="V1", is_submission=True)


@dataclass
class Slack:
    """Takes what it is sent, unless a test says how that way fails.

    The window of an ack is there from the look after `acked_after` looks.
    """

    failing: dict[str, Exception] = field(default_factory=dict)
    acked_after: int = 0
    shown: defaultdict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))

    def _take(self, way: str, what: Any) -> None:
        if way in self.failing:
            raise self.failing[way]
        self.shown[way].append(what)

    def open_view(self, trigger_id: str, view: Any) -> str:
        self._take("opened", view)
        return "V2"

    def update_view(self, view_id: str, view: Any) -> None:
        self._take(f"window {view_id}", view)

    def update_view_named(self, external_id: str, view: Any) -> None:
        if self.acked_after:
            self.acked_after -= 1
            raise SlackRefused("views.update", "not_found")
        self._take(external_id, view)

    def respond(self, response_url: str, message: Any) -> None:
        self._take("response url", message)

    def post_ephemeral(self, channel: str, user_id: str, message: Any) -> None:
        self._take(f"ephemeral {channel} {user_id}", message)

    def open_direct_message(self, user_id: str) -> str:
        return f"D-{user_id}"

    def post(self, channel: str, message: Any, *, key: str) -> Posted:
        self._take(f"direct {channel} {key}", message)
        return Posted(channel, "1.0")


def answers(slack: Slack, act: Interaction = CLICK) -> Answering:
    return Answering(slack, act)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("broken", "arrives"),
    [
        ([], "response url"),
        (["response url"], "ephemeral C1 U1"),
        (["response url", "ephemeral C1 U1"], "opened"),
        (["response url", "ephemeral C1 U1", "opened"], "direct D-U1 answer:trigger:1.2"),
    ],
)
def test_an_answer_takes_the_first_way_that_works(broken: list[str], arrives: str) -> None:
    slack = Slack(failing=dict.fromkeys(broken, SlackUnavailable("gone")))
    answers(slack).tell(HELLO)
    assert list(slack.shown) == [arrives]


def test_when_no_way_works_the_log_has_what_was_to_be_said() -> None:
    everything = ("response url", "ephemeral C1 U1", "opened", "direct D-U1 answer:trigger:1.2")
    slack = Slack(failing=dict.fromkeys(everything, SlackUnavailable("gone")))
    with capture_logs() as logs:
        answers(slack).tell(HELLO)
    assert (logs[-1]["log_level"], logs[-1]["text"]) == ("error", "Hello")


def test_once_a_window_is_open_answers_go_there() -> None:
    slack = Slack()
    one = answers(slack)
    one.open(VIEW)
    one.tell(HELLO)
    assert list(slack.shown) == ["opened", "window V2"]


def test_the_result_of_a_submission_waits_for_the_window_of_the_ack() -> None:
    slack = Slack(acked_after=3)
    answers(slack, SUBMISSION).show(VIEW)
    assert list(slack.shown) == [result_window(SUBMISSION, VIEW)["external_id"]]


def test_a_server_that_forgets_the_window_of_the_ack_is_shown_the_result_by_its_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answering, "RESULT_SECONDS", 0.0)
    slack = Slack(acked_after=99)
    answers(slack, SUBMISSION).show(VIEW)
    assert list(slack.shown) == ["window V1"]


def test_after_its_result_a_window_is_changed_by_its_id() -> None:
    slack = Slack()
    one = answers(slack, SUBMISSION)
    one.show(VIEW)
    one.tell(HELLO)
    assert list(slack.shown) == [result_window(SUBMISSION, VIEW)["external_id"], "window V1"]


def test_a_click_that_opened_its_window_before_is_told_apart_from_one_that_came_too_late() -> None:
    used = Slack(failing={"opened": SlackRefused("views.open", "exchanged_trigger_id")})
    with pytest.raises(AnsweredBeforeError):
        answers(used).open(VIEW)
    late = Slack(failing={"opened": SlackRefused("views.open", "expired_trigger_id")})
    with pytest.raises(WindowNotOpenedError):
        answers(late).open(VIEW)

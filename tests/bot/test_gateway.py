"""The gateway against a running Slack look-alike: what it sends, how it keeps pace, which errors it knows."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from bot.blocks.job_card import job_card
from bot.blocks.notices import answer
from bot.blocks.pieces import Message
from bot.gateway import Gateway, web_client
from bot.pace import SECONDS_A_MESSAGE
from bot.sandbox import sample_company
from bot.sandbox.client import Sandbox
from bot.sandbox.workspace import BOT_TOKEN, BOT_USER_ID, CHANNEL_ID, TEAM_ID
from bot.slack_answers import Posted, RateLimited, SlackRefused, SlackUnavailable, seconds_to_wait
from tests.bot.facts import cost_code, update_facts
from workflow.settings import Settings, SettingsError

HELLO = answer("Hello")
CARD = job_card(update_facts(), [cost_code()], [], next_sync=None)


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def gateway(sandbox: Sandbox, time: Time) -> Iterator[Gateway]:
    client = web_client(BOT_TOKEN, sandbox.api_url)
    yield Gateway(client, monotonic=time.monotonic, sleep=time.sleep)
    sandbox.clear_faults()


def post(gateway: Gateway, key: str = "card:1", message: Message = HELLO) -> Posted:
    return gateway.post(CHANNEL_ID, message, key=key)


def test_it_knows_whose_token_it_has_and_what_the_token_may_do(gateway: Gateway) -> None:
    bot = gateway.auth_test()
    assert (bot.team_id, bot.user_id) == (TEAM_ID, BOT_USER_ID)
    assert "chat:write" in bot.scopes


def test_the_certificates_that_slack_is_trusted_by_are_read_once_and_not_for_each_call() -> None:
    one, other = (web_client(token, "https://slack.com/api/") for token in ("xoxb-1", "xoxb-2"))
    assert one.ssl is other.ssl is not None


def test_a_message_is_posted_by_name_updated_in_place_and_has_an_address(gateway: Gateway) -> None:
    posted = gateway.post("#cost-codes", HELLO, key="card:1")
    assert posted.channel == CHANNEL_ID
    gateway.update(posted, answer("Goodbye"), key="card:1")
    assert gateway.permalink(posted).endswith(posted.ts.replace(".", ""))
    assert gateway.find(CHANNEL_ID, "card:1", since=0) == posted


def test_a_message_is_found_by_its_key_in_a_channel_and_in_a_thread(gateway: Gateway) -> None:
    card = post(gateway)
    reply = gateway.post(CHANNEL_ID, HELLO, key="thread:1", thread_ts=card.ts)
    post(gateway, "card:2")
    assert gateway.find(CHANNEL_ID, "thread:1", since=0) is None
    assert gateway.find(CHANNEL_ID, "thread:1", since=0, thread_ts=card.ts) == reply
    assert gateway.find(CHANNEL_ID, "card:3", since=0) is None
    assert gateway.find(CHANNEL_ID, "card:1", since=float(card.ts) + 0.0000001) is None


def test_a_message_among_many_is_found_page_by_page(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.gateway.PAGE", 2)
    first = post(gateway)
    for number in range(2, 6):
        post(gateway, f"card:{number}")
    assert gateway.find(CHANNEL_ID, "card:1", since=0) == first
    assert gateway.calls["conversations.history", "ok"] == 3


def test_messages_of_one_channel_go_out_one_a_second(gateway: Gateway, time: Time) -> None:
    for number in range(3):
        post(gateway, f"card:{number}")
    gateway.post(gateway.open_direct_message("U0DANA"), HELLO, key="direct:1")
    assert time.slept == pytest.approx([SECONDS_A_MESSAGE, SECONDS_A_MESSAGE])


def test_a_rate_limit_is_obeyed_without_asking_again(gateway: Gateway, sandbox: Sandbox, time: Time) -> None:
    sandbox.fail_next("chat.postMessage", "ratelimited", retry_after=7)
    with pytest.raises(RateLimited) as limited:
        post(gateway)
    assert limited.value.retry_after == 7
    with pytest.raises(RateLimited):
        post(gateway)
    assert len(sandbox.calls("chat.postMessage")) == 1
    time.sleep(7)
    assert post(gateway).ts


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7), (None, 1), ("Wed, 21 Oct 2026 07:28:00 GMT", 60), ("-1", 60), ("nan", 60), ("9" * 400, 3600)],
)
def test_whatever_a_rate_limit_says_it_is_waited_for_some_time(said: str | None, seconds: float) -> None:
    assert seconds_to_wait({"Retry-After": said} if said else {}) == seconds


@pytest.mark.parametrize("kind", ["server_error", "reset", "hang"])
def test_a_call_without_a_clear_answer_is_unknown_and_never_repeated(
    gateway: Gateway, sandbox: Sandbox, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.fail_next("chat.postMessage", kind, after=True)
    with monkeypatch.context() as patch:
        if kind == "hang":
            patch.setattr(gateway._client, "timeout", 1)
        with pytest.raises(SlackUnavailable):
            post(gateway)
    assert len(sandbox.calls("chat.postMessage")) == 1
    assert gateway.find(CHANNEL_ID, "card:1", since=0) is not None


def test_an_error_after_which_slack_itself_does_not_know_is_unknown(
    gateway: Gateway, sandbox: Sandbox
) -> None:
    sandbox.fail_next("chat.postMessage", "error", error="fatal_error")
    with pytest.raises(SlackUnavailable):
        post(gateway)


def test_refusals_say_what_kind_of_mend_they_need(gateway: Gateway, sandbox: Sandbox) -> None:
    with pytest.raises(SlackRefused) as gone:
        gateway.update(Posted(CHANNEL_ID, "1.000001"), HELLO, key="card:1")
    assert gone.value.is_message_gone
    sandbox.switch(bot_in_channel=False)
    with pytest.raises(SlackRefused) as outside:
        post(gateway)
    assert (outside.value.code, outside.value.is_channel_problem) == ("not_in_channel", True)
    sandbox.switch(token_revoked=True)
    with pytest.raises(SlackRefused) as revoked:
        post(gateway)
    assert revoked.value.is_token_problem


def test_every_call_is_counted_by_method_and_outcome(gateway: Gateway, sandbox: Sandbox) -> None:
    post(gateway)
    sandbox.switch(archived=True)
    with pytest.raises(SlackRefused):
        post(gateway)
    assert gateway.calls == {("chat.postMessage", "ok"): 1, ("chat.postMessage", "is_archived"): 1}


@pytest.mark.parametrize("code", ["invalid_blocks", "invalid_attachments"])
def test_a_workspace_that_refuses_tables_gets_text_and_is_remembered(
    gateway: Gateway, sandbox: Sandbox, code: str
) -> None:
    sandbox.fail_next("chat.postMessage", "error", error=code)
    with capture_logs() as logs:
        posted = post(gateway, message=CARD)
        gateway.update(posted, CARD, key="card:1")
    sent = [call["arguments"]["blocks"] for call in sandbox.calls() if call["ok"]]
    assert len(sent) == 2
    assert all("rich_text_preformatted" in str(blocks) and "'table'" not in str(blocks) for blocks in sent)
    assert len(sandbox.calls("chat.update")) == 1
    assert [line["log_level"] for line in logs] == ["warning"]


def test_blocks_that_are_wrong_without_a_table_too_are_refused(gateway: Gateway) -> None:
    wrong = Message("Hello", ({"type": "nonsense"},), ({"type": "nonsense"},))
    with pytest.raises(SlackRefused) as refused:
        post(gateway, message=wrong)
    assert refused.value.is_blocks_problem
    assert "unsupported type: nonsense" in str(refused.value)
    tables = post(gateway, message=CARD)
    assert tables.ts


def test_only_one_person_sees_an_ephemeral_message(gateway: Gateway, sandbox: Sandbox) -> None:
    gateway.post_ephemeral(CHANNEL_ID, "U0TOM", HELLO)
    assert len(sandbox.as_person(sample_company.PROJECT_ENGINEER).sees().ephemerals) == 1
    assert sandbox.as_person(sample_company.APPROVER).sees().ephemerals == []


def test_people_are_found_by_id_and_by_e_mail(gateway: Gateway) -> None:
    dana = gateway.user("U0DANA")
    assert (dana.name, dana.email, dana.team_id) == ("Dana Whitfield", sample_company.APPROVER, TEAM_ID)
    assert dana.email_confirmed
    assert (dana.is_guest, dana.is_bot, dana.deleted) == (False, False, False)
    assert dana.locale == "en-US"
    assert gateway.user_by_email(sample_company.APPROVER) == replace(dana, locale=None)
    assert gateway.user_by_email("nobody@example.com") is None
    assert gateway.user("U0GRACE").is_guest
    assert gateway.user(BOT_USER_ID).is_bot


def test_a_channel_is_found_by_id_and_by_name(gateway: Gateway, sandbox: Sandbox) -> None:
    found = gateway.channel("#cost-codes")
    assert found == gateway.channel(CHANNEL_ID)
    assert found.is_member
    sandbox.switch(bot_in_channel=False)
    assert not gateway.channel(CHANNEL_ID).is_member
    with pytest.raises(SlackRefused) as missing:
        gateway.channel("#nowhere")
    assert missing.value.is_channel_problem


def test_app_home_is_published(gateway: Gateway, sandbox: Sandbox) -> None:
    gateway.publish_home("U0DANA", {"type": "home", "blocks": list(HELLO.blocks)})
    home = sandbox.as_person(sample_company.APPROVER).sees().home
    assert home is not None
    assert home.words == "Hello"


def test_a_window_needs_a_click_that_is_still_fresh(gateway: Gateway) -> None:
    view = {"type": "modal", "title": {"type": "plain_text", "text": "Hi"}, "blocks": list(HELLO.blocks)}
    with pytest.raises(SlackRefused) as refused:
        gateway.open_view("1.2.3", view)
    assert refused.value.code == "invalid_trigger_id"


def test_without_a_token_there_is_no_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    with pytest.raises(SettingsError, match="SLACK_BOT_TOKEN is missing"):
        Gateway.connect(Settings(_env_file=None))


def test_settings_make_the_gateway(sandbox: Sandbox) -> None:
    settings = Settings(_env_file=None, slack_bot_token=BOT_TOKEN, slack_api_url=sandbox.api_url)
    assert Gateway.connect(settings).auth_test().team_id == TEAM_ID


def test_a_shared_file_is_fetched_with_the_token_and_only_from_slack(
    gateway: Gateway, sandbox: Sandbox
) -> None:
    file = sandbox.as_person(sample_company.PROJECT_ENGINEER).upload("a.csv", b"code,category\n")
    url = file["url_private_download"]

    assert gateway.download(url, at_most=100) == b"code,category\n"
    with pytest.raises(SlackRefused, match="file_too_large"):
        gateway.download(url, at_most=5)
    for elsewhere in ("https://slack.com.example.com/a.csv", "http://files.slack.com/a.csv", "file:///a.csv"):
        with pytest.raises(SlackRefused, match="not_slacks_file"):
            gateway.download(elsewhere, at_most=100)
    sandbox.switch(missing_scopes=["files:read"])
    with pytest.raises(SlackRefused, match="file_not_found"):
        gateway.download(url, at_most=100)


@pytest.mark.parametrize("url", ["", "junk", "ftp:", "http://", "http://a b/", "//x"])
def test_an_address_to_answer_that_is_none_is_refused_like_any_answer_of_slacks(
    gateway: Gateway, url: str
) -> None:
    with pytest.raises((SlackRefused, SlackUnavailable)):
        gateway.respond(url, HELLO)

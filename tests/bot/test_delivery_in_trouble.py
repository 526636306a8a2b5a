"""Delivery while Slack is down, busy, or takes nothing in the channel: nothing lost, and said once."""

from structlog.testing import capture_logs

from bot.delivery import outcomes
from bot.sandbox import sample_company
from tests import factories
from tests.bot.site import Site, warned
from workflow.vocabulary import Event


def test_outside_the_channel_cards_wait_and_direct_messages_go_on(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    site.ask(site.depot, "03-300 L")
    site.sandbox.switch(bot_in_channel=False)
    with capture_logs() as logs:
        assert site.drain() == 4 + 2
    assert [line["mend"] for line in warned(logs)] == ["type `/invite @costbot` in the channel"]
    assert len(site.person(site.dana).sees().direct_messages) == 1
    assert len(site.sandbox.calls("chat.postMessage")) == 3
    assert all("not_in_channel" in str(notice.last_error) for notice in site.waiting())
    assert len(site.waiting()) == 4
    site.sandbox.switch(bot_in_channel=True)
    site.clock.wait(minutes=1)
    assert site.drain() == 4
    assert len(site.channel()) == 2


def test_once_the_channel_takes_a_card_those_that_waited_come_too(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    site.sandbox.switch(bot_in_channel=False)
    site.clock.wait(minutes=8)
    site.drain()
    site.sandbox.switch(bot_in_channel=True)
    site.ask(site.depot, "03-300 L")
    site.drain()
    assert len(site.channel()) == 2
    assert site.waiting() == []


def test_in_a_channel_that_only_some_may_write_in_cards_wait_and_who_can_mend_it_is_told(site: Site) -> None:
    code = "restricted_action_read_only_channel"
    site.sandbox.fail_next("chat.postMessage", "error", error=code)
    site.ask(site.riverside, "03-300 L")
    with capture_logs() as logs:
        site.drain()
    assert [line["mend"] for line in warned(logs)] == [
        "let apps post in the channel, or set COSTBOT_CHANNEL to another"
    ]
    assert site.outages() == [Event.CHANNEL_CLOSED]
    told = site.person(site.dana).sees().direct_messages
    assert "Apps may not post in" in "".join(message.words for message in told)
    site.clock.wait(minutes=10)
    site.drain()
    assert len(site.channel()) == 1


def test_a_card_that_may_still_change_is_no_sign_that_the_channel_takes_messages(site: Site) -> None:
    requested = site.ask(site.riverside, "03-300 L")
    site.drain()
    site.sandbox.fail_next("chat.postMessage", "error", times=9, error="restricted_action")
    site.ask(site.depot, "03-300 L")
    site.drain()
    site.update(requested)
    site.drain()
    assert site.outages() == [Event.CHANNEL_CLOSED]


def test_an_archived_channel_loses_nothing_and_a_new_one_gets_the_card(site: Site) -> None:
    requested = site.ask(site.riverside, "03-300 L")
    site.drain()
    site.sandbox.switch(archived=True)
    site.update(requested)
    site.drain()
    assert {str(notice.kind) for notice in site.waiting()} == {"card", "thread"}
    private = site.gateway.open_direct_message("U0PRIYA")
    site.clock.wait(minutes=10)
    site.drain(channel=private)
    assert site.waiting() == []
    priya = site.sandbox.as_person(sample_company.ADMIN_WITHOUT_PRIVILEGE)
    assert "Take back" in priya.sees().direct_messages[0].buttons


def test_a_revoked_token_stops_everything_and_loses_nothing(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    site.ask(site.depot, "03-300 L")
    site.sandbox.switch(token_revoked=True)
    with capture_logs() as logs:
        assert site.drain() == 0
    assert ["SLACK_BOT_TOKEN" in line["mend"] for line in warned(logs)] == [True]
    assert len(site.sandbox.calls()) == 1
    assert len(site.waiting()) == 8
    site.sandbox.switch(token_revoked=False)
    site.clock.wait(minutes=1)
    assert site.drain() == 8


def test_an_outage_is_logged_once_until_it_is_over(site: Site) -> None:
    def warnings_of_a_drain(error: str) -> int:
        site.sandbox.fail_next("*", "error", times=100, error=error)
        with capture_logs() as logs:
            site.drain()
        site.sandbox.clear_faults()
        site.clock.wait(minutes=30)
        return sum("notices wait" in line["event"] for line in logs)

    site.ask(site.riverside, "03-300 L")
    assert [warnings_of_a_drain("invalid_auth") for _ in range(3)] == [1, 0, 0]
    # trouble of another kind is news
    assert [warnings_of_a_drain("account_inactive") for _ in range(2)] == [1, 0]
    site.drain()
    assert site.waiting() == []
    site.ask(site.depot, "03-300 L")
    assert [warnings_of_a_drain("invalid_auth") for _ in range(2)] == [1, 0]


def test_a_rate_limit_is_waited_for_and_is_nobodys_fault(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    site.sandbox.fail_next("chat.postMessage", "ratelimited", retry_after=2)
    assert site.drain() == 4
    assert site.waiting() == []
    assert len(site.channel()) == 1
    assert site.sandbox.calls("conversations.history") == []


def test_a_passing_trouble_holds_up_what_is_old_no_longer_than_what_is_new(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    site.clock.wait(minutes=5)  # costbot did not run
    site.sandbox.fail_next("chat.postMessage", "server_error")
    site.drain()
    assert site.waiting() != []
    site.clock.wait(seconds=outcomes.SOONEST_RETRY.total_seconds() + 1)
    site.drain()
    assert site.waiting() == []
    assert len(site.channel()) == 1


def test_slacks_own_rate_limits_lose_nothing(site: Site) -> None:
    site.sandbox.switch(rate_limits=True)
    site.ask(site.riverside, "03-300 L")
    for _ in range(20):
        site.drain()
        site.clock.wait(seconds=30)
        if not site.waiting():
            break
    assert site.waiting() == []
    assert len(site.channel()) == 1
    assert len(site.thread()) == 1


def test_while_slack_is_down_a_drain_ends_soon_and_the_rest_stays_due(site: Site) -> None:
    with site.database.writing() as session:
        jobs = [factories.job(session, f"25-{number:03}", "Tower") for number in range(6)]
    for job in jobs:
        site.ask(job, "03-300 L")
    site.sandbox.fail_next("*", "server_error", times=100)
    assert site.drain() == 0
    assert len(site.sandbox.calls()) == outcomes.UNANSWERED_CALLS
    site.sandbox.clear_faults()
    site.clock.wait(minutes=1)
    site.drain()
    assert len(site.channel()) == 6


def test_replies_keep_their_order_when_one_has_to_wait(site: Site) -> None:
    requested = site.ask(site.riverside, "03-300 L")
    site.drain()
    site.update(requested)
    site.sandbox.fail_next("chat.postMessage", "server_error")
    site.drain()
    site.take_back(requested)
    site.drain()
    assert len(site.thread()) == 1
    assert "Ready to Update" in site.channel()[0].words
    site.clock.wait(minutes=1)
    site.drain()
    assert [
        words in line
        for words, line in zip(("requested", "updated revision", "took"), site.thread(), strict=True)
    ]
    assert site.waiting() == []


def test_a_channel_name_that_slack_does_not_look_up_is_used_as_it_is(site: Site) -> None:
    site.sandbox.fail_next("conversations.list", "error", error="unknown_method")
    site.ask(site.riverside, "03-300 L")
    with capture_logs() as logs:
        assert site.drain(channel="#cost-codes") == 4
    assert [line["error"] for line in warned(logs)] == ["unknown_method"]
    assert len(site.channel()) == 1


def test_a_card_in_a_channel_known_by_name_alone_is_not_doubled_by_an_outage(site: Site) -> None:
    requested = site.ask(site.riverside, "03-300 L")
    site.drain()
    site.update(requested)
    site.sandbox.fail_next("conversations.list", "error", times=9, error="unknown_method")
    site.sandbox.switch(archived=True)
    site.drain(channel="#cost-codes")
    assert {str(notice.kind) for notice in site.waiting()} == {"card", "thread"}
    site.sandbox.switch(archived=False)
    site.clock.wait(minutes=10)
    site.drain(channel="#cost-codes")
    assert site.waiting() == []
    assert len(site.channel()) == 1
    assert "Update" in site.channel()[0].words


def test_each_outage_of_a_channel_known_by_name_alone_is_told_and_ended(site: Site) -> None:
    site.sandbox.fail_next("conversations.list", "error", times=99, error="unknown_method")
    for job in (site.riverside, site.depot):
        site.sandbox.switch(bot_in_channel=False)
        site.ask(job, "03-300 L")
        site.drain(channel="#cost-codes")
        site.sandbox.switch(bot_in_channel=True)
        site.clock.wait(minutes=10)
        site.drain(channel="#cost-codes")

    assert site.outages() == [Event.CHANNEL_CLOSED, Event.CHANNEL_OPEN] * 2


def test_a_person_whom_slack_does_not_let_us_write_to_holds_up_no_card(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    site.sandbox.fail_next("conversations.open", "error", times=2, error="channel_not_found")
    with capture_logs() as logs:
        assert site.drain() == 2
        site.ask(site.depot, "03-300 L")
        assert site.drain() == 6
    assert [line["event"] for line in warned(logs)] == ["a notice could not be delivered"] * 2
    assert len(site.channel()) == 2


def test_without_a_channel_cards_wait_and_the_log_says_which_setting_is_missing(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    with capture_logs() as logs:
        assert site.drain(channel=None) == 2 + 2
    assert [("COSTBOT_CHANNEL" in line["error"]) for line in warned(logs)] == [True]
    assert len(site.waiting()) == 2

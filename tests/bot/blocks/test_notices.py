"""Answers, lists, direct messages and App Home: what they say, and that Slack would take them."""

import json
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.blocks import notices
from bot.blocks.checking import problems
from bot.blocks.notices import ToldJob
from bot.blocks.pieces import Message
from bot.payloads import Action, JobButton, PrivilegeButton
from tests.bot.facts import HOSTILE, NOON, any_hold, any_update, event, hold, update_facts
from workflow.privileges import Refused
from workflow.tables import DataSync, Job, Person
from workflow.vocabulary import ErpPermission, Event, Place, Refusal, SyncState

CARD = "https://acme.slack.com/archives/C1/p1"


def said(message: Message) -> str:
    assert problems(message.blocks, "message") == []
    assert message.text
    return json.dumps(message.blocks, ensure_ascii=False)


def data_sync(state: SyncState = SyncState.FINISHED) -> DataSync:
    return DataSync(
        id=3,
        state=state,
        place=Place.SCHEDULE,
        started_at=NOON,
        sent_at=None,
        finished_at=NOON + timedelta(seconds=4) if state is SyncState.FINISHED else None,
        jobs=2,
        created=4,
        tied=0,
        already_there=0,
        failed=1,
    )


def test_an_answer_shows_data_as_it_is() -> None:
    message = notices.answer(HOSTILE)
    assert message.blocks[0]["text"] == {"type": "plain_text", "text": HOSTILE, "emoji": False}
    assert "<!channel>" not in message.text


def test_a_denial_says_why_and_offers_to_ask_where_asking_helps() -> None:
    message = notices.denied("Ask Robin.", Refusal.PRIVILEGE_MISSING, can_ask=True)
    assert "🔒 Ask Robin." in said(message)
    button = message.blocks[1]["elements"][0]
    assert button["action_id"] == Action.ASK_FOR_PRIVILEGE
    assert PrivilegeButton.model_validate_json(button["value"]).reason is Refusal.PRIVILEGE_MISSING
    assert len(notices.denied("You are a guest.", Refusal.FROM_OUTSIDE, can_ask=False).blocks) == 1


def direct(*told: ToldJob) -> Message:
    return notices.direct_message(
        told, jobs=len(told), events=sum(len(job.events) + job.earlier for job in told)
    )


def test_a_direct_message_says_what_happened_and_where_the_card_is() -> None:
    message = direct(ToldJob([event(revision=2)], facts=update_facts(), card=CARD))
    assert message.text == (
        "24-017 Riverside Medical Center: Dana Whitfield updated revision 2. "
        "It goes out with the next data sync."
    )
    block = message.blocks[0]
    assert block["text"]["text"].splitlines() == [
        f"*24-017 Riverside Medical Center*  <{CARD}|Open the card>",
        "Dana Whitfield updated revision 2. It goes out with the next data sync.",
    ]
    assert JobButton.model_validate_json(block["accessory"]["value"]).job_id == 7


def test_gathered_events_are_one_message_with_a_block_a_job() -> None:
    exported = event(Event.EXPORTED, batch="DS000003")
    message = direct(
        ToldJob([exported, exported], facts=update_facts(job_id=1), card=CARD),
        ToldJob([exported], facts=update_facts(job_id=2), card=CARD),
        ToldJob([event(Event.PRIVILEGE_ASKED, reason="deactivated")]),
    )
    assert len(message.blocks) == 3
    assert message.blocks[0]["text"]["text"].count("sent it to Sage") == 2
    assert "asks to become an accounting approver" in message.blocks[2]["text"]["text"]
    assert message.text.endswith("And 3 more messages.")


def test_a_burst_over_many_jobs_is_cut_and_counted() -> None:
    told = [ToldJob([event(revision=1)], facts=update_facts(job_id=job)) for job in range(10)]
    assert "… and 290 more jobs" in said(notices.direct_message(told, jobs=300, events=300))
    told = [ToldJob([event(revision=1)] * 5, earlier=295, facts=update_facts())]
    assert "… 295 earlier" in said(notices.direct_message(told, jobs=1, events=300))


def test_the_jobs_list_has_a_view_button_a_row_and_counts_the_rest() -> None:
    rows = [update_facts(job_id=job) for job in range(30)]
    message = notices.jobs_list(rows, 400, heading="Ready to Update")
    assert message.text == "Ready to Update: 400 jobs"
    views = [block["accessory"] for block in message.blocks if "accessory" in block]
    assert len(views) == notices.JOBS_SHOWN
    assert all(view["action_id"] == Action.VIEW for view in views)
    assert "… and 380 more" in said(message)


def test_a_digest_names_what_waits_longest_and_counts_the_rest() -> None:
    rows = [update_facts(job_id=number, name=HOSTILE) for number in range(10)]
    digest = notices.digest(rows, 40, is_reminder=False)
    reminder = notices.noted(notices.digest(rows[:1], 1, is_reminder=True), "This is for Sam Ortiz.")

    assert digest.text.startswith("🗒️ Your digest: 40 jobs wait for an approver. The one that waits longest:")
    assert "… and 30 more jobs" in json.dumps(digest.blocks, ensure_ascii=False)
    assert reminder.text.startswith("This is for Sam Ortiz. ⏰ Reminder: 1 job waits for an approver.")
    assert problems(list(digest.blocks), "message") == problems(list(reminder.blocks), "message") == []


def test_an_empty_jobs_list_says_so() -> None:
    assert notices.jobs_list([], 0, heading="Failed to Export").text == "Failed to Export: 0 jobs"


def test_holds_are_listed_by_job_and_released_ones_left_out() -> None:
    riverside, depot = Job(number="24-017", name="Riverside"), Job(number="24-018", name="Depot")
    holds = [(riverside, hold()), (riverside, hold("SC-2", waiting=False)), (depot, hold("SC-3"))]
    text = said(notices.holds_list(holds))
    assert "2 contracts wait until the cost codes of their jobs are updated" in text
    assert "*24-018 Depot*\\n• Commitment SC-3 Steel erection" in text
    assert "SC-2" not in text
    assert "No contract or change order waits" in said(notices.holds_list([]))


def test_a_history_is_told_oldest_first_and_the_start_of_a_long_one_is_counted() -> None:
    events = [event(revision=number) for number in range(60)]
    message = notices.history("24-017 Riverside", events)
    assert "… 35 earlier" in said(message)
    assert "revision 59" in message.blocks[-1]["text"]["text"]
    assert "Nothing has happened" in said(notices.history("24-017 Riverside", []))


def test_data_syncs_say_what_sage_made_of_them() -> None:
    text = said(notices.syncs([data_sync(), data_sync(SyncState.SENT)], next_sync=NOON))
    assert "2 jobs: 4 created, 1 refused, in 4 s" in text
    assert "DS000003 sent, waits for the read-back" in text
    assert "Next data sync" in text
    assert "No data sync has run yet" in said(notices.syncs([], next_sync=None))


def test_a_data_sync_by_file_tells_its_file_and_that_nobody_imported_it() -> None:
    waiting = data_sync(SyncState.SENT)
    waiting.file, waiting.file_sha256, waiting.alerted_at = "DS000003.jce", "0123456789abcdef" * 4, NOON
    text = said(notices.syncs([waiting], next_sync=None))
    assert "nobody has imported its file yet; file DS000003.jce (SHA-256 0123456789ab…)" in text


def test_whoami_says_who_and_what_one_may() -> None:
    person = Person(
        id=1,
        email="dana@example.com",
        name="Dana Whitfield",
        erp_permission=ErpPermission.READ_ONLY,
        can_push_to_accounting=True,
        active=True,
    )
    refused = Refused(Refusal.PERMISSION_TOO_LOW, "Dana needs more.")
    text = said(notices.whoami(person, refused))
    assert "Dana Whitfield (dana@example.com)" in text
    assert "ERP Integrations: Read only" in text
    assert "🔒 Dana needs more." in text
    assert "✅ You are an accounting approver" in said(notices.whoami(person, None))
    assert said(notices.whoami(None, refused)).count("ERP Integrations") == 0


def test_help_names_every_command() -> None:
    text = said(notices.help_text())
    assert all(f"/costcodes {usage}" in text for usage in notices.COMMANDS)


@settings(max_examples=25)
@given(st.lists(any_update, max_size=60), st.lists(any_hold, max_size=60))
def test_slack_takes_every_list_and_direct_message(updates: list[Any], holds: list[Any]) -> None:
    updates = [update_facts(**{**_fields(facts), "job_id": job}) for job, facts in enumerate(updates)]
    said(notices.jobs_list(updates, 1_000, heading="All jobs"))
    said(notices.holds_list([(Job(number=str(n % 9), name=HOSTILE * 5), h) for n, h in enumerate(holds)]))
    events = [event(Event.REJECTED, revision=1, comment=facts.name) for facts in updates]
    said(notices.history(HOSTILE, events))
    told = [ToldJob([one], 3, facts, CARD) for one, facts in zip(events, updates, strict=True)]
    if told:
        said(direct(*told))


def _fields(facts: Any) -> dict[str, Any]:
    return {name: getattr(facts, name) for name in facts.__slots__}

"""Answers, lists and direct messages: everything costbot says that is neither a card nor a window.

Pure functions of facts. An argument called `text` is plain text, shown exactly as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from slack_sdk.models.blocks import ButtonElement

from bot.blocks import event_words, words
from bot.blocks.job_card import job_button, view_button
from bot.blocks.limits import escape
from bot.blocks.pieces import (
    Json,
    Message,
    actions,
    button,
    context,
    fitting,
    message,
    plain_section,
    section,
)
from bot.blocks.words import ALOUD, SLACK
from bot.payloads import Action, PrivilegeButton
from workflow.bursts import BurstFacts
from workflow.facts import HistoryEvent, HoldFacts, UpdateFacts
from workflow.language import later, plural, say
from workflow.privileges import Refused
from workflow.tables import DataSync, Job, Person
from workflow.vocabulary import ErpPermission, Refusal, SyncState

JOBS_SHOWN = 20
EVENTS_SHOWN = 25
JOBS_TOLD = 10
EVENTS_A_JOB = 5
HOLDS_A_JOB = 10
SYNCS_SHOWN = 10
_HASH_SHOWN = 12
_PERMISSION_WORDS = {
    ErpPermission.NONE: later("None"),
    ErpPermission.READ_ONLY: later("Read only"),
    ErpPermission.STANDARD: later("Standard"),
    ErpPermission.ADMIN: later("Admin"),
}
_SYNC_WORDS = {
    SyncState.CLAIMED: later("being prepared"),
    SyncState.PLANNED: later("on its way to Sage"),
    SyncState.SENT: later("sent, waits for the read-back"),
    SyncState.FINISHED: later("finished"),
}


@dataclass(frozen=True, slots=True)
class ToldJob:
    """What a person is told of one job: its newest events, oldest first, and how many came before them.

    `facts` are the job as it stands now, `card` is the address of its card; events of no job have neither.
    """

    events: Sequence[HistoryEvent]
    earlier: int = 0
    facts: UpdateFacts | None = None
    card: str | None = None


def answer(text: str) -> Message:
    """A short answer."""
    text = say(text)
    return message(escape(text), [plain_section(text)])


class Files(Enum):
    """What became of the files of a report, in words."""

    SENT = later("The chart and a CSV file with every figure are in your direct message with costbot.")
    LATER = later(
        "Slack takes no files from costbot at this moment, so this is the report in words alone. "
        "Ask again in a minute for the chart."
    )
    REFUSED = later(
        "Slack does not let costbot send files, so this is the report in words alone. "
        "Tell your administrator: costbot doctor says what is missing."
    )
    UNKNOWN = later(
        "Slack did not say whether the chart and the CSV file arrived. "
        "Look into your direct message with costbot, and ask again if they are not there."
    )


def report(title: str, sentences: Sequence[str], files: Files) -> Message:
    """A report in words, and where its files are; title and sentences are plain."""
    said = "\n".join(map(SLACK.data, sentences))
    head = f"*{SLACK.data(title)}*\n{said}"
    return message(
        f"{escape(title)}. {' '.join(map(escape, sentences))}", [section(head), context(say(files.value))]
    )


def channel_report(title: str, sentences: Sequence[str]) -> Message:
    """The weekly report to the channel in words alone; title and sentences are plain."""
    said = "\n".join(map(SLACK.data, sentences))
    note = say("Slack takes no files from costbot, so this is the report in words alone.")
    text = f"{escape(title)}. {' '.join(map(escape, sentences))}"
    return message(text, [section(f"*{SLACK.data(title)}*\n{said}"), context(note)])


def denied(text: str, reason: Refusal, *, can_ask: bool) -> Message:
    """Why a person may not, and whom to ask; with a button that asks, where asking helps."""
    ask = [actions([ask_button(reason)])] if can_ask else []
    return message(escape(f"🔒 {text}"), [plain_section(f"🔒 {text}"), *ask])


def ask_button(reason: Refusal) -> ButtonElement:
    """Asks for the privilege, where `reason` is what an administrator can mend."""
    return button(say("Ask for the privilege"), Action.ASK_FOR_PRIVILEGE, PrivilegeButton(reason=reason))


def direct_message(told: Sequence[ToldJob], *, jobs: int, events: int) -> Message:
    """One message for one event or for many that were gathered, by job, oldest first.

    `told` are the first JOBS_TOLD of so many `jobs`, with EVENTS_A_JOB each of so many `events` in all.
    """
    blocks = fitting(map(_told_of_job, told[:JOBS_TOLD]))
    if jobs > len(blocks):
        more = plural(
            "… and {n:,} more job: `/costcodes jobs`",
            "… and {n:,} more jobs: `/costcodes jobs`",
            jobs - len(blocks),
        )
        blocks.append(context(more))
    first = told[0]
    about = f"{SLACK.data(first.facts.title)}: " if first.facts else ""
    more = plural("And {n:,} more message.", "And {n:,} more messages.", events - 1)
    others = f" {more}" if events > 1 else ""
    return message(f"{about}{event_words.event_words(first.events[0], ALOUD)}{others}", blocks)


def digest(rows: Sequence[UpdateFacts], total: int, *, is_reminder: bool) -> Message:
    """What waits for an approver; `rows` are the jobs that waited longest of `total`, which is not 0."""
    head = (
        plural(
            "⏰ Reminder: {n:,} job waits for an approver",
            "⏰ Reminder: {n:,} jobs wait for an approver",
            total,
        )
        if is_reminder
        else plural(
            "🗒️ Your digest: {n:,} job waits for an approver",
            "🗒️ Your digest: {n:,} jobs wait for an approver",
            total,
        )
    )
    shown = fitting(map(job_row, rows[:JOBS_TOLD]))
    more = total - len(shown)
    and_more = plural(
        "… and {n:,} more job: `/costcodes ready`", "… and {n:,} more jobs: `/costcodes ready`", more
    )
    rest = [context(and_more)] if more > 0 else []
    how = context(say("`/costcodes notify` says how often you hear of them, and when not."))
    oldest = say("The one that waits longest: {job}.", job=ALOUD.data(rows[0].title)) if rows else ""
    return message(f"{head}. {oldest}".rstrip(), [section(f"*{head}*"), *shown, *rest, how])


def noted(said: Message, note: str) -> Message:
    """A message with a line before it, of `mrkdwn`, that says why it comes to whoever reads it."""
    return message(f"{note} {said.text}", [context(f"↪️ {note}"), *said.blocks])


def thread_reply(event: HistoryEvent) -> Message:
    """One event of a job, told in the thread of its card."""
    return message(event_words.event_words(event, ALOUD), [section(event_words.event_words(event))])


def jobs_list(
    rows: Sequence[UpdateFacts], total: int, *, heading: str, update_several: bool = False
) -> Message:
    """The Jobs list with a View button a row; `rows` are the first of `total`, `heading` is plain.

    With `update_several` it ends with the button that opens the window of all ready jobs.
    """
    shown = fitting(map(job_row, rows[:JOBS_SHOWN]))
    count = plural("{n:,} job", "{n:,} jobs", total)
    title = f"{heading}: {count}"
    more = total - len(shown)
    rest = [context(say("… and {more:,} more. Narrow it down: `/costcodes jobs ready riverside`", more=more))]
    several = [actions([several_button()])] if update_several and total > 1 else []
    return message(
        escape(title),
        [section(f"*{SLACK.data(title)}*"), *shown, *(rest if more > 0 else []), *several],
    )


def burst_digest(burst: BurstFacts) -> Message:
    """Tells the channel once that many jobs became ready, and how far their cards are."""
    head = plural(
        "{n:,} job became Ready to Update at once",
        "{n:,} jobs became Ready to Update at once",
        burst.jobs,
    )
    if burst.waiting:
        there = burst.jobs - burst.waiting
        far = say(
            "Their cards follow here, oldest first, about one a second: {there:,} of {jobs:,} so far.",
            there=there,
            jobs=burst.jobs,
        )
    else:
        far = say("Every one of them has its card here.")
    how = say("`/costcodes ready` lists them, and `/costcodes update` updates many at once.")
    return message(
        f"{head}. {far}",
        [
            section(f"📥 *{head}* {SLACK.date(burst.began_at)}\n{far}"),
            context(how),
            actions([several_button()]),
        ],
    )


def several_button(label: str = later("Update several")) -> ButtonElement:
    """Opens Update several."""
    return button(say(label), Action.UPDATE_SEVERAL)


def job_row(facts: UpdateFacts) -> Json:
    """One job in two lines, with its View button."""
    state = f"{words.STATE_EMOJI[facts.state]} {say(words.STATE_WORDS[facts.state])}"
    return section(
        f"*{SLACK.data(facts.title)}*\n{state}, "
        f"{words.counts_words(facts.counts)}\n{words.request_words(facts)}",
        accessory=view_button(facts),
        block_id=f"job:{facts.job_id}",
    )


def holds_list(holds: Sequence[tuple[Job, HoldFacts]]) -> Message:
    """What waits for cost codes, job by job, as `queries.list_holds` has it."""
    waiting = [(job.title, hold) for job, hold in holds if hold.waiting]
    by_job: dict[str, list[str]] = {}
    for title, hold in waiting:
        by_job.setdefault(title, []).append(words.hold_line(hold))
    if not by_job:
        return answer(say("No contract or change order waits for cost codes."))
    head = plural(
        "⏸️ {what_waits} until the cost codes of the job are updated",
        "⏸️ {what_waits} until the cost codes of their jobs are updated",
        len(by_job),
        what_waits=words.what_waits([hold for _, hold in waiting]),
    )
    shown = fitting(_holds_of_job(title, lines) for title, lines in by_job.items())
    more = len(by_job) - len(shown)
    rest = [
        context(
            plural(
                "… and those of {n:,} more job: `costbot hold list`",
                "… and those of {n:,} more jobs: `costbot hold list`",
                more,
            )
        )
    ]
    return message(head, [section(f"*{head}*"), *shown, *(rest if more else [])])


def history(title: str, events: Sequence[HistoryEvent]) -> Message:
    """What happened to a job, newest last; `title` is plain."""
    if not events:
        return answer(say("Nothing has happened to {job} yet.", job=title))
    newest = [section(event_words.dated_event_words(event)) for event in reversed(events[-EVENTS_SHOWN:])]
    shown = fitting(newest)
    earlier = len(events) - len(shown)
    rest = [context(say("… {earlier:,} earlier: `costbot audit export` has them all", earlier=earlier))]
    head = say("History of {job}", job=SLACK.data(title))
    return message(head, [section(f"*{head}*"), *(rest if earlier else []), *reversed(shown)])


def syncs(data_syncs: Sequence[DataSync], *, next_sync: datetime | None) -> Message:
    """The newest data syncs, newest first, and when the next one runs."""
    lines = [f"• {sync_words(sync)}" for sync in data_syncs[:SYNCS_SHOWN]] or [
        say("No data sync has run yet")
    ]
    head = say("Data syncs")
    return message(
        head,
        [section("\n".join([f"*{head}*", *lines])), context(words.next_sync_words(next_sync))],
    )


def sync_words(sync: DataSync) -> str:
    """One data sync: its batch, its state, when, and what Sage made of it."""
    result = words.outcome_words(sync.created, sync.tied, sync.already_there, sync.failed)
    when = SLACK.date(sync.finished_at or sync.sent_at or sync.started_at)
    jobs = plural("{n:,} job", "{n:,} jobs", sync.jobs)
    finished = ""
    if sync.finished_at:
        took = words.time_taken(sync.started_at, sync.finished_at)
        finished = say(": {result}, in {took}", result=result, took=took)
    elif sync.alerted_at:
        finished = say(": nobody has imported its file yet")
    hashed = (sync.file_sha256 or "")[:_HASH_SHOWN]
    named = say("file {file} (SHA-256 {hash}…)", file=sync.file, hash=hashed)
    file = f"; {named}" if sync.file else ""
    return f"{sync.batch} {say(_SYNC_WORDS[sync.state])} {when}, {jobs}{finished}{file}"


def whoami(person: Person | None, refused: Refused | None) -> Message:
    """Who the company directory says a person is, and whether they may Update."""
    verdict = (
        f"🔒 {refused.words}"
        if refused
        else say("✅ You are an accounting approver: you may update and reject.")
    )
    if person is None:
        return answer(verdict)
    permission = say(_PERMISSION_WORDS[person.erp_permission])
    facts = (
        say("You are {name} ({email}) in the company directory.", name=person.name, email=person.email),
        say("ERP Integrations: {permission}", permission=permission),
        say("Can Push to Accounting: yes")
        if person.can_push_to_accounting
        else say("Can Push to Accounting: no"),
        say("Active: yes") if person.active else say("Active: no"),
        verdict,
    )
    return answer("\n".join(facts))


def help_text() -> Message:
    """What `/costcodes` understands."""
    lines = [f"`/costcodes {usage}` {say(meaning)}" for usage, meaning in COMMANDS.items()]
    head = say("How to use /costcodes")
    return message(head, [section("\n".join([f"*{head}*", *lines]))])


COMMANDS = {
    "jobs [ready|accepted|failed|synced|rejected|expired|all] [text]": (
        later("lists jobs; without a word, those Ready to Update")
    ),
    "ready": later("lists the jobs Ready to Update"),
    "show JOB": later("opens the job's Cost Codes for Update"),
    "update [JOB]": later(
        "opens the same window, where an approver updates; without a job, many jobs at once"
    ),
    "diff JOB": later("shows where Procore, costbot and Sage differ, and what to do about it"),
    "request [JOB]": later("asks for new cost codes and categories of a job"),
    "sync": later("runs a data sync now"),
    "syncs": later("lists the latest data syncs"),
    "holds": later("lists contracts and change orders that wait for cost codes"),
    "history JOB": later("tells what happened to a job"),
    "report [week|month]": later(
        "sends you the waits, the volume and the failures as a chart and a CSV file"
    ),
    "notify": later("opens what you want to hear of, and your quiet hours"),
    "away [2026-12-01..2026-12-05 to @person | off]": later(
        "lets another approver stand in, shows it, or ends it"
    ),
    "whoami": later("says who costbot takes you for, and what you may do"),
    "help": later("shows this"),
}
"""Usage and meaning of every subcommand."""


def _told_of_job(told: ToldJob) -> Json:
    lines = [event_words.event_words(event) for event in told.events]
    if told.earlier:
        lines.insert(0, say("… {earlier:,} earlier", earlier=told.earlier))
    if told.facts is None:
        return section("\n".join(lines))
    open_card = say("Open the card")
    card = f"  <{told.card}|{open_card}>" if told.card else ""
    return section(
        "\n".join([f"*{SLACK.data(told.facts.title)}*{card}", *lines]),
        accessory=view_button(told.facts),
        block_id=f"job:{job_button(told.facts).job_id}",
    )


def _holds_of_job(title: str, lines: Sequence[str]) -> Json:
    more = len(lines) - HOLDS_A_JOB
    rest = [say("… and {more:,} more", more=more)] if more > 0 else []
    return section("\n".join([f"*{SLACK.data(title)}*", *lines[:HOLDS_A_JOB], *rest]))

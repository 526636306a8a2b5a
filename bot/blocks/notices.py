"""Answers, lists and direct messages: everything costbot says that is neither a card nor a window.

Pure functions of facts. An argument called `text` is plain text, shown exactly as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from slack_sdk.models.blocks import ButtonElement

from bot.blocks import words
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
from bot.blocks.words import ALOUD, SLACK, counted
from bot.payloads import Action, PrivilegeButton
from workflow.bursts import BurstFacts
from workflow.privileges import Refused
from workflow.queries import HistoryEvent, HoldFacts, UpdateFacts
from workflow.tables import DataSync, Job, Person
from workflow.vocabulary import Refusal, SyncState

JOBS_SHOWN = 20
EVENTS_SHOWN = 25
JOBS_TOLD = 10
EVENTS_A_JOB = 5
HOLDS_A_JOB = 10
SYNCS_SHOWN = 10
_HASH_SHOWN = 12
_SYNC_WORDS = {
    SyncState.CLAIMED: "being prepared",
    SyncState.PLANNED: "on its way to Sage",
    SyncState.SENT: "sent, waits for the read-back",
    SyncState.FINISHED: "finished",
}


@dataclass(frozen=True, slots=True)
class Told:
    """An event to tell a person of: its job as it stands now, and the address of the job's card."""

    event: HistoryEvent
    facts: UpdateFacts | None = None
    card: str | None = None


def answer(text: str) -> Message:
    """A short answer."""
    return message(escape(text), [plain_section(text)])


class Files(StrEnum):
    """What became of the files of a report, in words."""

    SENT = "The chart and a CSV file with every figure are in your direct message with costbot."
    LATER = (
        "Slack takes no files from costbot at this moment, so this is the report in words alone. "
        "Ask again in a minute for the chart."
    )
    REFUSED = (
        "Slack does not let costbot send files, so this is the report in words alone. "
        "Tell your administrator: costbot doctor says what is missing."
    )
    UNKNOWN = (
        "Slack did not say whether the chart and the CSV file arrived. "
        "Look into your direct message with costbot, and ask again if they are not there."
    )


def report(title: str, sentences: Sequence[str], files: Files) -> Message:
    """A report in words, and where its files are; title and sentences are plain."""
    said = "\n".join(map(SLACK.data, sentences))
    head = f"*{SLACK.data(title)}*\n{said}"
    return message(f"{escape(title)}. {' '.join(map(escape, sentences))}", [section(head), context(files)])


def denied(text: str, reason: Refusal, *, can_ask: bool) -> Message:
    """Why a person may not, and whom to ask; with a button that asks, where asking helps."""
    ask = button("Ask for the privilege", Action.ASK_FOR_PRIVILEGE, PrivilegeButton(reason=reason))
    return message(
        escape(f"🔒 {text}"), [plain_section(f"🔒 {text}"), *([actions([ask])] if can_ask else [])]
    )


def direct_message(told: Sequence[Told]) -> Message:
    """One message for one event or for many that were gathered, by job, oldest first."""
    by_job: dict[int | None, list[Told]] = {}
    for one in told:
        by_job.setdefault(one.facts.job_id if one.facts else None, []).append(one)
    groups = list(by_job.values())
    blocks = fitting(_told_of_job(group) for group in groups[:JOBS_TOLD])
    if len(groups) > len(blocks):
        more = counted(len(groups) - len(blocks), "more job")
        blocks.append(context(f"… and {more}: `/costcodes jobs`"))
    first = told[0]
    about = f"{SLACK.data(first.facts.title)}: " if first.facts else ""
    others = f" And {counted(len(told) - 1, 'more message')}." if len(told) > 1 else ""
    return message(f"{about}{words.event_words(first.event, ALOUD)}{others}", blocks)


def digest(rows: Sequence[UpdateFacts], total: int, *, is_reminder: bool) -> Message:
    """What waits for an approver; `rows` are the jobs that waited longest of `total`, which is not 0."""
    waits = "1 job waits" if total == 1 else f"{total:,} jobs wait"
    head = (
        f"⏰ Reminder: {waits} for an approver" if is_reminder else f"🗒️ Your digest: {waits} for an approver"
    )
    shown = fitting(map(job_row, rows[:JOBS_TOLD]))
    more = total - len(shown)
    rest = [context(f"… and {counted(more, 'more job')}: `/costcodes ready`")] if more > 0 else []
    how = context("`/costcodes notify` says how often you hear of them, and when not.")
    oldest = f" The one that waits longest: {ALOUD.data(rows[0].title)}." if rows else ""
    return message(f"{head}.{oldest}", [section(f"*{head}*"), *shown, *rest, how])


def noted(said: Message, note: str) -> Message:
    """A message with a line before it, of `mrkdwn`, that says why it comes to whoever reads it."""
    return message(f"{note} {said.text}", [context(f"↪️ {note}"), *said.blocks])


def thread_reply(event: HistoryEvent) -> Message:
    """One event of a job, told in the thread of its card."""
    return message(words.event_words(event, ALOUD), [section(words.event_words(event))])


def jobs_list(
    rows: Sequence[UpdateFacts], total: int, *, heading: str, update_several: bool = False
) -> Message:
    """The Jobs list with a View button a row; `rows` are the first of `total`, `heading` is plain.

    With `update_several` it ends with the button that opens the window of all ready jobs.
    """
    shown = fitting(map(job_row, rows[:JOBS_SHOWN]))
    title = f"{heading}: {counted(total, 'job')}"
    more = total - len(shown)
    rest = [context(f"… and {more:,} more. Narrow it down: `/costcodes jobs ready riverside`")]
    several = [actions([several_button()])] if update_several and total > 1 else []
    return message(
        escape(title),
        [section(f"*{SLACK.data(title)}*"), *shown, *(rest if more > 0 else []), *several],
    )


def burst_digest(burst: BurstFacts) -> Message:
    """Tells the channel once that many jobs became ready, and how far their cards are."""
    head = f"{counted(burst.jobs, 'job')} became Ready to Update at once"
    if burst.waiting:
        there = burst.jobs - burst.waiting
        far = (
            f"Their cards follow here, oldest first, about one a second: {there:,} of {burst.jobs:,} so far."
        )
    else:
        far = "Every one of them has its card here."
    how = "`/costcodes ready` lists them, and `/costcodes update` updates many at once."
    return message(
        f"{head}. {far}",
        [
            section(f"📥 *{head}* {SLACK.date(burst.began_at)}\n{far}"),
            context(how),
            actions([several_button()]),
        ],
    )


def several_button(label: str = "Update several") -> ButtonElement:
    """Opens Update several."""
    return button(label, Action.UPDATE_SEVERAL)


def job_row(facts: UpdateFacts) -> Json:
    """One job in two lines, with its View button."""
    return section(
        f"*{SLACK.data(facts.title)}*\n{words.STATE_EMOJI[facts.state]} {words.STATE_WORDS[facts.state]}, "
        f"{words.counts_words(facts.counts)}\n{words.request_words(facts)}",
        accessory=view_button(facts),
        block_id=f"job:{facts.job_id}",
    )


def holds_list(holds: Sequence[tuple[Job, HoldFacts]]) -> Message:
    """What waits for cost codes, job by job, as `queries.list_holds` has it."""
    by_job: dict[str, list[str]] = {}
    for job, hold in holds:
        if hold.waiting:
            by_job.setdefault(job.title, []).append(words.hold_line(hold))
    if not by_job:
        return answer("Nothing is on hold: no contract or change order waits for cost codes.")
    count = counted(sum(map(len, by_job.values())), "contract")
    head = f"⏸️ {count} on hold until the cost codes of the job are updated"
    shown = fitting(_holds_of_job(title, lines) for title, lines in by_job.items())
    more = len(by_job) - len(shown)
    rest = [context(f"… and those of {counted(more, 'more job')}: `costbot hold list`")]
    return message(head, [section(f"*{head}*"), *shown, *(rest if more else [])])


def history(title: str, events: Sequence[HistoryEvent]) -> Message:
    """What happened to a job, newest last; `title` is plain."""
    if not events:
        return answer(f"Nothing has happened to {title} yet.")
    newest = [section(words.dated_event_words(event)) for event in reversed(events[-EVENTS_SHOWN:])]
    shown = fitting(newest)
    earlier = len(events) - len(shown)
    rest = [context(f"… {earlier:,} earlier: `costbot audit export` has them all")]
    head = f"History of {SLACK.data(title)}"
    return message(head, [section(f"*{head}*"), *(rest if earlier else []), *reversed(shown)])


def syncs(data_syncs: Sequence[DataSync], *, next_sync: datetime | None) -> Message:
    """The newest data syncs, newest first, and when the next one runs."""
    lines = [f"• {sync_words(sync)}" for sync in data_syncs[:SYNCS_SHOWN]] or ["No data sync has run yet"]
    return message(
        "Data syncs",
        [section("*Data syncs*\n" + "\n".join(lines)), context(words.next_sync_words(next_sync))],
    )


def sync_words(sync: DataSync) -> str:
    """One data sync: its batch, its state, when, and what Sage made of it."""
    result = words.outcome_words(sync.created, sync.tied, sync.already_there, sync.failed)
    when = SLACK.date(sync.finished_at or sync.sent_at or sync.started_at)
    jobs = counted(sync.jobs, "job")
    finished = ""
    if sync.finished_at:
        finished = f": {result}, in {words.time_taken(sync.started_at, sync.finished_at)}"
    elif sync.alerted_at:
        finished = ": nobody has imported its file yet"
    file = f"; file {sync.file} (SHA-256 {(sync.file_sha256 or '')[:_HASH_SHOWN]}…)" if sync.file else ""
    return f"{sync.batch} {_SYNC_WORDS[sync.state]} {when}, {jobs}{finished}{file}"


def whoami(person: Person | None, refused: Refused | None) -> Message:
    """Who the company directory says a person is, and whether they may Update."""
    verdict = (
        f"🔒 {refused.words}" if refused else "✅ You are an accounting approver: you may update and reject."
    )
    if person is None:
        return answer(verdict)
    permission = person.erp_permission.replace("_", " ").capitalize()
    facts = (
        f"You are {person.name} ({person.email}) in the company directory.",
        f"ERP Integrations: {permission}",
        f"Can Push to Accounting: {'yes' if person.can_push_to_accounting else 'no'}",
        f"Active: {'yes' if person.active else 'no'}",
        verdict,
    )
    return answer("\n".join(facts))


def help_text() -> Message:
    """What `/costcodes` understands."""
    lines = (f"`/costcodes {usage}` {meaning}" for usage, meaning in COMMANDS.items())
    return message("How to use /costcodes", [section("*How to use /costcodes*\n" + "\n".join(lines))])


COMMANDS = {
    "jobs [ready|accepted|failed|synced|rejected|expired|all] [text]": (
        "lists jobs; without a word, those Ready to Update"
    ),
    "ready": "lists the jobs Ready to Update",
    "show JOB": "opens the job's Cost Codes for Update",
    "update [JOB]": "opens the same window, where an approver updates; without a job, many jobs at once",
    "request [JOB]": "asks for new cost codes and categories of a job",
    "sync": "runs a data sync now",
    "syncs": "lists the latest data syncs",
    "holds": "lists contracts that wait for cost codes",
    "history JOB": "tells what happened to a job",
    "report [week|month]": "sends you the waits, the volume and the failures as a chart and a CSV file",
    "notify": "opens what you want to hear of, and your quiet hours",
    "away [2026-12-01..2026-12-05 to @person | off]": "lets another approver stand in, shows it, or ends it",
    "whoami": "says who costbot takes you for, and what you may do",
    "help": "shows this",
}
"""Usage and meaning of every subcommand."""


def _told_of_job(group: Sequence[Told]) -> Json:
    last = group[-1]
    lines = [words.event_words(one.event) for one in group[-EVENTS_A_JOB:]]
    if len(group) > EVENTS_A_JOB:
        lines.insert(0, f"… {len(group) - EVENTS_A_JOB:,} earlier")
    if last.facts is None:
        return section("\n".join(lines))
    card = f"  <{last.card}|Open the card>" if last.card else ""
    return section(
        "\n".join([f"*{SLACK.data(last.facts.title)}*{card}", *lines]),
        accessory=view_button(last.facts),
        block_id=f"job:{job_button(last.facts).job_id}",
    )


def _holds_of_job(title: str, lines: Sequence[str]) -> Json:
    more = len(lines) - HOLDS_A_JOB
    rest = [f"… and {more:,} more"] if more > 0 else []
    return section("\n".join([f"*{SLACK.data(title)}*", *lines[:HOLDS_A_JOB], *rest]))

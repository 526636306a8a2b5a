"""The jobs on App Home: a page of one list, with what may be done about each, its menu, search and paging.

Pure functions of facts. Update stands beside the revision that is shown, as on the card, and is judged at the
click all the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.blocks import words
from bot.blocks.job_card import ask_again_button, update_button, view_button
from bot.blocks.pieces import (
    Json,
    actions,
    button,
    context,
    divider,
    header,
    menu,
    plain_section,
    search_box,
    section,
)
from bot.blocks.words import SLACK, code_words
from bot.payloads import Action, FilterChoice, HomePageButton
from workflow.facts import UpdateFacts
from workflow.homes import SEARCH_CHARACTERS
from workflow.language import later, plural, say
from workflow.privileges import USUAL_RULES, Rules
from workflow.queues import QueuedUpdate
from workflow.vocabulary import TURNED_DOWN, JobFilter, Severity, State

JOBS_A_PAGE = 10
"""Three blocks a job: a page stays far under Slack's 100, and short enough for a phone."""
FILTER_WORDS = {
    JobFilter.READY: later("Ready to Update"),
    JobFilter.ACCEPTED: later("Updated, on their way to Sage"),
    JobFilter.FAILED: later("Failed to Export"),
    JobFilter.SYNCED: later("Synced"),
    JobFilter.MINE: later("Requested by you"),
}
_EMPTY = {
    JobFilter.READY: later("✅ Nothing waits for an approver."),
    JobFilter.ACCEPTED: later("Nothing is on its way to Sage."),
    JobFilter.FAILED: later("✅ Sage has refused nothing."),
    JobFilter.SYNCED: later("Nothing was sent to Sage yet."),
    JobFilter.MINE: later("You have not requested any cost codes yet."),
}
_REASONS = 3


@dataclass(frozen=True, slots=True)
class JobList:
    """One page of jobs: which list, what it was narrowed to, and what else there is of it."""

    which: JobFilter
    search: str
    page: int
    """Counts from 0."""
    rows: Sequence[QueuedUpdate]
    """JOBS_A_PAGE at most."""
    goes_on: bool
    ready: int
    """How many jobs are Ready to Update in all."""


def job_list(jobs: JobList, *, may_update: bool, now: datetime, rules: Rules = USUAL_RULES) -> Iterator[Json]:
    """The list as blocks: its head, a menu and a search, three blocks a job, and the way to other pages."""
    yield header(_head(jobs))
    chosen = FilterChoice(filter=jobs.which)
    shown = {FilterChoice(filter=which): say(text) for which, text in FILTER_WORDS.items()}
    # Slack keeps what a person chose and typed in blocks of the same ids: another list has others
    menu_id, box_id = f"home:filter:{jobs.which}", f"home:search:{jobs.search}"
    yield actions([menu(say("Which jobs"), Action.HOME_FILTER, shown, chosen)], block_id=menu_id)
    yield search_box(
        say("Search by job number or name, then press Enter"),
        Action.HOME_SEARCH,
        jobs.search,
        most=SEARCH_CHARACTERS,
        block_id=box_id,
    )
    if jobs.search:
        yield _narrowed(jobs)
    elif not jobs.rows:
        yield plain_section(say(_EMPTY[jobs.which]))
    for row in jobs.rows[:JOBS_A_PAGE]:
        yield divider()
        is_mine = jobs.which is JobFilter.MINE
        yield from job_row(row, mine=is_mine, may_update=may_update, now=now, rules=rules)
    yield from _turning(jobs)


def job_row(
    row: QueuedUpdate, *, mine: bool, may_update: bool, now: datetime, rules: Rules = USUAL_RULES
) -> Iterator[Json]:
    """One job: where it stands and why, then its buttons; `mine` for whoever requested it."""
    facts = row.facts
    yield section("\n".join(_lines(row, now, rules)))
    buttons = [view_button(facts), *(update_button(facts, rules) if may_update else ())]
    if mine and facts.state in TURNED_DOWN:
        buttons.append(ask_again_button(facts))
    yield actions(buttons, block_id=f"{'mine' if mine else 'job'}:{facts.requested_update_id}")


def _head(jobs: JobList) -> str:
    if jobs.which is JobFilter.READY and jobs.ready:
        return plural("{n:,} job Ready to Update", "{n:,} jobs Ready to Update", jobs.ready)
    return say(FILTER_WORDS[jobs.which])


def _narrowed(jobs: JobList) -> Json:
    """What the list was narrowed to, and a button that shows it whole again."""
    sought = SLACK.data(jobs.search)
    words = later("Only jobs with “{sought}”.") if jobs.rows else later("No job here has “{sought}”.")
    found = say(words, sought=sought)
    return section(found, accessory=button(say("Show all"), Action.HOME_SEARCH), block_id="home:show_all")


def _lines(row: QueuedUpdate, now: datetime, rules: Rules) -> Iterator[str]:
    facts = row.facts
    yield SLACK.strong(SLACK.data(facts.title))
    yield _standing(facts, now)
    yield from filter(None, [words.approvers_words(facts, rules)])
    yield f"{words.counts_words(facts.counts)}. {words.request_words(facts)}."
    if facts.holds_waiting:
        yield f"⏸️ {words.waiting_count(facts.holds_waiting, rules)}"
    yield from _refusing(facts)
    yield from _refused(row)


def _standing(facts: UpdateFacts, now: datetime) -> str:
    """The state, and of what waits for an approver how long it has."""
    state = words.state_words(facts)
    if facts.state is not State.READY:
        return state
    return say("{state} for {age}", state=state, age=words.age_words(facts.requested_at, now))


def _refusing(facts: UpdateFacts) -> Iterator[str]:
    """Why there is no Update button, by the checks before Update."""
    if facts.state is not State.READY or not facts.found.refusing:
        return
    said = [finding for finding in facts.found.first if finding.severity is Severity.REFUSE][:_REASONS]
    yield plural(
        "*Cannot be updated: Sage would refuse {n:,} thing*",
        "*Cannot be updated: Sage would refuse {n:,} things*",
        facts.found.refusing,
    )
    yield from map(words.finding_words, said)
    if facts.found.refusing > len(said):
        yield say("… and {more:,} more", more=facts.found.refusing - len(said))


def _refused(row: QueuedUpdate) -> Iterator[str]:
    """What Sage refused, in its words."""
    for assignment, why in row.refused:
        code = code_words(assignment.extra, assignment.code)
        yield f"• {SLACK.data(f'{code} {assignment.category}: {say(why)}')}"
    more = row.facts.counts.failed - len(row.refused)
    if row.refused and more > 0:
        yield plural("… and {n:,} more line", "… and {n:,} more lines", more)


def _turning(jobs: JobList) -> Iterator[Json]:
    first = jobs.page * JOBS_A_PAGE + 1
    turns = []
    if jobs.page > 0:
        turns.append(button(say("Previous"), Action.HOME_PREVIOUS, HomePageButton(page=jobs.page - 1)))
    if jobs.goes_on:
        turns.append(button(say("Next"), Action.HOME_NEXT, HomePageButton(page=jobs.page + 1)))
    if not turns:
        return
    if jobs.rows:
        last = first + len(jobs.rows) - 1
        if jobs.which is JobFilter.READY and not jobs.search:
            yield context(
                say("Jobs {first:,} to {last:,} of {all:,}", first=first, last=last, all=jobs.ready)
            )
        else:
            yield context(say("Jobs {first:,} to {last:,}", first=first, last=last))
    yield actions(turns, block_id="home:turn")

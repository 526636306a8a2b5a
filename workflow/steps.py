"""What costbot's steps do in a workflow of Slack's: ask for cost codes of a job, and wait for the Update.

A step does what the person could do by hand, by the same functions: it widens no right, and no step Updates.
What is wrong with its input ends it with words that name every line to mend.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from workflow import directory, drafts, queries, requests, waiting_steps
from workflow.asked_lines import EXAMPLE, parse_lines
from workflow.characters import storable
from workflow.checks import SageLimits
from workflow.columns import Unfit
from workflow.drafts import Content
from workflow.language import say
from workflow.privileges import Actor, Refused, Rules
from workflow.tables import Job, RequestedUpdate, WorkflowStep
from workflow.vocabulary import State, StepKind, Until
from workflow.waiting_steps import NOTHING

LONGEST_NOTE = 500
MOST_LINES = 2_000
"""A step takes so many lines; a longer list is imported as a file."""
_PROBLEMS_IN_FULL = 30
_NUMBER_SHOWN = 100
_UNTIL = {
    "": Until.UPDATE,
    "update": Until.UPDATE,
    "updated": Until.UPDATE,
    "synced": Until.SYNCED,
    "sync": Until.SYNCED,
}


def ask(
    session: Session,
    function_execution_id: str,
    *,
    team_id: str,
    job: str,
    lines: str,
    note: str,
    by: Actor,
    at: datetime,
    rules: Rules,
    limits: SageLimits,
) -> WorkflowStep | None:
    """Ask for the cost codes that `lines` names, one a line, of the job with this number.

    Returns the step, ended well or with words; None when this step was begun before.
    """
    step = waiting_steps.begin(session, function_execution_id, team_id=team_id, kind=StepKind.ASK, at=at)
    if step is None:
        return None
    lines, note = storable(lines), storable(note.strip())
    result = _ask(session, step, job, lines, note, by=by, at=at, rules=rules, limits=limits)
    if isinstance(result, str):
        waiting_steps.fail(session, step, result, at=at)
    else:
        waiting_steps.complete(session, step, result, at=at)
    return step


def wait(
    session: Session,
    function_execution_id: str,
    *,
    team_id: str,
    job: str,
    until: str,
    by: Actor,
    at: datetime,
    rules: Rules,
) -> WorkflowStep | None:
    """Wait for what is requested of the job with this number; `until` is `Update` or `synced`.

    Where nothing waits it ends at once, with what came of the job's newest requested update. Returns the
    step; None when this step was begun before.
    """
    step = waiting_steps.begin(session, function_execution_id, team_id=team_id, kind=StepKind.WAIT, at=at)
    if step is None:
        return None
    refused = requests.check(session, by=by, at=at, rules=rules, act="wait for the Update")
    found = _job(session, job)
    awaited = _UNTIL.get(until.strip().casefold())
    if refused:
        waiting_steps.fail(session, step, refused.words, at=at)
    elif isinstance(found, str):
        waiting_steps.fail(session, step, found, at=at)
    elif awaited is None:
        shown = storable(until.strip())[:_NUMBER_SHOWN]
        words = say("“{until}” is nothing that can be waited for. Write Update or synced.", until=shown)
        waiting_steps.fail(session, step, words, at=at)
    else:
        # so that the state does not change between this look and the end of the transaction
        directory.lock_jobs(session, [found.id])
        newest = _newest(session, found)
        step.job_id = found.id
        if newest is None:
            nothing = {"outcome": NOTHING, "waited": False, "who": "", "at": None, "comment": ""}
            waiting_steps.complete(session, step, nothing, at=at)
        else:
            waiting_steps.wait(session, step, newest, awaited, at=at)
    return step


def not_known(
    session: Session, function_execution_id: str, words: str, *, team_id: str, at: datetime
) -> WorkflowStep | None:
    """End a step that this costbot cannot run, with words; None when that was done before."""
    step = waiting_steps.begin(session, function_execution_id, team_id=team_id, kind=None, at=at)
    if step is not None:
        waiting_steps.fail(session, step, words, at=at)
    return step


def _ask(
    session: Session,
    step: WorkflowStep,
    job: str,
    lines: str,
    note: str,
    *,
    by: Actor,
    at: datetime,
    rules: Rules,
    limits: SageLimits,
) -> dict[str, object] | str:
    """The facts of the request, or why there is none."""
    refused = requests.check(session, by=by, at=at, rules=rules)
    if refused:
        return refused.words
    found = _job(session, job)
    if isinstance(found, str):
        return found
    step.job_id = found.id
    wrong = _wrong(session, lines, limits=limits)
    if len(note) > LONGEST_NOTE:
        wrong.append(say("the note is longer than {most:,} characters", most=LONGEST_NOTE))
    if wrong:
        return _to_mend(found, wrong)
    asked = parse_lines(lines, queries.categories(session)).assignments
    result = requests.request(
        session, job=found, assignments=asked, by=by, at=at, rules=rules, limits=limits, note=note
    )
    match result:
        case Refused(words=words):
            return words
        case Unfit(problems=problems):
            return _to_mend(found, [one.reason for one in problems])
    step.requested_update_id = result.requested_update.id
    added = result.added if isinstance(result, requests.Requested) else 0
    return {"added": added, "revision": result.requested_update.revision}


def _wrong(session: Session, lines: str, *, limits: SageLimits) -> list[str]:
    """Why the lines cannot be asked for, each by its number."""
    if len(lines.splitlines()) > MOST_LINES:
        return [say("there are more than {most:,} lines; import a CSV file instead", most=MOST_LINES)]
    categories = queries.categories(session)
    wrong = drafts.problems(session, Content(text=lines), categories=categories, limits=limits)
    asked = parse_lines(lines, categories)
    # those are told of already
    unknown = {asked.codes[one.index] for one in requests.unknown_codes(session, asked.codes, limits=limits)}
    wrong += [
        say(
            "line {line}: {code} names no category; write a line like {example}",
            line=number,
            code=code,
            example=EXAMPLE,
        )
        for number, code in zip(asked.code_lines, asked.codes, strict=True)
        if code not in unknown
    ]
    if not wrong and not asked.assignments:
        return [say("there is no cost code; write one a line, like {example}", example=EXAMPLE)]
    return wrong


def _to_mend(job: Job, wrong: Sequence[str]) -> str:
    told = "\n".join(f"• {one}" for one in wrong[:_PROBLEMS_IN_FULL])
    head = say("Nothing was requested for {job}. Mend this and run the workflow again:", job=job.title)
    more = ", ".join(one.partition(":")[0] for one in wrong[_PROBLEMS_IN_FULL:])
    rest = [say("• and likewise {lines}", lines=more)] if more else []
    return "\n".join([head, told, *rest])


def _job(session: Session, number: str) -> Job | str:
    """The job with this number, or that there is none."""
    job = directory.job_by_number(session, number)
    shown = storable(number.strip())[:_NUMBER_SHOWN]
    return job or say("There is no job “{number}”. Write the job's number as Sage has it.", number=shown)


def _newest(session: Session, job: Job) -> RequestedUpdate | None:
    """The requested update of a job that is open, else on its way to Sage, else the last one."""
    nearest = case(
        (RequestedUpdate.state == State.READY, 0),
        (RequestedUpdate.state.in_((State.ACCEPTED, State.EXPORTED)), 1),
        else_=2,
    )
    query = select(RequestedUpdate).where(RequestedUpdate.job_id == job.id)
    newest = query.order_by(nearest, RequestedUpdate.requested_at.desc(), RequestedUpdate.id.desc()).limit(1)
    return session.scalars(newest.execution_options(populate_existing=True)).one_or_none()

"""`costbot update`, `reject`, `take-back` and `send-again`: the approver's acts, as in Slack."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from bot.blocks.words import counted
from bot.commands.command import (
    LARGEST_INTEGER,
    ByEmail,
    CommandLine,
    JobNumber,
    command,
    failed,
    refused,
    unknown_job,
)
from bot.commands.request_shapes import FIRST_OF_TWO, JobResultShape, NewLineShape, SeveralShape, StaleShape
from bot.commands.requests import described, summary
from bot.commands.terminal import Answer
from workflow import approvals, audit, directory, queries, reopening
from workflow.acting import AlreadyDecided, Decision, Done, FirstOfTwo, Stale
from workflow.facts import UpdateFacts
from workflow.privileges import Actor, Refused
from workflow.tables import Job
from workflow.vocabulary import Refusal, State

_NEW_SHOWN = 12

app = typer.Typer()

SeenRevision = Annotated[
    int | None,
    typer.Option(
        "--revision",
        min=0,
        max=LARGEST_INTEGER,
        help="The revision that you looked at; default: the present one.",
    ),
]
JobNumbers = Annotated[
    list[str], typer.Argument(metavar="JOB...", help="Job numbers, such as 24-017 24-031.")
]
Comment = Annotated[str, typer.Option("--comment", help="Why, for the person who asked.")]


@dataclass(frozen=True, slots=True)
class _Act:
    """An act of `workflow.approvals`, the state it is about, and its refusal where nothing was requested."""

    name: str
    function: Callable[..., Decision]
    on: State
    without: Refusal


_UPDATE = _Act("update", approvals.accept, State.READY, Refusal.NOT_READY)
_REJECT = _Act("reject", approvals.reject, State.READY, Refusal.NOT_READY)
_TAKE_BACK = _Act("take back", reopening.take_back, State.ACCEPTED, Refusal.NOT_ACCEPTED)
_SEND_AGAIN = _Act("send again", reopening.send_again, State.FAILED, Refusal.NOT_FAILED)

Options = Callable[[UpdateFacts], Mapping[str, object]]
"""What an act wants to be told beside who, when and which, from what is there now."""


@command(app, "update")
def update(line: CommandLine, jobs: JobNumbers, by: ByEmail, revision: SeenRevision = None) -> Answer:
    """Accept the requested update of a job, or of several, each for itself, for the next data sync."""

    def seen(now: UpdateFacts) -> Mapping[str, object]:
        return {"revision": now.revision if revision is None else revision}

    if len(jobs) == 1:
        return _do(line, _UPDATE, jobs[0], by, seen)
    if revision is not None:
        raise typer.BadParameter("--revision is of one job: name one job, or leave it out.")
    return _several({job: _do(line, _UPDATE, job, by, seen) for job in jobs})


@command(app, "reject")
def reject(line: CommandLine, job: JobNumber, by: ByEmail, comment: Comment) -> Answer:
    """Turn a job's requested update down, with a comment for whoever asked."""
    return _do(line, _REJECT, job, by, lambda now: {"revision": now.revision, "comment": comment})


@command(app, "take-back")
def take_back(line: CommandLine, job: JobNumber, by: ByEmail) -> Answer:
    """Undo an Update that no data sync has picked up yet."""
    return _do(line, _TAKE_BACK, job, by, lambda _: {})


@command(app, "send-again")
def send_again(line: CommandLine, job: JobNumber, by: ByEmail) -> Answer:
    """Make what Sage refused Ready to Update again, after it was corrected in Sage or in the profile."""
    return _do(line, _SEND_AGAIN, job, by, lambda _: {})


def _do(line: CommandLine, act: _Act, number: str, email: str, options: Options) -> Answer:
    """Act in one transaction, which is kept when a rule refuses too: the refusal is on record."""
    _know_anew(line, email)
    with line.database.writing() as session:
        actor = line.person(session, email)
        job = directory.job_by_number(session, number)
        now = queries.current_update(session, job.id, preferring=act.on) if job else None
        if job is None or now is None:
            return _nothing_there(line, session, act, number, job, actor)
        decision = act.function(
            session,
            requested_update_id=now.requested_update_id,
            by=actor,
            at=line.now(),
            rules=line.settings.rules,
            **options(now),
        )
        match decision:
            case Refused():
                return refused(decision.words, reason=decision.reason)
            case AlreadyDecided():
                return refused(decision.words, reason="already_decided")
            case Stale():
                return _stale(decision)
            case FirstOfTwo():
                after = queries.update_facts(session, [now.requested_update_id])[0]
                return Answer(described(session, job, after).facts, [*summary(after), FIRST_OF_TWO])
            case Done():
                after = queries.update_facts(session, [now.requested_update_id])[0]
                return Answer(described(session, job, after).facts, summary(after))


def _know_anew(line: CommandLine, email: str) -> None:
    if line.settings.rules.people_known_for is None:
        return
    from sync.procore.people import know_person

    with line.database.reading() as session:
        person_id = line.person(session, email).person_id
    if person_id is not None:
        know_person(line.settings, line.database, person_id, clock=line.now)


def _several(answers: Mapping[str, Answer]) -> Answer:
    """What became of each job; refused when one was refused, failed when there is no such job."""
    results = [JobResultShape.of(job, answer.facts) for job, answer in answers.items()]
    said = [f"{result.job}: {result.words}" for result in results]
    exit_code = min((answer.exit_code for answer in answers.values() if answer.exit_code), default=0)
    undone = sum(answer.exit_code != 0 for answer in answers.values())
    why = f"{counted(undone, 'job was', 'jobs were')} not updated." if undone else ""
    return Answer(SeveralShape(jobs=results), said, exit_code=exit_code, why=why)


def _nothing_there(
    line: CommandLine, session: Session, act: _Act, number: str, job: Job | None, actor: Actor
) -> Answer:
    at, rules = line.now(), line.settings.rules
    refusal = approvals.check(session, act.name, by=actor, at=at, rules=rules)
    if refusal is not None:
        return refused(refusal.words, reason=refusal.reason)
    words = (
        f"Nothing was ever requested for {job.title}." if job else unknown_job(number, line.settings.source)
    )
    refusal = Refused(act.without, words)
    job_id = job.id if job else None
    audit.refuse(session, refusal, act.name, by=actor, at=at, job_id=job_id, job=number)
    return refused(words, reason=act.without) if job else failed(words, reason="unknown_job")


def _stale(stale: Stale) -> Answer:
    answer = refused(stale.words, reason="stale")
    new = [NewLineShape(extra=a.extra, code=a.code, category=a.category) for a in stale.new]
    listed = "".join(f"\n  new: {a.code} {a.category}" for a in stale.new[:_NEW_SHOWN])
    if len(stale.new) > _NEW_SHOWN:
        listed += f"\n  and {len(stale.new) - _NEW_SHOWN:,} more"
    facts = StaleShape(words=stale.words, new=new)
    return Answer(facts, exit_code=answer.exit_code, why=stale.words + listed)

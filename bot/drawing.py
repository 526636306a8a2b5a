"""What a notice says, read and drawn at delivery: the newest facts, never those of when it was written."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain, islice

from sqlalchemy.orm import Session

from bot.blocks import notices, privilege, reach_words, step_words
from bot.blocks.job_card import CODES_ON_CARD, job_card
from bot.blocks.notices import ToldJob
from bot.blocks.pieces import Json, Message
from workflow import privilege_requests, queries
from workflow.aways import StandIn
from workflow.language import say
from workflow.privileges import USUAL_RULES, Rules
from workflow.tables import Job, OutboxNotice, WorkflowStep
from workflow.vocabulary import State


def card(session: Session, job_id: int, *, next_sync: datetime, rules: Rules = USUAL_RULES) -> Message | None:
    """The job's card as of now; None for a job that nothing was ever asked for."""
    facts = queries.current_update(session, job_id)
    if facts is None:
        return None
    # what Sage refused may stand anywhere among the lines, and the card shows it first
    limit = None if facts.state is State.FAILED else CODES_ON_CARD
    codes = queries.cost_codes(session, facts.requested_update_id, limit=limit)
    return job_card(facts, codes, queries.holds_of(session, job_id), next_sync=next_sync, rules=rules)


def reply(session: Session, notice: OutboxNotice) -> Message:
    """The event of a thread notice."""
    return notices.thread_reply(queries.history_event(session, _event_seq(notice)))


def jobs_told(gathered: Sequence[OutboxNotice]) -> list[int]:
    """The jobs that a direct message of these notices shows."""
    shown = islice(dict.fromkeys(notice.job_id for notice in gathered), notices.JOBS_TOLD)
    return [job_id for job_id in shown if job_id is not None]


def direct_message(
    session: Session, gathered: Sequence[OutboxNotice], *, cards: Mapping[int, str | None]
) -> Message:
    """The events of gathered direct notices, each job with the address of its card in `cards`.

    A burst gathers a thousand jobs for each approver: only what is shown is read.
    """
    by_job: dict[int | None, list[int]] = {}
    for notice in gathered:
        by_job.setdefault(notice.job_id, []).append(_event_seq(notice))
    shown = dict(islice(by_job.items(), notices.JOBS_TOLD))
    newest = {job_id: seqs[-notices.EVENTS_A_JOB :] for job_id, seqs in shown.items()}
    events = {e.seq: e for e in queries.history_events(session, list(chain(*newest.values())))}
    facts = queries.current_updates(session, [job_id for job_id in shown if job_id is not None])
    told = [
        ToldJob(
            [events[seq] for seq in newest[job_id]],
            earlier=len(seqs) - len(newest[job_id]),
            facts=facts.get(job_id) if job_id is not None else None,
            card=cards.get(job_id) if job_id is not None else None,
        )
        for job_id, seqs in shown.items()
    ]
    return notices.direct_message(told, jobs=len(by_job), events=len(gathered))


def digest(session: Session, gathered: Sequence[OutboxNotice]) -> Message | None:
    """What waits for an approver now; None when nothing does."""
    ready = [State.READY]
    total = queries.count_updates(session, ready)
    if not total:
        return None
    rows = queries.list_updates(session, ready, limit=notices.JOBS_TOLD)
    return notices.digest(rows, total, is_reminder=any(notice.event_seq for notice in gathered))


def note(stand_in: StandIn) -> str:
    """Why a message comes to whoever reads it while the person it is meant for is away."""
    away = stand_in.away
    if stand_in.cannot is None:
        return reach_words.forwarded_words(away.person.name, away.last_day)
    return reach_words.not_forwarded_words(away.delegate.name, stand_in.cannot)


def privilege_request(session: Session, notice: OutboxNotice) -> tuple[int, Message]:
    """The id of the request for the privilege that a notice is of, and its message as of now."""
    event = queries.history_event(session, _event_seq(notice))
    request_id = int(str(event.facts["privilege_request_id"]))
    found = privilege_requests.find(session, request_id)
    if found is None:
        raise ValueError(f"there is no request for the privilege {request_id}")
    return request_id, privilege.asked(found)


def _event_seq(notice: OutboxNotice) -> int:
    if notice.event_seq is None:
        raise ValueError(f"notice {notice.id} tells of no event")
    return notice.event_seq


def job_of_step(session: Session, function_execution_id: str) -> int | None:
    """The job whose card the outputs of a step that ended lead to."""
    step = session.get(WorkflowStep, function_execution_id)
    return step.job_id if step is not None and step.outputs is not None else None


def ended_step(session: Session, function_execution_id: str, *, link: str | None) -> Json | str | None:
    """What a workflow gets of a step that ended: outputs, or words where it failed; None without the step."""
    step = session.get(WorkflowStep, function_execution_id)
    if step is None or step.finished_at is None:
        return None
    if step.outputs is None:
        return step.error or say(step_words.WENT_WRONG)
    job = session.get_one(Job, step.job_id)
    return step_words.step_outputs(step.kind, step.outputs, number=job.number, title=job.title, link=link)

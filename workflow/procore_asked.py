"""What became of the assignments of a job that were asked for, as the intake from Procore has to know it."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from workflow import lines
from workflow.merge import Assignment
from workflow.tables import RequestedLine, RequestedUpdate
from workflow.vocabulary import TURNED_DOWN, Outcome, State


def open_lines(session: Session, job_id: int) -> list[RequestedLine]:
    """The lines of the job that wait for an approver."""
    query = (
        select(RequestedLine)
        .join(RequestedUpdate, RequestedUpdate.id == RequestedLine.requested_update_id)
        .where(
            RequestedUpdate.job_id == job_id,
            RequestedUpdate.state == State.READY,
            RequestedLine.outcome.is_(None),
        )
        .order_by(RequestedLine.id)
    )
    return list(session.scalars(query))


def in_states(session: Session, job_id: int, states: Collection[State]) -> set[Assignment]:
    """What is in requested updates of these states, but for what Sage refused."""
    query = (
        select(RequestedLine)
        .join(RequestedUpdate, RequestedUpdate.id == RequestedLine.requested_update_id)
        .where(
            RequestedUpdate.job_id == job_id,
            RequestedUpdate.state.in_(states),
            or_(RequestedLine.outcome.is_(None), RequestedLine.outcome != Outcome.FAILED),
        )
    )
    return {lines.assignment_of(line) for line in session.scalars(query)}


def failed_at(session: Session, job_id: int) -> dict[Assignment, datetime]:
    """When Sage refused each assignment of the job that is failed now."""
    query = (
        select(RequestedLine, RequestedUpdate.finished_at)
        .join(RequestedUpdate, RequestedUpdate.id == RequestedLine.requested_update_id)
        .where(
            RequestedUpdate.job_id == job_id,
            RequestedUpdate.state == State.FAILED,
            RequestedLine.outcome == Outcome.FAILED,
        )
    )
    return {lines.assignment_of(line): at for line, at in session.execute(query) if at}


def turned_down_at(session: Session, job_id: int) -> dict[Assignment, datetime]:
    """When each assignment of the job was last turned down."""
    query = (
        select(
            RequestedLine.extra,
            RequestedLine.code,
            RequestedLine.category,
            func.max(RequestedUpdate.decided_at),
        )
        .join(RequestedUpdate, RequestedUpdate.id == RequestedLine.requested_update_id)
        .where(RequestedUpdate.job_id == job_id, RequestedUpdate.state.in_(TURNED_DOWN))
        .group_by(RequestedLine.extra, RequestedLine.code, RequestedLine.category)
    )
    return {
        Assignment(code, category, extra): at for extra, code, category, at in session.execute(query) if at
    }

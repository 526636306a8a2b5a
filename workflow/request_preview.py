"""What a request would do, before it is made: read only, for the window's last step and for steps of others.

Owns comparing what is asked for with what waits already and with what Sage holds; it judges nothing itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from workflow import findings, lines, queries
from workflow.checks import Finding, SageLimits
from workflow.facts import UpdateFacts
from workflow.merge import Assignment, plan
from workflow.tables import Job, RequestedUpdate
from workflow.vocabulary import Standing, State


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """One assignment: how it stands against Sage, and whether the job asks for it already."""

    assignment: Assignment
    description: str
    standing: Standing
    waits_already: bool
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of a request. `read_back_at` is when Sage was last read for the job, if ever.

    `joins` is the requested update that it would be added to: one that is Ready to Update, or was refused.
    """

    job_id: int
    title: str
    lines: tuple[PreviewLine, ...]
    joins: UpdateFacts | None
    read_back_at: datetime | None

    @property
    def new(self) -> list[PreviewLine]:
        """What the request would add."""
        return [line for line in self.lines if not line.waits_already]

    @property
    def found(self) -> list[Finding]:
        """What the checks find on it, each thing once, those that stop the Update first."""
        each = dict.fromkeys(finding for line in self.new for finding in line.findings)
        return sorted(each, key=lambda finding: finding.severity)


def preview(session: Session, job: Job, assignments: Sequence[Assignment], *, limits: SageLimits) -> Preview:
    """What a request for these assignments, each once, would do now."""
    current = queries.current_update(session, job.id, preferring=State.READY)
    joins = current if current and current.state in (State.READY, State.FAILED) else None
    new = set(assignments)
    if joins:
        new = set(
            lines.not_yet_in(
                session, session.get_one(RequestedUpdate, joins.requested_update_id), assignments
            )
        )
    planned = plan(assignments, lines.held_by_sage(session, job.id))
    descriptions = lines.standard_descriptions(session, {a.code for a in assignments})
    checked = findings.look(session, job, assignments, limits=limits)
    return Preview(
        job_id=job.id,
        title=job.title,
        lines=tuple(
            PreviewLine(
                assignment=assignment,
                description=descriptions.get(assignment.code, ""),
                standing=one.standing,
                waits_already=assignment not in new,
                findings=tuple(found),
            )
            for one, (assignment, found) in zip(planned, checked, strict=True)
        ),
        joins=joins,
        read_back_at=job.read_back_at,
    )

"""Read models: the facts that cards, windows, App Home and the command line show.

Plain frozen values, read in one session; nothing here writes, and nothing formats for a person.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, Select, and_, case, distinct, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from workflow import findings
from workflow.characters import storable
from workflow.checks import Finding
from workflow.facts import (
    CostCodeFacts,
    Counts,
    FirstApprovalFacts,
    Found,
    HistoryEvent,
    HoldFacts,
    LineFacts,
    UpdateFacts,
)
from workflow.lines import held_by_sage
from workflow.merge import CodeKey, SageCode
from workflow.tables import (
    AuditEvent,
    Category,
    DataSync,
    FirstApproval,
    Hold,
    Job,
    LineFinding,
    Person,
    RequestedLine,
    RequestedUpdate,
)
from workflow.vocabulary import (
    Outcome,
    Rule,
    Severity,
    Standing,
    State,
    SyncState,
)

CURRENT_FIRST = (State.READY, State.FAILED, State.ACCEPTED, State.EXPORTED)
"""Which requested update of a job is shown: the first of these states, else the newest."""
FILTERS: Mapping[str, tuple[State, ...]] = {
    "ready": (State.READY,),
    "accepted": (State.ACCEPTED, State.EXPORTED),
    "failed": (State.FAILED,),
    "synced": (State.SYNCED,),
    "rejected": (State.REJECTED,),
    "expired": (State.EXPIRED,),
    "all": (),
}
"""The filters of the Jobs list, by the word that people type, as states for `list_updates`."""
FINDINGS_SHOWN = 6
"""How many different findings of a requested update its facts carry."""


def current_update(session: Session, job_id: int, *, preferring: State | None = None) -> UpdateFacts | None:
    """The requested update that a job shows now; None when nothing was ever asked for.

    A job may have one in another state beside it: `preferring` takes that one where there is one.
    """
    preferred = case((RequestedUpdate.state == preferring, 0), else_=1)
    chosen = session.scalars(
        select(RequestedUpdate.id)
        .where(RequestedUpdate.job_id == job_id)
        .order_by(preferred, _current_first(RequestedUpdate), RequestedUpdate.id.desc())
        .limit(1)
    ).one_or_none()
    found = update_facts(session, [chosen]) if chosen is not None else []
    return found[0] if found else None


def current_updates(session: Session, job_ids: Sequence[int]) -> dict[int, UpdateFacts]:
    """The requested update that each of these jobs shows now, by job; without those that have none."""
    chosen = session.scalars(current_ids().where(RequestedUpdate.job_id.in_(job_ids))).all()
    return {facts.job_id: facts for facts in update_facts(session, chosen)}


def list_updates(
    session: Session,
    states: Sequence[State] = (),
    *,
    text: str = "",
    limit: int | None = None,
    offset: int = 0,
) -> list[UpdateFacts]:
    """Jobs by their current requested update, oldest request first; no state means all states.

    `text` keeps jobs whose number or name has each word of it, letter case aside.
    """
    query = current_ids(states, text=text).order_by(RequestedUpdate.requested_at, RequestedUpdate.id)
    return update_facts(session, session.scalars(query.limit(limit).offset(offset)).all())


def count_updates(session: Session, states: Sequence[State] = (), *, text: str = "") -> int:
    """How many jobs `list_updates` would list without a limit."""
    return session.scalar(select(func.count()).select_from(current_ids(states, text=text).subquery())) or 0


def current_ids(states: Sequence[State] = (), *, text: str = "") -> Select[int]:
    """Select the ids of requested updates that their job shows now, of these states; all without any.

    `text` keeps jobs whose number or name has each word of it, letter case aside.
    """
    query = select(RequestedUpdate.id)
    if set(states) != {CURRENT_FIRST[0]}:  # nothing goes before that one, and a job has one at most
        query = query.where(~_ahead().exists())
    if states:
        query = query.where(RequestedUpdate.state.in_(states))
    return query.join(Job, Job.id == RequestedUpdate.job_id).where(job_contains(text)) if text else query


def job_contains(text: str) -> ColumnElement[bool]:
    """Whether each word of a text is in a job's number or its name, letter case aside."""
    return and_(
        true(),
        *(
            or_(Job.number.icontains(word, autoescape=True), Job.name.icontains(word, autoescape=True))
            for word in storable(text).split()
        ),
    )


def update_facts(session: Session, requested_update_ids: Sequence[int]) -> list[UpdateFacts]:
    """The facts of these requested updates, in the order given."""
    asker, decider, first = aliased(Person), aliased(Person), aliased(Person)
    waiting = (
        select(func.count())
        .select_from(Hold)
        .where(Hold.job_id == RequestedUpdate.job_id, Hold.released_at.is_(None))
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            RequestedUpdate,
            Job,
            asker.name,
            asker.email,
            decider.name,
            DataSync,
            waiting,
            first.name,
            FirstApproval.at,
        )
        .join(Job, Job.id == RequestedUpdate.job_id)
        .join(asker, asker.id == RequestedUpdate.requested_by_id)
        .outerjoin(decider, decider.id == RequestedUpdate.decided_by_id)
        .outerjoin(DataSync, DataSync.id == RequestedUpdate.data_sync_id)
        .outerjoin(
            FirstApproval,
            and_(
                FirstApproval.requested_update_id == RequestedUpdate.id,
                FirstApproval.revision == RequestedUpdate.revision,
            ),
        )
        .outerjoin(first, first.id == FirstApproval.approver_id)
        .where(RequestedUpdate.id.in_(requested_update_ids))
    )
    counts = _counts(session, requested_update_ids)
    found = _found(session, requested_update_ids)
    by_id = {
        requested.id: UpdateFacts(
            job_id=job.id,
            number=job.number,
            name=job.name,
            requested_update_id=requested.id,
            state=requested.state,
            revision=requested.revision,
            requested_by=asked_by,
            requested_by_email=email,
            requested_at=requested.requested_at,
            decided_by=decided_by,
            decided_at=requested.decided_at,
            comment=requested.comment,
            batch=sync.batch if sync else None,
            exported_at=requested.exported_at,
            finished_at=requested.finished_at,
            counts=counts.get(requested.id, Counts(0, 0, 0, 0, 0, 0, 0, 0)),
            holds_waiting=held or 0,
            found=found.get(requested.id, Found()),
            first_approval=FirstApprovalFacts(first_by, first_at) if first_by else None,
            decided_for=requested.decided_for,
        )
        for requested, job, asked_by, email, decided_by, sync, held, first_by, first_at in rows
    }
    return [by_id[wanted] for wanted in requested_update_ids if wanted in by_id]


def cost_codes(
    session: Session, requested_update_id: int, *, limit: int | None = None, offset: int = 0
) -> list[CostCodeFacts]:
    """The cost codes of a requested update by code, each with its categories; a page of them when limited."""
    requested = session.get(RequestedUpdate, requested_update_id)
    if requested is None:
        return []
    page = session.execute(
        select(RequestedLine.extra, RequestedLine.code)
        .where(RequestedLine.requested_update_id == requested_update_id)
        .distinct()
        .order_by(RequestedLine.extra, RequestedLine.code)
        .limit(limit)
        .offset(offset)
    )
    grouped: dict[CodeKey, list[RequestedLine]] = {key: [] for key in page}
    query = (
        select(RequestedLine)
        .where(
            RequestedLine.requested_update_id == requested_update_id,
            RequestedLine.code.in_({code for _, code in grouped}),
        )
        .order_by(RequestedLine.category)
    )
    for line in session.scalars(query):
        if (line.extra, line.code) in grouped:
            grouped[line.extra, line.code].append(line)
    in_sage = held_by_sage(session, requested.job_id, codes={code for _, code in grouped})
    found = _findings_of(session, [line for group in grouped.values() for line in group])
    return [_cost_code(key, group, in_sage.get(key), found) for key, group in grouped.items()]


def lines_of(session: Session, requested_update_id: int) -> list[LineFacts]:
    """Every line of a requested update, by cost code and category."""
    query = (
        select(RequestedLine)
        .where(RequestedLine.requested_update_id == requested_update_id)
        .order_by(RequestedLine.extra, RequestedLine.code, RequestedLine.category)
    )
    stored = session.scalars(query).all()
    found = _findings_of(session, stored)
    return [
        LineFacts(
            line.extra,
            line.code,
            line.description,
            line.category,
            line.standing,
            line.sage_description,
            line.outcome,
            line.message,
            tuple(found.get(line.id, ())),
        )
        for line in stored
    ]


def holds_of(session: Session, job_id: int) -> list[HoldFacts]:
    """The job's contracts and contract change orders, in the order they were registered."""
    query = select(Hold).where(Hold.job_id == job_id).order_by(Hold.id)
    return [HoldFacts(h.kind, h.number, h.title, h.released_at is None) for h in session.scalars(query)]


def list_holds(
    session: Session, *, waiting_only: bool = False, job_id: int | None = None
) -> list[tuple[Job, HoldFacts]]:
    """Contracts and contract change orders with their jobs, by job number."""
    query = select(Job, Hold).join(Job, Job.id == Hold.job_id).order_by(Job.number, Hold.id)
    if waiting_only:
        query = query.where(Hold.released_at.is_(None))
    if job_id is not None:
        query = query.where(Hold.job_id == job_id)
    rows = session.execute(query)
    return [(job, HoldFacts(h.kind, h.number, h.title, h.released_at is None)) for job, h in rows]


def categories(session: Session) -> dict[str, str]:
    """Name by code of every standard category, by code."""
    return dict(session.execute(select(Category.code, Category.name).order_by(Category.code)).all())


def data_syncs(session: Session, *, limit: int) -> Sequence[DataSync]:
    """The newest data syncs, newest first."""
    return session.scalars(select(DataSync).order_by(DataSync.id.desc()).limit(limit)).all()


def overdue_syncs(session: Session) -> Sequence[DataSync]:
    """The data syncs whose file nobody imported in time, and which are still not answered, oldest first."""
    query = select(DataSync).where(DataSync.state == SyncState.SENT, DataSync.alerted_at.is_not(None))
    return session.scalars(query.order_by(DataSync.id)).all()


def history(session: Session, job_id: int) -> list[HistoryEvent]:
    """What happened to a job, oldest first."""
    return _events(session, AuditEvent.job_id == job_id)


def history_event(session: Session, seq: int) -> HistoryEvent:
    """One audit event, by its number."""
    return _events(session, AuditEvent.seq == seq)[0]


def history_events(session: Session, seqs: Collection[int]) -> list[HistoryEvent]:
    """Audit events by their numbers, oldest first."""
    return _events(session, AuditEvent.seq.in_(seqs))


def _events(session: Session, which: ColumnElement[bool]) -> list[HistoryEvent]:
    rows = session.execute(
        select(AuditEvent, Person.name)
        .outerjoin(Person, Person.id == AuditEvent.actor_id)
        .where(which)
        .order_by(AuditEvent.seq)
    )
    return [
        HistoryEvent(row.seq, row.at, row.event, row.place, name or row.actor, row.facts)
        for row, name in rows
    ]


def _findings_of(session: Session, stored: Sequence[RequestedLine]) -> dict[int, list[Finding]]:
    """By line id; of a line whose outcome is known, the checks before Update say nothing any more."""
    return findings.of_lines(session, [line.id for line in stored if line.outcome is None])


def _found(session: Session, requested_update_ids: Sequence[int]) -> dict[int, Found]:
    said = (
        select(
            RequestedLine.requested_update_id,
            LineFinding.severity,
            LineFinding.rule,
            LineFinding.message,
            func.min(RequestedLine.id).label("first_line"),
        )
        .join(RequestedLine, RequestedLine.id == LineFinding.line_id)
        .where(
            RequestedLine.requested_update_id.in_(requested_update_ids),
            RequestedLine.outcome.is_(None),
            # said beside the description of its cost code
            LineFinding.rule != Rule.DESCRIPTION_DIFFERS,
        )
        .group_by(
            RequestedLine.requested_update_id, LineFinding.severity, LineFinding.rule, LineFinding.message
        )
        .subquery()
    )
    each = said.c.requested_update_id
    refuses = func.sum(case((said.c.severity == Severity.REFUSE, 1), else_=0)).over(partition_by=each)
    ranked = select(
        said,
        refuses.label("refusing"),
        func.count().over(partition_by=each).label("all_of_them"),
        func.row_number()
        .over(partition_by=each, order_by=(said.c.severity, said.c.first_line, said.c.rule))
        .label("place"),
    ).subquery()
    rows = session.execute(
        select(ranked)
        .where(ranked.c.place <= FINDINGS_SHOWN)
        .order_by(ranked.c.requested_update_id, ranked.c.place)
    )
    found: dict[int, Found] = {}
    for row in rows:
        before = found.get(row.requested_update_id, Found())
        found[row.requested_update_id] = Found(
            refusing=row.refusing,
            warning=row.all_of_them - row.refusing,
            first=(*before.first, Finding(row.rule, row.severity, row.message)),
        )
    return found


def _cost_code(
    key: CodeKey,
    group: Sequence[RequestedLine],
    held: SageCode | None,
    found: Mapping[int, Sequence[Finding]],
) -> CostCodeFacts:
    extra, code = key
    first = group[0]
    return CostCodeFacts(
        extra=extra,
        code=code,
        description=first.description,
        sage_description=first.sage_description,
        standing=min((line.standing for line in group), key=list(Standing).index),
        requested=tuple(line.category for line in group),
        in_sage=tuple(sorted(held.categories)) if held else (),
        refused=tuple(
            (line.category, line.message or "") for line in group if line.outcome is Outcome.FAILED
        ),
        findings=tuple(
            sorted(
                dict.fromkeys(finding for line in group for finding in found.get(line.id, ())),
                key=lambda finding: finding.severity,
            )
        ),
    )


def _counts(session: Session, requested_update_ids: Sequence[int]) -> dict[int, Counts]:
    def lines_with(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    code = RequestedLine.extra + "\n" + RequestedLine.code  # either may hold any other separator
    # for whoever decides on the rest, what an earlier data sync brought to Sage is new no more
    is_finished = RequestedUpdate.state.in_((State.SYNCED, State.FAILED))
    may_be_new = RequestedLine.outcome.is_(None) | is_finished
    new_code = may_be_new & (RequestedLine.standing == Standing.NEW_CODE)
    rows = session.execute(
        select(
            RequestedLine.requested_update_id,
            func.count(distinct(code)),
            func.count(),
            func.count(distinct(case((new_code, code)))),
            lines_with(may_be_new & (RequestedLine.standing != Standing.IN_SAGE)),
            *(lines_with(RequestedLine.outcome == outcome) for outcome in Outcome),
            lines_with(RequestedLine.outcome.is_(None)),
            func.count(distinct(case((RequestedLine.outcome.is_(None), code)))),
        )
        .join(RequestedUpdate, RequestedUpdate.id == RequestedLine.requested_update_id)
        .where(RequestedLine.requested_update_id.in_(requested_update_ids))
        .group_by(RequestedLine.requested_update_id)
    )
    return {requested_update_id: Counts(*figures) for requested_update_id, *figures in rows}


def _current_first(update: type[RequestedUpdate]) -> ColumnElement[int]:
    rank = {state: place for place, state in enumerate(CURRENT_FIRST)}
    return case(rank, value=update.state, else_=len(rank))


def _ahead() -> Select[int]:
    """The requested updates that their job shows rather than this one."""
    better = aliased(RequestedUpdate)
    return select(better.id).where(
        better.job_id == RequestedUpdate.job_id,
        or_(
            _current_first(better) < _current_first(RequestedUpdate),
            and_(_current_first(better) == _current_first(RequestedUpdate), better.id > RequestedUpdate.id),
        ),
    )

"""What is so after a fault, as plain facts: in the database, in Slack and Sage, and what was promised.

Pure shapes. `reading.py` fills them, `verdict.py` judges them.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from workflow.vocabulary import NoticeKind, Outcome, State

_LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class Assignment(NamedTuple):
    """A category of a cost code of a job, by the job's number."""

    job: str
    extra: str
    code: str
    category: str


@dataclass(frozen=True)
class Update:
    """A requested update as it stands."""

    id: int
    job: str
    state: State


@dataclass(frozen=True)
class Line:
    """A line of a requested update, and what the database says became of it."""

    update: int
    assignment: Assignment
    outcome: Outcome | None = None
    message: str | None = None


@dataclass(frozen=True)
class TrailEvent:
    """An event of the audit trail; `request` is the id of what led to it, which a word of trouble tells."""

    seq: int
    event: str
    actor: str
    job: str | None = None
    update: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    at: datetime = _LONG_AGO
    request: str | None = None


@dataclass(frozen=True)
class Slot:
    """A due time of periodic work; somebody has `asked` for it, or it is the schedule's."""

    name: str
    due_at: datetime
    asked: bool = False
    done: bool = True


@dataclass(frozen=True)
class Quiet:
    """From when costbot was left alone after a fault, until the facts were read.

    `told` has the ids of the notices that there were when nothing was on its way any more; None when that did
    not come. The schedule goes on, and with each data sync come new ones.
    """

    since: datetime
    until: datetime
    told: frozenset[int] | None = None


@dataclass(frozen=True)
class Notice:
    """A row of the outbox; `key` is that of its message in Slack, so far as it has to have one."""

    id: int
    kind: NoticeKind
    job: str | None = None
    event: int | None = None
    key: str | None = None
    done: bool = True
    given_up: bool = False
    waits_for_its_hour: bool = False
    """A digest that its reader gets in working time, as it was meant to."""
    error: str | None = None


@dataclass(frozen=True)
class Posted:
    """A message of costbot's in Slack that carries a key, or the end of a step of a workflow.

    `of_nothing_kept`: it says that a step came to nothing, or may have: nothing need be on record.
    """

    key: str
    words: str
    of_nothing_kept: bool = False


@dataclass(frozen=True)
class Answer:
    """What costbot has said to one person alone."""

    person: str
    words: str


@dataclass(frozen=True)
class Deaf:
    """A time in which answers may end with whoever was to give them.

    Those to these `requests`, which a bot that was killed at the end of it had taken, or to acts with these
    `events`, which are done in a window: without a token Slack shows none.
    """

    since: datetime
    until: datetime
    requests: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Facts:
    """Everything that the verdict looks at; `before` is what Sage held before anybody asked for anything.

    `asked` are the lines of which somebody was told that they are requested. `in_files` counts how often a
    line stands in the import files, where Sage is reached by them, and `sage_answers_later`: somebody imports
    a file in their own time, while more may be sent. `unheard` are words to one person that Slack took, but
    did not say so, so that they may be said once more.
    """

    cards: dict[str, str]
    """The key of each job's card."""
    updates: tuple[Update, ...] = ()
    lines: tuple[Line, ...] = ()
    events: tuple[TrailEvent, ...] = ()
    audit_problems: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()
    slots: tuple[Slot, ...] = ()
    quiet: Quiet | None = None
    posted: tuple[Posted, ...] = ()
    answers: tuple[Answer, ...] = ()
    unheard: tuple[str, ...] = ()
    deaf: tuple[Deaf, ...] = ()
    before: frozenset[Assignment] = frozenset()
    in_sage: tuple[Assignment, ...] = ()
    in_files: Counter[Assignment] = field(default_factory=Counter)
    sage_answers_later: bool = False
    asked: frozenset[Assignment] = frozenset()

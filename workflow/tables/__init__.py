"""Every table of costbot as SQLAlchemy 2 typed models; nothing but shapes and constraints.

Times are UTC and aware. The same schema serves SQLite and PostgreSQL. Where rows are removed, or a restored
backup lacks them, SQLite is told (`sqlite_autoincrement`) never to give their ids again, as PostgreSQL does
not: a button or a message in Slack may carry one still.
"""

from workflow.tables.audit import AuditEvent, AuditHead
from workflow.tables.base import KeptWords, Table, UtcDateTime
from workflow.tables.jobs import Category, Job, SageAssignment, StandardCostCode, StandardCostCodeCategory
from workflow.tables.outbox import Burst, ChannelOutage, OutboxNotice, SlackMessage
from workflow.tables.people import Away, NotifyChoice, Person, PrivilegeRequest, SlackLink
from workflow.tables.procore import (
    ProcoreAssignment,
    ProcoreCalls,
    ProcoreErpRequest,
    ProcoreEvent,
    ProcoreHook,
    ProcoreLimit,
    ProcoreMark,
    ProcorePerson,
    ProcoreProject,
    ProcoreTrouble,
)
from workflow.tables.requests import (
    FirstApproval,
    Hold,
    LineFinding,
    RequestDraft,
    RequestedLine,
    RequestedUpdate,
    Wait,
)
from workflow.tables.slack import HomeView, SeenDelivery, WorkflowStep
from workflow.tables.syncs import DataSync, ScheduleSlot

__all__ = [
    "AuditEvent",
    "AuditHead",
    "Away",
    "Burst",
    "Category",
    "ChannelOutage",
    "DataSync",
    "FirstApproval",
    "Hold",
    "HomeView",
    "Job",
    "KeptWords",
    "LineFinding",
    "NotifyChoice",
    "OutboxNotice",
    "Person",
    "PrivilegeRequest",
    "ProcoreAssignment",
    "ProcoreCalls",
    "ProcoreErpRequest",
    "ProcoreEvent",
    "ProcoreHook",
    "ProcoreLimit",
    "ProcoreMark",
    "ProcorePerson",
    "ProcoreProject",
    "ProcoreTrouble",
    "RequestDraft",
    "RequestedLine",
    "RequestedUpdate",
    "SageAssignment",
    "ScheduleSlot",
    "SeenDelivery",
    "SlackLink",
    "SlackMessage",
    "StandardCostCode",
    "StandardCostCodeCategory",
    "Table",
    "UtcDateTime",
    "Wait",
    "WorkflowStep",
]

"""Kestrel Builders in Procore and in costbot, for tests of what passes between them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select

from bot.sandbox.procore.app import Procore
from bot.sandbox.procore.company import Record
from sync.procore.api import ProcoreApi
from sync.procore.client import ProcoreClient
from sync.procore.intake import Intake, IntakeReport
from tests import factories
from workflow import approvals, lines, queries
from workflow.checks import SageLimits
from workflow.database import Database
from workflow.facts import UpdateFacts
from workflow.merge import SageCode, SageJob
from workflow.privileges import Rules
from workflow.tables import AuditEvent, Job, OutboxNotice, RequestedLine, Table
from workflow.vocabulary import NoticeKind

RULES = Rules()
Row = TypeVar("Row", bound=Table)


@dataclass
class Kestrel:
    """A Procore with an ERP list of three tiered codes and two cost types, one project, and costbot."""

    procore: Procore
    database: Database
    client: ProcoreClient
    clock: Callable[[], datetime]
    sub_jobs: bool = False
    types: dict[str, Record] = field(default_factory=dict)

    def __post_init__(self) -> None:
        company = self.procore.company
        self.types = {
            code: company.add_type(code, name) for code, name in (("L", "Labor"), ("M", "Material"))
        }
        erp = company.add_standard_list()
        concrete = company.add_standard_code(erp, "03", "Concrete")
        company.add_standard_code(erp, "300", "Cast-in-place concrete", parent=concrete)
        company.add_standard_code(erp, "400", "Precast concrete", parent=concrete)
        self.project = company.add_project("24-017", "Riverside Medical Center")
        self.parent = company.add_cost_code(self.project, "03", "Concrete")

    @property
    def intake(self) -> Intake:
        api = ProcoreApi(self.client)
        return Intake(self.database, api, RULES, SageLimits(), self.clock, sub_jobs=self.sub_jobs)

    def run(self) -> IntakeReport:
        return self.intake.run()

    def add(self, code: str, *types: str, **more: object) -> Record:
        """A code of the list under `03`, with cost types."""
        kinds = [self.types[kind] for kind in types]
        given: Mapping[str, object] = {"parent": self.parent, **more}
        return self.procore.company.add_cost_code(
            self.project,
            code,
            "Concrete",
            types=kinds,
            **given,  # type: ignore[arg-type]
        )

    def in_sage(self, held: Mapping[str, tuple[str, ...]]) -> None:
        """What Sage holds for the job is read back."""
        codes = {("", code): SageCode("In Sage", frozenset(categories)) for code, categories in held.items()}
        with self.database.writing() as session:
            job = session.scalars(select(Job)).one()
            lines.store_read_back(session, job, SageJob(job.number, job.name, codes), at=self.clock())

    def update(self) -> UpdateFacts | None:
        """The newest requested update of the job."""
        with self.database.reading() as session:
            job = session.scalars(select(Job)).one()
            return queries.current_update(session, job.id)

    def asked(self) -> list[str]:
        """`03-300 L` of each line of every requested update, in order."""
        return [f"{each.extra}{each.code} {each.category}" for each in self.rows(RequestedLine)]

    def accept(self) -> None:
        """An accounting approver Updates it."""
        facts = self.update()
        assert facts is not None
        with self.database.writing() as session:
            approver = factories.approver(session)
            approvals.accept(
                session,
                requested_update_id=facts.requested_update_id,
                revision=facts.revision,
                by=factories.actor(approver),
                at=self.clock(),
                rules=RULES,
            )

    def rows(self, table: type[Row]) -> list[Row]:
        with self.database.reading() as session:
            key = list(table.__table__.primary_key)
            return list(session.scalars(select(table).order_by(*key)))

    def events(self) -> list[str]:
        with self.database.reading() as session:
            query = select(AuditEvent.event).where(AuditEvent.job_id.is_not(None)).order_by(AuditEvent.seq)
            return list(session.scalars(query))

    def told(self) -> int:
        """How many direct messages wait."""
        with self.database.reading() as session:
            query = select(OutboxNotice).where(OutboxNotice.kind == NoticeKind.DIRECT)
            return len(session.scalars(query).all())

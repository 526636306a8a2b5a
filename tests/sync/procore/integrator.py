"""costbot as Kestrel's ERP integrator: webhooks come in, Sage is embedded, people decide."""

from bot.sandbox.procore.company import Record
from sync import data_sync
from sync.procore import events, hooks, work
from sync.procore.api import ProcoreApi
from sync.procore.intake import IntakeReport
from sync.sage.embedded import EmbeddedSage
from tests import factories
from tests.sync.procore.company import RULES, Kestrel
from tests.sync.procore.conftest import SECRET, Clock
from workflow import approvals
from workflow.privileges import SCHEDULE
from workflow.settings import ProcoreIntake, Settings
from workflow.tables import ProcoreErpRequest


class Integrator:
    """Kestrel's costbot as its ERP integrator, on the embedded Sage."""

    def __init__(self, kestrel: Kestrel, settings: Settings, sage: EmbeddedSage, clock: Clock) -> None:
        self.kestrel, self.settings, self.sage, self.clock = kestrel, settings, sage, clock
        self.procore, self.database = kestrel.procore, kestrel.database

    def connect(self, address: str) -> None:
        api = ProcoreApi(self.kestrel.client)
        hooks.connect(api, self.database, url=address, secret=SECRET, clock=self.clock)

    def switch(self, way: ProcoreIntake) -> None:
        self.settings = self.settings.model_copy(update={"procore_intake": way})

    def hear(self) -> IntakeReport | None:
        """The webhooks that came are worked on."""
        self.procore.webhooks.wait()
        self.clock.pause(1)
        return events.work_on_events(self.settings, self.database, self.sage, clock=self.clock)

    def look(self) -> IntakeReport:
        self.clock.pause(1)
        report = work.look(self.settings, self.database, self.sage, clock=self.clock)
        assert report is not None
        return report

    def send(self, record: Record | None = None) -> Record:
        """Sent to the ERP in Procore, and accepted there."""
        self.clock.pause(1)
        return self.procore.erp.send(record or self.kestrel.project)

    def detail(self, request: Record) -> Record:
        inner = request["request_data"]["request_detail_id"] if "request_detail_id" not in request else None
        return self.procore.erp.details[inner or request["request_detail_id"]]

    def row(self, request: Record) -> ProcoreErpRequest:
        with self.database.reading() as session:
            return session.get_one(ProcoreErpRequest, request["id"])

    def calls(self) -> list[str]:
        """The calls since this was asked last."""
        made = list(self.procore.web_api.calls)
        self.procore.web_api.calls.clear()
        return [call.replace("/rest/v1.0/", "").replace("companies/4001/", "") for call in made]

    def sync(self) -> None:
        """A data sync sends what was accepted and reads Sage back."""
        data_sync.run(self.database, self.sage, by=SCHEDULE, clock=self.clock)

    def reject(self, comment: str) -> None:
        facts = self.kestrel.update()
        assert facts is not None
        with self.database.writing() as session:
            approvals.reject(
                session,
                requested_update_id=facts.requested_update_id,
                revision=facts.revision,
                comment=comment,
                by=factories.actor(factories.approver(session, "rita@kestrel.example")),
                at=self.clock(),
                rules=RULES,
            )

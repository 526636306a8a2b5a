"""Way (b) of the intake: ERP Requests, for an account that is the company's ERP integrator.

Webhooks tell of requests and Procore shows them; looking finds those whose webhook was dropped. The newest
request of a job has all its cost codes, and `workflow.procore_intake` asks for them as it does for what is
read of a project. It may be killed anywhere and run again. One call a request, and one an hour to look.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from sync.procore import hooks
from sync.procore.errors import BadAnswerError, ProcoreRefusedError
from sync.procore.intake import LOCK, Intake, IntakeReport, assignments_of
from sync.procore.models import ErpCostCode, ErpRequest, JobRequest, parsed
from workflow import procore_events, procore_projects, procore_requests, procore_seen
from workflow.procore_intake import TakenIn
from workflow.procore_requests import RESOURCE, Place, Request
from workflow.procore_seen import Key
from workflow.tables import ProcoreErpRequest

TAKEN_IN = ("create_or_update_job", "create_sub_job")
"""The request names that ask for cost codes; source: procore/documentation, erp_events_dictionary.md."""

LOOK_EVERY = timedelta(hours=1)
ASKED_ONE_BY_ONE = 3
"""So many cost codes at most that a request lacks or has anew."""

_MARK = "erp_requests"
_PAGES = 10
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ErpRequests:
    """Takes a company's ERP requests in; `path` is that of Show ERP Request."""

    intake: Intake
    path: str

    def run(self, *, look: bool = True, at_once: bool = False) -> IntakeReport:
        """Take in what was heard of; with `look` also what changed of jobs and lists, and what was missed.

        Missed requests are looked for once an hour, or `at_once`. Nothing while another process reads.

        Raises:
            ProcoreError: what was taken in before stays, and the next run goes on.
        """
        with self.intake.database.exclusive(LOCK) as held:
            if not held:
                return IntakeReport(is_anothers=True)
            self.intake.read_lists()
            projects, shown = 0, {}
            if look:
                projects = self.intake.read_projects()
                shown = self._look_for_missed(at_once=at_once)
            return self._take_in(projects, shown | self._show_heard())

    def _look_for_missed(self, *, at_once: bool) -> dict[int, ErpRequest]:
        """Show the requests of details that Procore waits for and that no webhook told of.

        A detail does not say its request (NOT FOUND). Webhooks that came while costbot read cost codes are
        kept, and Procore lists those that it could not deliver.
        """
        now = self.intake.clock()
        with self.intake.database.reading() as session:
            last = procore_projects.mark(session, _MARK, now=now)
        if last is not None and now - last < LOOK_EVERY and not at_once:
            return {}
        details = [each for each in self.intake.api.open_details() if each.may_be_a_job]
        with self.intake.database.reading() as session:
            unknown = procore_requests.unknown_details(session, {each.id for each in details})
        named: dict[int, datetime | None] = {
            each.request_id: each.created_at for each in details if each.request_id and each.id in unknown
        }
        shown: dict[int, ErpRequest] = {}
        sources: Sequence[Callable[[], Mapping[int, datetime | None]]] = (
            lambda: named,
            self._kept,
            self._undelivered,
        )
        for requests in sources:
            if unknown:
                shown |= self._show_until(unknown, requests())
                unknown -= {request.detail_id for request in shown.values()}
        if unknown:
            _log.warning("Procore waits for ERP requests that it does not name", details=sorted(unknown))
        with self.intake.database.writing() as session:
            procore_projects.set_mark(session, _MARK, now)
        return shown

    def _show_until(
        self, unknown: Collection[int], requests: Mapping[int, datetime | None]
    ) -> dict[int, ErpRequest]:
        """Show these requests, the newest first, until the details that are unknown are theirs."""
        shown: dict[int, ErpRequest] = {}
        for request_id in sorted(requests, reverse=True):
            if {request.detail_id for request in shown.values()} >= set(unknown):
                break
            with self.intake.database.writing() as session:
                procore_requests.hear(
                    session, request_id, happened_at=requests[request_id], at=self.intake.clock()
                )
            request = self._show(request_id)
            if request is not None:
                shown[request_id] = request
        return shown

    def _kept(self) -> dict[int, datetime | None]:
        with self.intake.database.reading() as session:
            return procore_requests.kept_events(session)

    def _undelivered(self) -> dict[int, datetime | None]:
        with self.intake.database.reading() as session:
            hook = procore_events.hook(session)
        if hook is None:
            return {}
        events = [
            each.event
            for status in ("discarded", "failing")
            for each in hooks.deliveries(self.intake.api, hook.hook_id, status, pages=_PAGES)
        ]
        return {
            event.resource_id: event.timestamp
            for event in events
            if event.resource == RESOURCE and event.resource_id is not None
        }

    def _show_heard(self) -> dict[int, ErpRequest]:
        """Show every request that was heard of, and nothing more is known of."""
        with self.intake.database.reading() as session:
            waiting = procore_requests.to_show(session, at=self.intake.clock())
        shown = {request_id: self._show(request_id) for request_id in waiting}
        return {request_id: request for request_id, request in shown.items() if request is not None}

    def _show(self, request_id: int) -> ErpRequest | None:
        """Ask Procore for a request and keep what it is; None when it cannot be used, and why is kept."""
        try:
            shown = self.intake.api.erp_request(request_id, self.path)
            request = _job_request(shown) if shown.request_name in TAKEN_IN else None
        except (ProcoreRefusedError, BadAnswerError) as error:
            self._could_not(request_id, error)
            return None
        left_alone = request is None or (request.place.sub_job_id is not None and not self.intake.sub_jobs)
        if left_alone:
            _log.info("an ERP request is not for costbot", request=request_id, name=shown.request_name)
        with self.intake.database.writing() as session:
            procore_requests.show(
                session,
                request_id,
                name=shown.request_name,
                detail_id=shown.detail_id,
                request=None if left_alone else request,
                at=self.intake.clock(),
            )
        return shown

    def _take_in(self, projects: int, shown: dict[int, ErpRequest]) -> IntakeReport:
        with self.intake.database.reading() as session:
            waiting = list(procore_requests.to_take(session, at=self.intake.clock()))
        report = IntakeReport(projects)
        for row in waiting:
            try:
                request = shown.get(row.request_id) or self.intake.api.erp_request(row.request_id, self.path)
                report = report.plus(*self._take(row, parsed(JobRequest, request.request_data)))
            except (ProcoreRefusedError, BadAnswerError) as error:
                self._could_not(row.request_id, error)
        with self.intake.database.reading() as session:
            jobs = [*report.to_read_back, *procore_requests.new_jobs(session)]
        return replace(report, to_read_back=tuple(dict.fromkeys(jobs)))

    def _take(self, row: ProcoreErpRequest, request: JobRequest) -> tuple[int, TakenIn]:
        """Ask for a request's cost codes; what Procore had when it was made may be gone or more since."""
        intake = self.intake
        assert row.project_id is not None
        places = self._places(row, request)
        extras = {sub_job_id: extra for extra, sub_job_id in places.items()}
        found = [
            (code, extras[place])
            for code in request.all_cost_codes
            if code.deleted_at is None and (place := _sub_job_of(row, code)) in extras
        ]
        with intake.database.reading() as session:
            job = procore_requests.job_of(session, row)
            assert job is not None
            before = procore_seen.extras_by_key(session, job.id)
            removed = procore_seen.extras_by_key(session, job.id, removed=True)
        present = assignments_of(found)
        missing = {key: extra for key, extra in before.items() if key not in present}
        doubtful = {key: extra for key, extra in removed.items() if key in present}
        gone = self._gone(row.project_id, {**missing, **doubtful}, places)
        seen = intake.seen(found, new=present - before.keys(), asked_at=row.happened_at)
        with intake.database.writing() as session:
            taken = procore_requests.take_in(
                session,
                row.request_id,
                seen=[each for each in seen if each.key not in gone],
                gone=gone,
                at=intake.clock(),
                rules=intake.rules,
                limits=intake.limits,
            )
        return job.id, taken

    def _gone(self, project_id: int, unsure: Mapping[Key, str], places: Mapping[str, int | None]) -> set[Key]:
        """What is not in Procore now; where it is many cost codes, the list is read first."""
        if len({key[0] for key in unsure}) > ASKED_ONE_BY_ONE:
            listed = assignments_of(
                [
                    (code, extra)
                    for extra in sorted(set(unsure.values()) & places.keys())
                    for code in self.intake.api.cost_codes(project_id, places[extra])
                    if code.deleted_at is None
                ]
            )
            unsure = {key: extra for key, extra in unsure.items() if key not in listed}
        return self.intake.really_gone(project_id, unsure, places)

    def _places(self, row: ProcoreErpRequest, request: JobRequest) -> dict[str, int | None]:
        """The extras that a request has the cost codes of, and the sub job of each."""
        places: dict[str, int | None] = {row.extra: row.sub_job_id}
        others = {_sub_job_of(row, code) for code in request.all_cost_codes} - {row.sub_job_id}
        if others and self.intake.sub_jobs and row.project_id is not None:
            for sub_job in self.intake.api.sub_jobs(row.project_id):
                if sub_job.id in others:
                    places[sub_job.code] = sub_job.id
        return places

    def _could_not(self, request_id: int, error: Exception) -> None:
        _log.warning("an ERP request cannot be taken in", request=request_id, reason=str(error))
        with self.intake.database.writing() as session:
            procore_requests.could_not(session, request_id, str(error), at=self.intake.clock())


def _job_request(shown: ErpRequest) -> Request:
    """What a request asks for.

    Raises:
        BadAnswerError: it has neither a job nor a sub job, or cost codes that cannot be used.
    """
    request = parsed(JobRequest, shown.request_data)
    job, sub_job = request.job, request.sub_job
    if sub_job is not None:
        place = Place(sub_job.project.id, sub_job.code, sub_job.id)
        job, is_new = sub_job.project, sub_job.origin_id is None
    elif job is not None:
        place, is_new = Place(job.id), job.origin_id is None
    else:
        raise BadAnswerError(f"Procore's ERP request {shown.request_name} has no job.")
    return Request(place, job.origin_code, job.name[:200], is_new)


def _sub_job_of(row: ProcoreErpRequest, code: ErpCostCode) -> int | None:
    """The sub job that a cost code is of; None for one of the project itself."""
    if row.sub_job_id is not None:
        return row.sub_job_id
    return None if code.biller_type in (None, "Project") else code.biller_id

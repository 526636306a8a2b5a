"""Reading Procore into costbot: projects, lists, and the cost codes of one project after another.

What was seen and asked for is kept by `workflow.procore_intake`. It may be killed anywhere and run again;
with nothing changed in Procore it changes nothing. The number of calls: one a page of changed projects, a
handful a day for the lists, one for each project that is read.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import structlog

from sync.procore.api import PROJECTS_A_PAGE, ProcoreApi
from sync.procore.errors import BadAnswerError, ProcoreRefusedError
from sync.procore.models import CostCode, Project, Unusable
from workflow import directory, procore_events, procore_intake, procore_projects, procore_seen
from workflow.checks import SageLimits
from workflow.columns import Unfit
from workflow.database import Database
from workflow.directory import StandardCode
from workflow.merge import Assignment
from workflow.privileges import Rules
from workflow.procore_intake import PROCORE, TakenIn
from workflow.procore_projects import ProjectFacts
from workflow.procore_seen import Key, Seen
from workflow.request_ids import working_for
from workflow.tables import ProcoreProject

OLDEST_A_RUN = 20
"""Projects that are read though nothing is known to have changed: with a run every 10 minutes 120 an hour, so
that 1,000 projects come round in some 8 hours. Webhooks are discarded after 12."""

LISTS_EVERY = timedelta(hours=24)
COST_CODES = "Cost Codes"
"""How webhooks name what a project team adds."""

_OVERLAP = timedelta(minutes=5)
LOCK = "procore_intake"
"""Held while Procore is read, in whichever way."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """What one run did: `projects` changed and `read`; `requested`, `removed` and `problems` are assignments.

    `to_read_back` are jobs whose cost codes in Sage have to be known before it can be told what is new.
    `people` are those of the directory who changed. `is_anothers` where another process was at it.
    """

    projects: int = 0
    read: int = 0
    requested: int = 0
    removed: int = 0
    problems: int = 0
    to_read_back: tuple[int, ...] = ()
    people: int = 0
    is_anothers: bool = False

    def plus(self, job_id: int, taken: TakenIn) -> "IntakeReport":
        """With one more job taken in."""
        return IntakeReport(
            self.projects,
            self.read + 1,
            self.requested + taken.requested,
            self.removed + taken.removed,
            self.problems + taken.problems,
            (*self.to_read_back, job_id) if taken.undecided else self.to_read_back,
        )


@dataclass(frozen=True, slots=True)
class Intake:
    """Reads a company's Procore into costbot's database."""

    database: Database
    api: ProcoreApi
    rules: Rules
    limits: SageLimits
    clock: Callable[[], datetime]
    sub_jobs: bool = False

    def run(self, *, oldest: int = OLDEST_A_RUN) -> IntakeReport:
        """Everything that is due: lists, changed projects, then the projects that are to be read.

        Nothing while another process does it: that one sees, when it is through, what was told meanwhile.

        Raises:
            ProcoreError: what was read before stays, and the next run goes on.
        """
        with self.database.exclusive(LOCK) as held:
            if not held:
                return IntakeReport(is_anothers=True)
            self.read_lists()
            report = IntakeReport(self.read_projects())
            with self.database.reading() as session:
                due = procore_projects.to_read(session, oldest=oldest)
            report = self._read(report, due)
        tried = {(each.project_id, each.stale_since) for each in due}
        while untried := self._changed_but(tried):
            with self.database.exclusive(LOCK) as held:
                if not held:
                    break
                report = self._read(report, untried)
            tried |= {(each.project_id, each.stale_since) for each in untried}
        return report

    def read_lists(self, *, at_once: bool = False) -> bool:
        """The ERP standard cost code list and the line item types, once a day or `at_once`."""
        now = self.clock()
        with self.database.reading() as session:
            last = procore_projects.mark(session, "lists", now=now)
        if last is not None and now - last < LISTS_EVERY and not at_once:
            return False
        types = [
            {"code": each.code, "name": each.name[:200]}
            for each in self.api.line_item_types()
            if each.origin_id
        ]
        # a company that has no ERP list yet has nothing that may be asked for
        erp = [each.id for each in self.api.standard_lists() if each.is_erp_list]
        codes = [
            StandardCode(each.full_code, each.name[:200], None)
            for list_id in erp
            for each in self.api.standard_codes(list_id)
        ]
        with self.database.writing() as session:
            wrong: list[Unfit] = []
            if types:
                put = directory.put_categories(session, types, source="Procore", by=PROCORE, at=now)
                wrong += [put] if put else []
            if codes:
                taken = directory.put_standard_codes(session, codes, source="Procore", by=PROCORE, at=now)
                wrong += [taken] if isinstance(taken, Unfit) else []
            procore_projects.set_mark(session, "lists", now)
        for each in wrong:
            _log.warning("lists of Procore cannot be taken", reasons=[p.reason for p in each.problems][:5])
        return True

    def read_projects(self) -> int:
        """Projects that changed since the last time become jobs, and are to be read; how many."""
        now = self.clock()
        with self.database.reading() as session:
            last = procore_projects.mark(session, "projects", now=now)
        count, projects = 0, self.api.projects(since=last and last - _OVERLAP)
        while page := list(islice(projects, PROJECTS_A_PAGE)):
            count += self._put_page(page, at=now)
        # only now, so that a run that is killed reads them again
        with self.database.writing() as session:
            procore_projects.set_mark(session, "projects", now)
        return count

    def _put_page(self, page: Sequence[Project | Unusable], *, at: datetime) -> int:
        """How many are jobs now: those that are integrated with the ERP become it, where they can."""
        archived = [each.id for each in page if isinstance(each, Project) and not each.active]
        if archived:
            with self.database.writing() as session:
                procore_projects.archived(session, *archived, at=at)
        found: list[ProjectFacts] = []
        for project in page:
            if isinstance(project, Unusable):
                self._cannot_be_job(project.id, project.words)
            elif project.job_number is not None:
                name = project.name[:200]
                found.append(ProjectFacts(project.id, project.job_number, name, project.updated_at))
        numbers = {each.number for each in found}  # a project that is made anew may have a former one's
        if len(numbers) == len(found) and not self._wrong(found, at=at):
            return len(found)
        count = 0
        for each in found:
            wrong = self._wrong([each], at=at)
            if wrong:
                self._cannot_be_job(each.project_id, "; ".join(wrong))
            count += not wrong
        return count

    def _wrong(self, projects: Sequence[ProjectFacts], *, at: datetime) -> Sequence[str]:
        """Why these cannot all be jobs; when nothing is in the way, they are."""
        with self.database.writing() as session:
            return procore_projects.put_projects(session, projects, by=PROCORE, at=at)

    def _cannot_be_job(self, project_id: int | None, words: str) -> None:
        _log.warning("a project of Procore cannot be used", project=project_id, reason=words)
        if project_id is not None:
            with self.database.writing() as session:
                procore_projects.cannot_be_job(session, project_id, words, at=self.clock())

    def read_project(self, project_id: int, job_id: int) -> TakenIn:
        """The cost codes of one project, and what came of them."""
        with self.database.reading() as session:
            known = procore_projects.known(session, project_id)
            before = procore_seen.extras_by_key(session, job_id)
            waiting = procore_seen.cannot_be_asked_for(session, job_id)
        places = dict(self._places(project_id))
        found = [
            (code, extra)
            for extra, sub_job_id in places.items()
            for code in self.api.cost_codes(project_id, sub_job_id)
            if code.deleted_at is None
        ]
        present, codes = assignments_of(found), {code.id for code, _ in found}
        missing = {key: extra for key, extra in before.items() if key not in present and extra in places}
        unsure = {key: extra for key, extra in missing.items() if key[0] not in codes}
        gone = (missing.keys() - unsure.keys()) | self.really_gone(project_id, unsure, places)
        seen = self.seen(found, new=present - (before.keys() - waiting))
        with self.database.writing() as session:
            return procore_intake.take_in(
                session,
                project_id=project_id,
                seen=seen,
                gone=gone,
                before=known,
                at=self.clock(),
                rules=self.rules,
                limits=self.limits,
            )

    def _adders(self, cost_code_ids: Collection[int]) -> dict[int, int]:
        """Person id by cost code id, where a webhook said who it was; the list of cost codes does not."""
        with self.database.reading() as session:
            users = procore_events.adders(session, COST_CODES, sorted(cost_code_ids))
            people = procore_seen.people_of(session, set(users.values()))
        return {code_id: people[user_id] for code_id, user_id in users.items() if user_id in people}

    def _changed_but(self, tried: Collection[tuple[int, datetime | None]]) -> Sequence[ProcoreProject]:
        """The projects of which a change is known, but for changes that were tried."""
        with self.database.reading() as session:
            changed = procore_projects.to_read(session, oldest=0)
        return [each for each in changed if (each.project_id, each.stale_since) not in tried]

    def _read(self, report: IntakeReport, due: Sequence[ProcoreProject]) -> IntakeReport:
        for each in due:
            try:
                # on with the id of what told of the change
                with working_for(each.request_id if each.stale_since else None):
                    report = report.plus(each.job_id, self.read_project(each.project_id, each.job_id))
            except (ProcoreRefusedError, BadAnswerError) as error:
                # one project that cannot be read must not stop the others
                _log.warning(
                    "a project of Procore cannot be read", project=each.project_id, reason=str(error)
                )
                with self.database.writing() as session:
                    procore_projects.cannot_be_read(session, each.project_id, str(error), at=self.clock())
        return report

    def _places(self, project_id: int) -> Iterator[tuple[str, int | None]]:
        """The extras of a job in Sage, and the sub job of each; the project itself is extra ''."""
        yield "", None
        if self.sub_jobs:
            for sub_job in self.api.sub_jobs(project_id):
                yield sub_job.code, sub_job.id

    def seen(
        self,
        found: Sequence[tuple[CostCode, str]],
        *,
        new: Collection[Key],
        asked_at: datetime | None = None,
    ) -> list[Seen]:
        """Cost codes and the extra of each as what was seen; who added it is looked up for what is `new`."""
        adders = self._adders({cost_code_id for cost_code_id, _ in new})
        return [
            Seen(
                code.id,
                kind.id,
                Assignment(code.full_code, kind.code, extra),
                is_new=code.origin_id is None,
                description=code.name,
                added_by=adders.get(code.id),
                added_at=code.created_at if code.origin_id is None else code.updated_at or code.created_at,
                asked_at=asked_at,
            )
            for code, extra in found
            for kind in code.line_item_types
        ]

    def really_gone(
        self, project_id: int, missing: Mapping[Key, str], places: Mapping[str, int | None]
    ) -> set[Key]:
        """What Procore says, asked about each cost code, that it does not have any more.

        A cost code may have slipped from a page to one that was read already. What is missing because its sub
        job was not read is not gone.
        """
        gone: set[Key] = set()
        unsure = {key: extra for key, extra in missing.items() if extra in places}
        for cost_code_id, extra in sorted({(key[0], extra) for key, extra in unsure.items()}):
            found = self.api.cost_code(cost_code_id, project_id, places[extra])
            has = {kind.id for kind in found.line_item_types} if found else set()
            gone |= {key for key in unsure if key[0] == cost_code_id and key[1] not in has}
        return gone


def assignments_of(found: Sequence[tuple[CostCode, str]]) -> set[Key]:
    """The assignments of cost codes."""
    return {(code.id, kind.id) for code, _ in found for kind in code.line_item_types}

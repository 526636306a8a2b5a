"""A large company, 1,000 projects, many of 500 cost codes: the calls of the first load and of a usual day."""

from contextlib import suppress
from datetime import timedelta

import pytest

from bot.sandbox.procore.limits import Limits
from sync.procore.api import ProcoreApi
from sync.procore.errors import ProcoreBusyError
from sync.procore.intake import Intake
from tests.factories import LIMITS, RULES
from tests.sync.procore.conftest import Clock, MakeProcore, client_of, shared
from workflow import procore_projects
from workflow.database import Database

PROJECTS, CODES = 1000, 500
LARGE = 10
"""Every tenth project has so many codes, and one to ask for: a call more for each would be too many."""
HOURLY, SPIKE, SHARE = 3600, 25, 0.25
EVERY = timedelta(minutes=10)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_large_company_comes_in_within_the_share_and_a_usual_day_takes_under_5_percent(
    make_procore: MakeProcore, clock: Clock, sqlite_url: str
) -> None:
    procore, account = make_procore(Limits(HOURLY, SPIKE))
    company, labor = procore.company, procore.company.add_type("L", "Labor")
    company.add_standard_code(company.add_standard_list(), "03-300", "Concrete")
    for number in range(PROJECTS):
        company.add_project(f"J{number:04}", "Job")
    # codes without cost types may be the same records in every project, so that the test needs little memory
    some = next(iter(company.projects.values()))
    plain = [company.add_cost_code(some, f"{number:03}", "Code") for number in range(CODES - 1)]
    for number, project in enumerate(company.projects.values()):
        if number % LARGE == 0:
            company.add_cost_code(project, "03-300", "Concrete", types=[labor])
            company.billed["Project", project["id"]].update({code["id"]: code for code in plain})

    database = Database(sqlite_url)
    made: list[float] = []
    begun = clock.at

    def one_run(client_api: ProcoreApi) -> None:
        before, at = len(procore.web_api.calls), clock.unix()
        with suppress(ProcoreBusyError):
            Intake(database, client_api, RULES, LIMITS, clock).run()
        made.extend([at] * (len(procore.web_api.calls) - before))
        clock.at += EVERY

    with client_of(account, clock, shared(database, clock, share=SHARE)) as client:
        api = ProcoreApi(client)
        while len(made) < PROJECTS or _unread(database):
            one_run(api)
            assert clock.at - begun < timedelta(hours=4)
        first_load = len(made)
        clock.at += timedelta(hours=2)
        steady_from = clock.unix()
        for _ in range(12):
            one_run(api)
    database.close()

    # 4 pages of projects, 3 calls for lists, one for each project, and the runs between
    assert first_load <= PROJECTS + 4 + 3 + 60 < PROJECTS + PROJECTS // LARGE
    assert procore.web_api.limit.busiest_spike <= SPIKE
    for at in made:
        assert len([each for each in made if at <= each < at + 3600]) <= SHARE * HOURLY
    steady = [at for at in made if at >= steady_from]
    assert 0 < len(steady) / 2 < 0.05 * HOURLY


def _unread(database: Database) -> int:
    with database.reading() as session:
        return len(procore_projects.to_read(session, oldest=0))

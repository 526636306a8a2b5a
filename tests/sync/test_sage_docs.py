"""The worked example of `docs/sage.md`, carried out: every block of the page is what costbot makes of it."""

import re
from pathlib import Path

from sync.data_sync import refresh_read_back, run
from sync.files import read_sage, read_standard_codes
from sync.sage.embedded import EmbeddedSage
from sync.sage.folders import Folders
from sync.sage.import_file import ImportFileCompany
from sync.sage.import_task import ImportTask
from sync.sage.profile import SageProfile
from tests import factories
from tests.factories import NINE, RULES
from tests.sync.sage.lines import left_alone
from workflow import acting, approvals, asked_lines, directory, queries, requests
from workflow.database import Database
from workflow.privileges import SCHEDULE
from workflow.vocabulary import Rule

PAGE = Path(__file__).parents[2] / "docs" / "sage.md"


def example() -> dict[str, str]:
    """The blocks of the worked example by what stands above them."""
    text = PAGE.read_text(encoding="utf-8").partition("## A worked example")[2].partition("\n## ")[0]
    return dict(re.findall(r"\*\*(.+?)\*\*\n```\w+\n(.*?)```", text, re.DOTALL))


def test_the_worked_example_is_what_happens(database: Database, tmp_path: Path) -> None:
    page = example()
    made = carry_out(page, database, tmp_path)

    assert made == {name: page.get(name) for name in made}


def carry_out(page: dict[str, str], database: Database, folder: Path) -> dict[str, str]:
    """What costbot and the accountant make of the example's files, under the names of the page."""
    for name in ("export.csv", "standard_codes.csv", "request.csv"):
        (folder / name).write_text(page[f"`{name}`"], encoding="utf-8")
    sage, shared = EmbeddedSage(folder / "sage.db"), folder / "shared"
    sage.load(read_sage(folder / "export.csv").rows)
    sage.load_categories(["L", "M", "S"])
    Folders.under(shared).set_up()
    company = ImportFileCompany(shared, SageProfile(), left_alone(folder / "export.csv"))
    with database.writing() as session:
        approver = factories.approver(session)
        job = factories.job(session)
        codes = read_standard_codes(folder / "standard_codes.csv").rows
        directory.put_standard_codes(session, codes, source="the page", by=SCHEDULE, at=NINE)
    refresh_read_back(database, company, [job.id], clock=lambda: NINE)
    with database.writing() as session:
        asked = requests.request(
            session,
            job=job,
            assignments=asked_lines.read_file(folder / "request.csv").rows,
            by=factories.actor(approver),
            at=NINE,
            rules=RULES,
            limits=company.limits,
        )
        assert isinstance(asked, requests.Requested)
        update = asked.requested_update
        found = queries.update_facts(session, [update.id])[0].found
        assert [finding.rule for finding in found.first] == [Rule.DESCRIPTION_LENGTH]
        done = approvals.accept(
            session,
            requested_update_id=update.id,
            revision=1,
            by=factories.actor(approver),
            at=NINE,
            rules=RULES,
        )
        assert isinstance(done, acting.Done)
    run(database, company, by=SCHEDULE, clock=lambda: NINE)
    made = {
        f"`outgoing/{path.name}`": path.read_bytes().decode("cp1252").replace("\r\n", "\n")
        for path in (shared / "outgoing").iterdir()
    }
    assert b"\r\n" in (shared / "outgoing" / "DS000001.jce").read_bytes()
    ImportTask(shared, sage, folder / "export.csv").run()
    run(database, company, by=SCHEDULE, clock=lambda: NINE)
    for name in ("rejected/DS000001.jce", "done/DS000001.txt"):
        made[f"`{name}`"] = (shared / name).read_text("cp1252")
    made["`export.csv` after the import"] = (folder / "export.csv").read_text(encoding="utf-8")
    with database.reading() as session:
        lines = queries.lines_of(session, update.id)
    made["what the job's lines have become"] = "".join(
        f"{line.code} {line.category:3} {line.outcome}{': ' + line.message if line.message else ''}\n"
        for line in lines
    )
    return made

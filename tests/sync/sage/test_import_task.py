"""The stand-in for the accountant's import: what it takes, what it rejects, and what it leaves behind."""

from datetime import timedelta
from pathlib import Path

import pytest

from sync.sage.embedded import EmbeddedSage, LoadedRow
from sync.sage.folders import Folders
from sync.sage.import_file import ImportFileCompany
from sync.sage.import_task import ImportTask
from sync.sage.profile import SageProfile
from tests.sync.sage.lines import BATCH, LINES, left_alone, line, words_in
from workflow.merge import SageCode


@pytest.fixture
def sage(tmp_path: Path) -> EmbeddedSage:
    sage = EmbeddedSage(tmp_path / "sage.db")
    sage.load(
        [
            LoadedRow("24-017", "Riverside", "", "09-2500", "Drywall", "L"),
            LoadedRow("24-017", "Riverside", "CO-1", "10-1000", "Bare code"),
            LoadedRow("24-018", "Depot"),
        ]
    )
    sage.load_categories(["L", "S"])
    return sage


@pytest.fixture
def task(tmp_path: Path, sage: EmbeddedSage) -> ImportTask:
    return ImportTask(tmp_path / "shared", sage, tmp_path / "export.csv")


@pytest.fixture
def company(tmp_path: Path) -> ImportFileCompany:
    Folders.under(tmp_path / "shared").set_up()
    return ImportFileCompany(tmp_path / "shared", SageProfile(), left_alone(tmp_path / "export.csv"))


def test_what_it_exports_is_what_sage_holds(
    task: ImportTask, sage: EmbeddedSage, company: ImportFileCompany
) -> None:
    task.save_export()

    jobs = ["24-017", "24-018", "24-099"]
    assert list(company.read(jobs)) == list(sage.read(jobs))


def test_a_file_is_imported_rejected_records_and_report_left_and_costbot_reads_the_answer(
    task: ImportTask, company: ImportFileCompany, tmp_path: Path
) -> None:
    company.send(BATCH, iter(LINES))

    assert task.run() == ["DS000001.jce"]

    assert words_in(company.answer(BATCH, LINES)) == {
        2: "Job 24-017 Cost code 03-3000 Category M Category M is not a standard category",
        4: "Job 24-018 Cost code 22-1116 Category M Category M is not a standard category",
    }
    [riverside] = company.read(["24-017"])
    assert riverside.cost_codes["", "03-3000"] == SageCode("Concrete", frozenset({"L"}))
    assert riverside.cost_codes["", "09-2500"] == SageCode("Drywall", frozenset({"L", "S"}))
    shared = tmp_path / "shared"
    assert sorted(path.name for path in (shared / "done").iterdir()) == [
        "DS000001.jce",
        "DS000001.json",
        "DS000001.txt",
    ]
    assert list((shared / "outgoing").iterdir()) == []
    assert (shared / "rejected" / "DS000001.jce").read_text("cp1252").splitlines() == [
        '"*","24-017","Name of 24-017","WRI","","","","","","","","","",0.00',
        '"C","03-3000","Concrete","M",11022026,0.00,"",0.00,,,,,',
        '"*","24-018","Name of 24-018","WRI","","","","","","","","","",0.00',
        '"C","22-1116","Pipe","M",11022026,0.00,"",0.00,,,,,',
    ]


def test_a_rejected_file_can_be_corrected_and_imported_again(
    task: ImportTask, company: ImportFileCompany, sage: EmbeddedSage, tmp_path: Path
) -> None:
    company.send(BATCH, iter(LINES))
    task.run()
    sage.load_categories(["M"])
    shared = tmp_path / "shared"
    (shared / "rejected" / "DS000001.jce").rename(shared / "outgoing" / "again.jce")

    task.run()

    [depot] = company.read(["24-018"])
    assert depot.cost_codes["", "22-1116"].categories == {"M"}


def test_a_file_is_left_to_lie_for_a_while(task: ImportTask, company: ImportFileCompany) -> None:
    company.send(BATCH, iter([line(1, "03-3000", "L")]))

    assert task.run(lain_for=timedelta(hours=1)) == []

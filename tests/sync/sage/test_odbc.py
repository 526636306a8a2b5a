"""Reading Sage back over a real ODBC driver, that of SQLite, on a database with the tables of Timberline."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sync.sage.company import SageUnreachableError
from sync.sage.odbc import OdbcReader
from sync.sage.profile import SageProfile
from tests.factories import NINE
from workflow.merge import SageCode, SageJob

SCHEMA = """
CREATE TABLE JCM_MASTER__JOB (Job TEXT, Description TEXT, Status TEXT);
CREATE TABLE JCM_MASTER__EXTRA (Job TEXT, Extra TEXT);
CREATE TABLE JCM_MASTER__COST_CODE (Job TEXT, Extra TEXT, Cost_Code TEXT, Description TEXT, Account TEXT);
CREATE TABLE JCM_MASTER__CATEGORY (Job TEXT, Extra TEXT, Cost_Code TEXT, Category TEXT, Cost_Account TEXT);
CREATE TABLE JCM_MASTER__STANDARD_COST_CODE (Cost_Code TEXT, Description TEXT);
INSERT INTO JCM_MASTER__JOB VALUES ('24-017', 'Riverside Medical Center', 'Open'), ('24-018', 'Depot', '');
INSERT INTO JCM_MASTER__EXTRA VALUES ('24-017', '  CO-1'), ('24-018', 'CO-9');
INSERT INTO JCM_MASTER__COST_CODE VALUES
    ('24-017', '', '     03-3000', 'Concrete, café   ', '5000'), ('24-017', NULL, '09-2500', 'Drywall', ''),
    ('24-017', 'CO-1', '03-3000', 'Concrete of CO-1', ''), ('24-018', '', '22-1116', 'Pipe', '');
INSERT INTO JCM_MASTER__CATEGORY VALUES
    ('24-017', '', '     03-3000', 'L  ', '5000'), ('24-017', '', '     03-3000', 'M', ''),
    ('24-017', 'CO-1', '03-3000', 'L', ''), ('24-018', '', '22-1116', 'S', '');
INSERT INTO JCM_MASTER__STANDARD_COST_CODE VALUES ('03-3000', 'Concrete'), ('09-2500', 'Drywall');
"""
RIVERSIDE = SageJob(
    "24-017",
    "Riverside Medical Center",
    {
        ("", "03-3000"): SageCode("Concrete, café", frozenset({"L", "M"})),
        ("", "09-2500"): SageCode("Drywall", frozenset()),
        ("CO-1", "03-3000"): SageCode("Concrete of CO-1", frozenset({"L"})),
    },
    frozenset({"CO-1"}),
)


@pytest.fixture
def data_source(tmp_path: Path) -> Path:
    path = tmp_path / "timberline.db"
    with closing(sqlite3.connect(path)) as sage:
        sage.executescript(SCHEMA)
    return path


def reader(path: Path, profile: SageProfile | None = None) -> OdbcReader:
    return OdbcReader(f"DRIVER=SQLite3;Database={path};Timeout=100", profile or SageProfile())


def test_what_sage_holds_is_read_without_padding_and_unknown_jobs_are_said_so(data_source: Path) -> None:
    assert list(reader(data_source).read(["24-017", "24-099", "24-018"])) == [
        RIVERSIDE,
        SageJob("24-099", None, {}),
        SageJob(
            "24-018", "Depot", {("", "22-1116"): SageCode("Pipe", frozenset({"S"}))}, frozenset({"CO-9"})
        ),
    ]


def test_a_description_is_read_as_the_database_can_hold_it(data_source: Path) -> None:
    with closing(sqlite3.connect(data_source)) as sage, sage:
        sage.execute(
            "UPDATE JCM_MASTER__COST_CODE SET Description = ? WHERE Job = '24-018'", ("Pi\tpe " * 40,)
        )

    [depot] = reader(data_source).read(["24-018"])

    assert depot.cost_codes["", "22-1116"].description == ("Pi\tpe " * 40)[:200]


def test_a_job_with_more_rows_than_one_fetch_is_read_whole(data_source: Path) -> None:
    with closing(sqlite3.connect(data_source)) as sage, sage:
        sage.executemany(
            "INSERT INTO JCM_MASTER__COST_CODE VALUES ('24-018', '', ?, 'Code', '')",
            ((f"50-{n:04}",) for n in range(2_500)),
        )

    [job] = reader(data_source).read(["24-018"])

    assert len(job.cost_codes) == 2_501


def test_sage_is_not_locked_while_it_is_read_nor_changed(data_source: Path) -> None:
    jobs: Iterator[SageJob] = reader(data_source).read(["24-017", "24-018"])
    next(jobs)
    with closing(sqlite3.connect(data_source, timeout=0)) as sage, sage:
        sage.execute("INSERT INTO JCM_MASTER__EXTRA VALUES ('24-018', 'CO-2')")

    assert next(jobs).extras == frozenset({"CO-9", "CO-2"})


def test_a_value_is_a_parameter_whatever_it_looks_like(data_source: Path) -> None:
    [job] = reader(data_source).read(["24-017' OR '1'='1"])

    assert not job.known


def test_job_numbers_are_asked_for_as_the_profile_justifies_them(data_source: Path) -> None:
    with closing(sqlite3.connect(data_source)) as sage, sage:
        sage.execute("UPDATE JCM_MASTER__JOB SET Job = '    24-018' WHERE Job = '24-018'")
    justified = SageProfile.model_validate({"job": {"justification": "right"}})

    [job] = reader(data_source, justified).read(["24-018"])

    assert (job.number, job.name) == ("24-018", "Depot")


def test_the_names_of_tables_and_columns_come_from_the_profile(data_source: Path) -> None:
    with closing(sqlite3.connect(data_source)) as sage, sage:
        sage.execute("ALTER TABLE JCM_MASTER__JOB RENAME TO JOBS")
    renamed = SageProfile.model_validate({"odbc": {"job_table": "JOBS"}})

    assert reader(data_source, renamed).problem() is None
    assert list(reader(data_source, renamed).read(["24-017"])) == [RIVERSIDE]


def test_the_standard_list_is_read(data_source: Path) -> None:
    assert reader(data_source).standard_cost_codes() == {"03-3000": "Concrete", "09-2500": "Drywall"}


def test_a_table_that_is_not_there_is_a_problem_with_a_mend(data_source: Path) -> None:
    with closing(sqlite3.connect(data_source)) as sage, sage:
        sage.execute("DROP TABLE JCM_MASTER__EXTRA")

    assert "Check the connection string, and the table names in the profile" in str(
        reader(data_source).problem()
    )
    with pytest.raises(SageUnreachableError, match="SQLSTATE"):
        list(reader(data_source).read(["24-017"]))


def test_a_wrong_connection_string_is_a_problem_that_does_not_show_it(tmp_path: Path) -> None:
    wrong = OdbcReader("DRIVER=Timberline;UID=accountant;PWD=secret-word", SageProfile())

    problem = str(wrong.problem())

    assert problem.startswith("COSTBOT_SAGE_ODBC: Sage did not answer over ODBC (SQLSTATE ")
    assert "secret-word" not in problem


def test_odbc_reads_sage_itself_so_it_is_always_the_newest(data_source: Path) -> None:
    assert reader(data_source).is_newer_than(NINE)

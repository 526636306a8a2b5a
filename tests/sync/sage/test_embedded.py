"""The embedded Sage company: its limits, its refusals, and a batch that is taken once."""

import os
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from sync.sage.company import Batch, SageUnreachableError
from sync.sage.embedded import EmbeddedSage, LoadedRow, refusal
from tests.factories import NINE
from tests.processes import forked
from tests.sync.sage.lines import words_in
from workflow.batches import ExportLine
from workflow.merge import SageCode

BATCH = Batch("DS000001", NINE)
NEXT = Batch("DS000002", NINE)


@pytest.fixture
def sage(tmp_path: Path) -> EmbeddedSage:
    return EmbeddedSage(tmp_path / "data" / "sage.db")


@pytest.fixture
def loaded(sage: EmbeddedSage) -> EmbeddedSage:
    """Two jobs; the first has one cost code with one category."""
    sage.load(
        [
            LoadedRow("24-017", "Riverside", "", "03-300", "Sage's own concrete", "L"),
            LoadedRow("24-018", "Depot"),
        ]
    )
    return sage


def line(
    code: str = "03-300",
    category: str = "M",
    description: str | None = "Concrete",
    *,
    line_id: int = 1,
    job: str = "24-017",
    extra: str = "",
) -> ExportLine:
    return ExportLine(line_id, job, f"Name of {job}", extra, code, category, description)


ASKED = [line(line_id=line_id) for line_id in range(10)]


def words_of(line: ExportLine, *, code_exists: bool = True, standard: str = "") -> str | None:
    return refusal(line, code_exists=code_exists, standard_categories=frozenset(standard.split()))


def test_sage_knows_nothing_at_first(sage: EmbeddedSage) -> None:
    [job] = sage.read(["24-017"])

    assert not job.known
    assert job.cost_codes == {}


def test_sage_tells_what_was_loaded_in_the_order_asked(loaded: EmbeddedSage) -> None:
    depot, unknown, riverside = loaded.read(["24-018", "24-099", "24-017"])

    assert (depot.number, depot.name, depot.known, depot.cost_codes) == ("24-018", "Depot", True, {})
    assert (unknown.number, unknown.known) == ("24-099", False)
    assert riverside.cost_codes == {("", "03-300"): SageCode("Sage's own concrete", frozenset({"L"}))}


def test_loading_again_adds_and_says_sage_s_last_word_on_names(loaded: EmbeddedSage) -> None:
    loaded.load([LoadedRow("24-017", "Riverside East", "", "03-300", "Renamed", "M")])

    [job] = loaded.read(["24-017"])
    assert job.name == "Riverside East"
    assert job.cost_codes == {("", "03-300"): SageCode("Renamed", frozenset({"L", "M"}))}


def test_a_file_that_fails_half_way_loads_nothing(loaded: EmbeddedSage) -> None:
    def rows() -> Iterator[LoadedRow]:
        yield LoadedRow("24-020", "Yard")
        raise RuntimeError("the file ended early")

    with pytest.raises(RuntimeError):
        loaded.load(rows())

    assert [job.known for job in loaded.read(["24-020"])] == [False]


def test_a_new_cost_code_takes_the_description_sent_and_an_existing_one_keeps_its_own(
    loaded: EmbeddedSage,
) -> None:
    loaded.send(
        BATCH,
        [
            line("03-300", "M", "Another text", line_id=1),
            line("03-300", "S", None, line_id=2),
            line("09-250", "L", "Gypsum", line_id=3),
            line("09-250", "L", "Gypsum of the extra", line_id=4, extra="A"),
        ],
    )

    assert words_in(loaded.answer(BATCH), ASKED) == {}
    [job] = loaded.read(["24-017"])
    assert job.cost_codes == {
        ("", "03-300"): SageCode("Sage's own concrete", frozenset({"L", "M", "S"})),
        ("", "09-250"): SageCode("Gypsum", frozenset({"L"})),
        ("A", "09-250"): SageCode("Gypsum of the extra", frozenset({"L"})),
    }


def test_refused_lines_are_answered_in_sage_s_words_and_the_others_are_taken(loaded: EmbeddedSage) -> None:
    loaded.load_categories(["L", "M"])
    loaded.send(
        BATCH,
        [
            line(category="XX", line_id=7),
            line(category="M", line_id=8),
        ],
    )

    assert words_in(loaded.answer(BATCH), ASKED) == {
        7: "Category XX is not a standard category",
    }
    [riverside] = loaded.read(["24-017"])
    assert riverside.cost_codes["", "03-300"].categories == {"L", "M"}


def test_a_refused_category_does_not_create_its_cost_code(loaded: EmbeddedSage) -> None:
    loaded.load_categories(["L"])
    loaded.send(BATCH, [line("09-250", "XX")])

    [job] = loaded.read(["24-017"])
    assert ("", "09-250") not in job.cost_codes


def test_an_unknown_job_is_created_as_the_real_import_does(loaded: EmbeddedSage) -> None:
    loaded.load_categories(["L", "M"])
    loaded.send(BATCH, [line(job="24-019"), line(job="24-020", category="S", line_id=2)])

    created, refused = loaded.read(["24-019", "24-020"])
    assert created.name == "Name of 24-019"
    assert not refused.known


def test_a_batch_sent_twice_is_taken_once(loaded: EmbeddedSage) -> None:
    loaded.send(BATCH, [line(category="XXXX", line_id=1)])
    loaded.send(BATCH, [line(category="M", line_id=2)])

    assert words_in(loaded.answer(BATCH), ASKED) == {1: "Category XXXX must have 1 to 3 characters"}
    [job] = loaded.read(["24-017"])
    assert job.cost_codes["", "03-300"].categories == {"L"}


def test_a_description_is_cut_to_what_sage_takes(loaded: EmbeddedSage) -> None:
    loaded.send(BATCH, [line("09-250", description="Gypsum board and metal framing systems")])

    [job] = loaded.read(["24-017"])
    assert job.cost_codes["", "09-250"].description == "Gypsum board and metal framing"


def test_a_batch_that_was_never_sent_has_no_answer(loaded: EmbeddedSage) -> None:
    loaded.send(BATCH, [])

    assert words_in(loaded.answer(BATCH), ASKED) == {}
    assert words_in(loaded.answer(NEXT), ASKED) is None


def test_a_batch_whose_lines_break_off_leaves_nothing(loaded: EmbeddedSage) -> None:
    def lines() -> Iterator[ExportLine]:
        yield line()
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        loaded.send(BATCH, lines())

    assert words_in(loaded.answer(BATCH), ASKED) is None
    [job] = loaded.read(["24-017"])
    assert job.cost_codes["", "03-300"].categories == {"L"}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (line("03-300-100-1", "L"), None),
        (line("03-300-100-12", "L"), "Cost code 03-300-100-12 is longer than 12 characters"),
        (line("03.300", "L"), None),
        (line("03/300", "L"), None),
        (line("033000", "L"), "Cost code 033000 is not sectioned: divide it by - / or ."),
        (line(description="x" * 30), None),
        (line(category="LAB"), None),
        (line(category="LABO"), "Category LABO must have 1 to 3 characters"),
        (line(category=""), "Category (empty) must have 1 to 3 characters"),
    ],
)
def test_sage_s_limits(sent: ExportLine, expected: str | None) -> None:
    assert words_of(sent) == expected


def test_a_category_must_be_standard_once_there_is_a_list_of_them() -> None:
    assert words_of(line(category="M"), standard="L M") is None
    assert words_of(line(category="m"), standard="L M") == "Category m is not a standard category"
    assert words_of(line(category="m")) is None


def test_a_category_for_a_cost_code_that_left_sage_is_refused() -> None:
    assert words_of(line(description=None)) is None
    assert (
        words_of(line(description=None), code_exists=False)
        == "Cost code 03-300 does not exist for job 24-017"
    )


def test_a_folder_that_cannot_be_used_is_a_problem_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sage = EmbeddedSage(tmp_path / "file" / "sage.db")

    problem = sage.problem()
    assert problem is not None
    assert "Check that its folder exists" in problem
    with pytest.raises(SageUnreachableError, match="cannot be used"):
        list(sage.read(["24-017"]))
    with pytest.raises(SageUnreachableError, match="cannot be used"):
        sage.send(BATCH, [])


def test_a_file_that_is_no_database_is_a_problem_in_words(tmp_path: Path) -> None:
    (tmp_path / "sage.db").write_bytes(b"not a database" * 100)

    assert "not a database" in (EmbeddedSage(tmp_path / "sage.db").problem() or "")


def test_a_usable_company_has_no_problem(loaded: EmbeddedSage) -> None:
    assert loaded.problem() is None


def _send_some(path: Path, start: int) -> None:
    sage = EmbeddedSage(path)
    for number in range(start, start + 10):
        sage.send(Batch(f"DS{number:06d}", NINE), [line(f"01-{number}", "L", line_id=number)])


def test_many_processes_may_use_a_company_from_its_first_moment_on(
    sage: EmbeddedSage, tmp_path: Path
) -> None:
    path = tmp_path / "data" / "sage.db"
    processes = [forked(_send_some, path, start) for start in (0, 10, 20, 30)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    [job] = sage.read(["24-017"])
    assert len(job.cost_codes) == 40


def _send_for_ever(path: Path, ready: str) -> None:
    def lines() -> Iterator[ExportLine]:
        for number in count():
            if number == 500:
                Path(ready).touch()
            yield line(f"01-{number}", "L", line_id=number)

    EmbeddedSage(path).send(BATCH, lines())


def test_a_process_killed_while_it_sends_leaves_a_company_without_that_batch(
    loaded: EmbeddedSage, tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    process = forked(_send_for_ever, tmp_path / "data" / "sage.db", str(ready))
    process.start()
    while not ready.exists():
        process.join(0.01)
        assert process.exitcode is None
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join()

    assert words_in(loaded.answer(BATCH), ASKED) is None
    loaded.send(BATCH, [line(category="M")])
    [job] = loaded.read(["24-017"])
    assert job.cost_codes == {("", "03-300"): SageCode("Sage's own concrete", frozenset({"L", "M"}))}

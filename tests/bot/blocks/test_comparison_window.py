"""The window of Procore, costbot and Sage: every difference is on one page, alike ones once."""

from bot.blocks.checking import view_problems
from bot.blocks.comparison_window import ROWS_A_PAGE, comparison_window
from bot.blocks.pieces import Json
from tests.bot.facts import HOSTILE, NOON
from workflow.comparison import Asked, InProcore, InSage, Judged, Row
from workflow.language import speaking
from workflow.merge import Assignment
from workflow.three_places import ProcoreKnown, ThreePlaces
from workflow.vocabulary import State, Verdict

READ = ProcoreKnown(NOON, changed_since=False)
WAITS = (Judged(Verdict.WAITS_FOR_APPROVER),)


def waiting(code: str, category: str = "L", description: str = "Concrete") -> Row:
    return Row(
        Assignment(code, category),
        InProcore(description, has_erp_id=False),
        Asked(description, State.READY),
        None,
        WAITS,
    )


def same(code: str) -> Row:
    held = InSage("Concrete", has_category=True)
    return Row(Assignment(code, "L"), InProcore("Concrete", has_erp_id=True), None, held, ())


def places(*rows: Row, procore: ProcoreKnown | None = READ) -> ThreePlaces:
    return ThreePlaces(7, "24-017", "Riverside", procore, True, NOON, rows)


def texts(view: Json) -> list[str]:
    return [block["text"]["text"] for block in view["blocks"] if block["type"] == "section"]


def test_a_row_has_the_three_places_and_what_to_do() -> None:
    head, row = texts(comparison_window(places(waiting("03-300"), same("03-400"))))
    assert head == "*24-017 Riverside*\n1 assignment differs. 1 is as it should be."
    assert row.replace("\N{NO-BREAK SPACE}", " ").splitlines() == [
        "*03-300* Concrete · *L*",
        "*Procore:* there, without an ERP id   *costbot:* Ready to Update   *Sage:* not there",
        "➡️ An accounting approver has to Update or Reject it.",
    ]


def test_with_files_there_are_two_columns_and_it_says_so() -> None:
    view = comparison_window(places(waiting("03-300"), procore=None))
    assert "Procore:" not in texts(view)[1]
    assert "costbot works with files here" in str(view["blocks"][1])


def test_categories_of_a_cost_code_that_stand_alike_share_a_row() -> None:
    _, first, second = texts(
        comparison_window(places(waiting("03-300", "L"), waiting("03-300", "M"), waiting("03-400", "L")))
    )
    assert first.startswith("*03-300* Concrete · *L, M*")
    assert second.startswith("*03-400*")


def test_every_row_of_a_long_job_is_on_one_page_and_each_page_fits_slack() -> None:
    known = places(*(waiting(f"{number:05}", "L", HOSTILE * 5) for number in range(2 * ROWS_A_PAGE + 1)))
    pages = [comparison_window(known, page=page) for page in range(3)]
    shown = [text.split("*")[1] for page in pages for text in texts(page) if text.startswith("*0")]
    assert shown == [f"{number:05}" for number in range(2 * ROWS_A_PAGE + 1)]
    assert [list(view_problems(page)) for page in pages] == [[], [], []]
    assert comparison_window(known, page=99) == pages[-1]
    assert "Page 3 of 3." in str(pages[-1])


def test_what_others_said_is_shown_as_data() -> None:
    row = Row(
        Assignment("03-300", "L"), None, Asked("x", State.FAILED), None, (Judged(Verdict.FAILED, HOSTILE),)
    )
    said = texts(comparison_window(places(row)))[1]
    assert "<!channel>" not in said
    assert "&lt;!channel&gt;" in said


def test_it_speaks_spanish() -> None:
    with speaking("es"):
        _, row = texts(comparison_window(places(waiting("03-300"))))
    assert "Un aprobador contable debe actualizarla o rechazarla." in row

"""The picture of a report, and its words: whatever is in it."""

import io
from datetime import date, timedelta

import pytest
from PIL import Image, ImageChops

from bot.blocks.report_page import report_page
from bot.blocks.report_words import hours_words, report_words
from bot.charts import DOTS_AN_INCH, WIDTH, chart, day_words
from bot.spreadsheet import report_csv
from tests.factories import NINE
from workflow.language import languages, speaking
from workflow.report import Asked, Failure, Period, Report, figures
from workflow.vocabulary import State

PNG = b"\x89PNG\r\n\x1a\n"


def a_report(asker: str = "Eve $1 </td> =SUM(A1)") -> Report:
    decided = [
        Asked(asker, NINE + timedelta(hours=n), "Ada", NINE + timedelta(hours=n + 3), State.SYNCED)
        for n in range(5)
    ]
    waits = Asked("Al", NINE, None, None, State.READY)
    until = NINE + timedelta(days=3)
    return figures([*decided, waits], [Failure("category $x$ is <unknown>", 3)], Period.WEEK, until=until)


def size(picture: bytes) -> tuple[int, int]:
    return int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])


def test_the_picture_is_a_png_of_its_width_whatever_people_are_called() -> None:
    picture = chart(a_report())
    assert picture.startswith(PNG)
    assert size(picture)[0] == WIDTH * DOTS_AN_INCH


def test_a_report_of_nothing_has_a_picture_that_takes_little_room() -> None:
    nothing = chart(figures([], [], Period.MONTH, until=NINE))
    assert nothing.startswith(PNG)
    assert size(nothing)[1] < size(chart(a_report()))[1] / 2


@pytest.mark.parametrize("language", languages())
def test_the_title_is_inside_the_picture_in_every_language(language: str) -> None:
    with speaking(language), Image.open(io.BytesIO(chart(a_report("Eve")))) as picture:
        drawn = ImageChops.invert(picture.convert("L")).getbbox()
        width = picture.width
    assert drawn is not None
    assert drawn[0] > 0
    assert drawn[2] < width


def test_weeks_are_named_in_the_language_spoken() -> None:
    with speaking("es"):
        assert day_words(date(2026, 1, 5)) == "05 ene"
    assert [day_words(date(2026, month, 30)) for month in (8, 12)] == ["30 Aug", "30 Dec"]


def test_the_words_say_what_the_picture_shows() -> None:
    assert report_words(a_report("Eve")) == [
        "6 requests came, 5 updated, 0 rejected.",
        "Half of the Updates came within 3.0 hours of the request, nine out of ten within 3.0 hours.",
        "Sage refused 3 lines, most of them for: category $x$ is <unknown>",
        "Ada updated 5 requests of Eve, half of them within 3.0 hours.",
        "Al waits for 1 job, the oldest since 2026-11-02 09:00 UTC.",
    ]


def test_the_page_shows_data_as_it_is() -> None:
    page = report_page(a_report(), b"")
    assert "Eve $1 &lt;/td&gt; =SUM(A1) on Ada" in page
    assert "<unknown>" not in page


def test_a_spreadsheet_runs_nothing_of_the_csv() -> None:
    assert "Who waits on whom,'=Eve on Ada,Updates,5" in report_csv(a_report("=Eve"))


def test_hours_are_said_in_a_fitting_unit() -> None:
    assert [hours_words(hours) for hours in (0.5, 1 / 60, 3.25, 60)] == [
        "30 minutes",
        "1 minute",
        "3.2 hours",
        "2.5 days",
    ]

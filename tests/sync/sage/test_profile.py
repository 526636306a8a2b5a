"""The company's Sage profile: its defaults, its mistakes, and what of it the checks go by."""

from pathlib import Path

import pytest

from sync.sage.profile import EXAMPLE, ProfileError, SageProfile, read_profile
from workflow.checks import Format, SageLimits


def profile(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "profile.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_has_the_defaults_but_for_a_format_and_standard_categories() -> None:
    example = read_profile(EXAMPLE)

    assert example.cost_code.sections == (2, 4)
    assert example.category.standard == {"L", "M", "E", "S", "O"}
    plain = SageProfile()
    same_format = example.cost_code.model_copy(update={"sections": (), "delimiter": "-./ "})
    assert same_format == plain.cost_code
    assert (example.job, example.file, example.odbc) == (plain.job, plain.file, plain.odbc)


def test_the_example_shows_every_field() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    for part, model in SageProfile():
        section = text.partition(f"[{part}]")[2].partition("\n[")[0]
        assert [name for name in type(model).model_fields if f"{name} = " not in section] == [], part


def test_an_empty_profile_is_the_defaults(tmp_path: Path) -> None:
    assert read_profile(profile(tmp_path, "")) == SageProfile()


def test_the_checks_go_by_the_profile(tmp_path: Path) -> None:
    limits = read_profile(
        profile(
            tmp_path,
            """
            cost_code = { sections = [2, 3], delimiter = ".", letters = false, tiers = true, width = 8 }
            job = { sections = [2, 4], delimiter = "-", width = 7, extra_width = 4, must_exist = false }
            category.standard = ["L"]
            category.width = 2
            file = { encoding = "latin-1", description_width = 25 }
            """,
        )
    ).limits

    assert limits == SageLimits(
        code_format=Format((2, 3), ".", letters=False, tiers=True),
        job_format=Format((2, 4), "-"),
        code_width=8,
        job_width=7,
        extra_width=4,
        description_width=25,
        category_width=2,
        categories=frozenset({"L"}),
        encoding="iso8859-1",
        job_must_exist=False,
    )


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("[cost_codes]", "cost_codes is not usable: Extra inputs are not permitted."),
        ("file.encoding = 'Klingon'", "file.encoding is not usable: no encoding is called Klingon"),
        ("file.encoding = 'base64'", "file.encoding is not usable: base64 does not write text row by row"),
        ("file.encoding = 'utf-16'", "file.encoding is not usable: utf-16 does not write text row by row"),
        ("file.imported_within_hours = inf", "file.imported_within_hours is not usable"),
        ("file.unit = '日'", "file is not usable: unit has a character that cp1252 cannot carry."),
        ('file.unit = "a\\n"', "file is not usable: unit has a character that cp1252 cannot carry."),
        ("file.quantity = 0.001", "file.quantity is not usable"),
        ("cost_code.delimiter = '_'", "cost_code.delimiter is not usable: use - . / or a space."),
        ("cost_code.sections = [6, 6]", "cost_code is not usable: sections and what divides them take 13"),
        ("cost_code.field_width = 11", "cost_code is not usable: field_width"),
        ("odbc.job_table = 'jobs; DROP'", "odbc is not usable: job_table must be a plain name"),
        ("file.line_end = 'cr'", "file.line_end is not usable: Input should be 'crlf' or 'lf'."),
        ("x = ", "is not TOML"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_field(tmp_path: Path, text: str, mistake: str) -> None:
    with pytest.raises(ProfileError) as error:
        read_profile(profile(tmp_path, text))

    assert mistake in str(error.value)
    assert "\n" not in str(error.value)


def test_every_mistake_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProfileError) as error:
        read_profile(profile(tmp_path, "category.width = 0\nfile.amount = 'much'"))

    assert len(str(error.value).splitlines()) == 2


def test_a_profile_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"COSTBOT_SAGE_PROFILE .*nowhere\.toml cannot be read"):
        read_profile(tmp_path / "nowhere.toml")

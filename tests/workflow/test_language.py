"""Words in the reader's language: looked up when they are said, and never frozen in one in the database."""

from pathlib import Path
from string import Formatter

import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from tests.workflow.site import Site
from workflow import findings, queries
from workflow.checks import Finding
from workflow.database import Database
from workflow.language import (
    LOCALES,
    either,
    go_on_in,
    joined,
    kept,
    language_of,
    languages,
    later,
    plural,
    say,
    speaking,
    spoken,
)
from workflow.tables import LineFinding, RequestedLine
from workflow.vocabulary import Rule, Severity

CATALOGUES = sorted(LOCALES.glob("*/LC_MESSAGES/costbot.po"))


def test_the_company_may_read_spanish() -> None:
    assert languages() == ("en", "es")


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("es-ES", "es"),
        ("es-LA", "es"),
        ("es_MX", "es"),
        ("ES", "es"),
        ("en-US", "en"),
        ("en-GB", "en"),
        ("fr-FR", None),
        ("est", None),
        ("", None),
        (None, None),
    ],
)
def test_a_locale_of_slacks_is_a_language_where_costbot_speaks_it(
    locale: str | None, language: str | None
) -> None:
    assert language_of(locale) == language


def test_words_are_said_in_the_language_of_the_moment() -> None:
    title = later("Cost Codes for Update")
    assert say(title) == "Cost Codes for Update"
    with speaking("es"):
        assert (say(title), spoken()) == ("Códigos por actualizar", "es")
        go_on_in("en")
        assert say(title) == "Cost Codes for Update"
        with speaking(None):
            assert spoken() == "en"
    assert spoken() == "en"


def test_what_no_catalogue_has_is_said_in_english() -> None:
    with speaking("es"):
        assert say("Nobody has translated {this}.", this="it") == "Nobody has translated it."
        assert say("") == ""
    with speaking("fr"):
        assert say("Update") == "Update"


def test_numbers_ask_for_their_form() -> None:
    def codes(n: int) -> str:
        return plural("{n:,} cost code", "{n:,} cost codes", n)

    assert [codes(n) for n in (0, 1, 5_000)] == ["0 cost codes", "1 cost code", "5,000 cost codes"]
    with speaking("es"):
        assert [codes(n) for n in (0, 1, 2)] == [
            "0 códigos de costo",
            "1 código de costo",
            "2 códigos de costo",
        ]


def test_a_choice_of_names_is_said_as_one() -> None:
    assert [either(names) for names in ((), ("a",), ("a", "b"), ("a", "b", "c"))] == [
        "",
        "a",
        "a or b",
        "a, b or c",
    ]
    with speaking("es"):
        assert either(["a", "b"]) == "a o b"


@given(st.text(), st.integers(), st.lists(st.text()))
def test_words_that_are_kept_can_be_said_again(name: str, number: int, others: list[str]) -> None:
    why = joined([later("{name} is larger than 1 MB: share it in parts", name=one) for one in others])
    words = later(
        "Not sent: {why}.", why=later("{why} and {name} {number}", why=why, name=name, number=number)
    )

    again = kept(words.made_of())

    assert (again, again.made_of()) == (str(words), words.made_of())
    with speaking("es"):
        assert say(again) == say(words)
        assert all("pesa más de 1 MB" in say(again) for _ in others[:1])


def test_a_finding_is_worded_for_whoever_reads_it_and_an_older_one_reads_as_it_was(site: Site) -> None:
    requested = site.ask("03-300 L")
    with site.database.writing() as session:
        line_id = session.scalars(select(RequestedLine.id)).one()
        words = later(
            "cost code {code} is not on the standard cost code list: create it in Sage first", code="03-300"
        )
        rule, severity = Rule.CODE_NOT_STANDARD, Severity.REFUSE
        session.add(LineFinding(line_id=line_id, rule=rule, severity=severity, message=words))
    with site.database.reading() as session:
        [found] = findings.of_lines(session, [line_id])[line_id]
        assert found == Finding(rule, severity, str(words))
        with speaking("es"):
            assert "el código de costo 03-300 no está en la lista estándar" in say(found.message)
    with site.database.writing() as session:
        session.execute(update(LineFinding).values(message="cost code 99-999: an older costbot wrote this"))
    with site.database.reading() as session, speaking("es"):
        [code] = queries.cost_codes(session, requested.id)
        assert {say(one.message) for one in code.findings} == {
            "cost code 99-999: an older costbot wrote this"
        }


def test_sages_own_words_are_stored_as_they_are(site: Site, database: Database) -> None:
    requested = site.ask("03-300 L")
    with database.writing() as session:
        session.execute(
            text("UPDATE requested_lines SET message = 'Category L is closed', outcome = 'failed'")
        )
    with database.reading() as session, speaking("es"):
        [code] = queries.cost_codes(session, requested.id)
        assert [(category, say(why)) for category, why in code.refused] == [("L", "Category L is closed")]


def placeholders(template: str) -> set[tuple[str, str | None]]:
    return {(name, spec) for _, name, spec, _ in Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.parent.name)
def test_a_catalogue_is_complete_and_has_the_same_placeholders(path: Path) -> None:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.parent.parent.name)
    assert len(catalogue) > 500
    for message in catalogue:
        ids, strings = (
            each if isinstance(each, list | tuple) else (each,) for each in (message.id, message.string)
        )
        if ids == ("",):
            continue
        assert not message.fuzzy
        assert all(strings), ids
        for said in strings:
            assert placeholders(str(said)) == placeholders(str(ids[-1])), ids
        # what is typed as it stands is the same in every language
        for typed in ("/costcodes", "COSTBOT_CHANNEL", "/invite @costbot", "`costbot "):
            assert all((typed in str(said)) == (typed in str(ids[-1])) for said in strings), ids

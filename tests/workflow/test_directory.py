"""People, jobs, categories and the standard list: added and changed by whole tables, or not at all."""

from typing import Any

import pytest
from sqlalchemy import select

from tests.factories import NINE, actor
from tests.workflow.site import Site
from workflow import directory
from workflow.columns import Problem, Unfit
from workflow.directory import AlreadyLinked, StandardCode
from workflow.privileges import SCHEDULE
from workflow.tables import Category, Job, Person, SlackLink, StandardCostCode, StandardCostCodeCategory
from workflow.vocabulary import ErpPermission, Event


def someone(email: str, name: str = "Some One", **columns: Any) -> dict[str, Any]:
    return {
        "email": email,
        "name": name,
        "erp_permission": ErpPermission.STANDARD,
        "can_push_to_accounting": True,
        "active": True,
        **columns,
    }


def a_job(number: str, name: str = "Somewhere", procore_project_id: int | None = None) -> dict[str, Any]:
    return {"number": number, "name": name, "procore_project_id": procore_project_id}


def put_people(site: Site, *rows: dict[str, Any]) -> Unfit | None:
    with site.database.writing() as session:
        return directory.put_people(session, rows, source="people.csv", by=SCHEDULE, at=NINE)


def put_jobs(site: Site, *rows: dict[str, Any]) -> Unfit | None:
    with site.database.writing() as session:
        return directory.put_jobs(session, rows, source="jobs.csv", by=SCHEDULE, at=NINE)


def put_codes(site: Site, *codes: StandardCode) -> list[str] | Unfit:
    with site.database.writing() as session:
        return directory.put_standard_codes(session, codes, source="codes.csv", by=SCHEDULE, at=NINE)


def person(site: Site, email: str) -> Person | None:
    with site.database.reading() as session:
        return directory.person_by_email(session, email)


def test_people_are_added_and_changed_and_those_not_named_stay(site: Site) -> None:
    assert (
        put_people(site, someone("new@example.com", "New"), someone(site.engineer.email, "Eve Now")) is None
    )

    names = {e: (p := person(site, e)) and p.name for e in ("new@example.com", site.engineer.email)}
    assert names == {"new@example.com": "New", site.engineer.email: "Eve Now"}
    assert person(site, site.approver.email) is not None
    changed = person(site, site.engineer.email)
    assert changed is not None
    assert (changed.id, changed.can_push_to_accounting) == (site.engineer.id, True)
    assert site.events()[-1].facts == {"what": "people", "rows": 2, "source": "people.csv"}


def test_the_letter_case_of_an_e_mail_makes_nobody_new(site: Site) -> None:
    put_people(site, someone("  Eve.ENGINEER@Example.com ", "Eve Now"))

    found = person(site, "EVE.engineer@example.COM ")
    assert found is not None
    assert (found.id, found.email, found.name) == (site.engineer.id, "eve.engineer@example.com", "Eve Now")


def test_one_person_twice_in_a_file_is_a_clear_problem_on_both_databases(site: Site) -> None:
    result = put_people(site, someone("a@example.com"), someone("A@Example.com"))

    assert result == Unfit((Problem(1, "email", "a@example.com is there twice"),))
    assert person(site, "a@example.com") is None
    assert site.events() == []


WRONG_PEOPLE = {
    "an e-mail too long": (someone("x" * 321), "email", "has 321 characters, 320 at most fit"),
    "a name too long": (someone("a@example.com", "N" * 201), "name", "has 201 characters, 200 at most fit"),
    "no e-mail": (someone("  "), "email", "is empty"),
    "NUL": (someone("a@example.com", "N\0"), "name", "holds a character that is no text"),
    "half a character": (someone("a@example.com", "N\udcff"), "name", "holds a character that is no text"),
}


@pytest.mark.parametrize("which", WRONG_PEOPLE)
def test_a_person_who_does_not_fit_is_a_clear_problem_on_both_databases(site: Site, which: str) -> None:
    row, column, reason = WRONG_PEOPLE[which]

    assert put_people(site, someone("fine@example.com"), row) == Unfit((Problem(1, column, reason),))
    assert person(site, "fine@example.com") is None


@pytest.mark.parametrize(
    "name", ["N" * 200, "🏗️" * 100, 'O\'Brien "Bob" <!channel>', "קוד עלות ‮", " ", "%s \\"]
)
def test_whatever_is_text_and_fits_is_kept_as_it_is(site: Site, name: str) -> None:
    assert put_people(site, someone("a@example.com", name)) is None

    found = person(site, "a@example.com")
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("email", ["", "nobody@example.com", "\0", "\udcff", "x" * 5_000, "%", "'"])
def test_nobody_is_found_by_what_is_no_e_mail_of_theirs(site: Site, email: str) -> None:
    assert person(site, email) is None
    with site.database.reading() as session:
        assert directory.job_by_number(session, email) is None


def test_a_job_is_found_by_its_number_and_renamed_by_a_later_file(site: Site) -> None:
    assert put_jobs(site, a_job("24-017", "Riverside"), a_job("24-099", "New", 17)) is None
    with site.database.reading() as session:
        renamed = directory.job_by_number(session, " 24-017 ")

    assert renamed is not None
    assert (renamed.id, renamed.title) == (site.job.id, "24-017 Riverside")


@pytest.mark.parametrize(
    "pasted", ["24\u2011017", "24\u2013017", "\u200b24-017\ufeff", "\u202a24\u2010017\u202c"]
)
def test_a_job_is_found_by_what_looks_like_its_number_and_by_its_very_number_first(
    site: Site, pasted: str
) -> None:
    with site.database.reading() as session:
        found = directory.job_by_number(session, pasted)
    assert found is not None
    assert found.id == site.job.id
    assert put_jobs(site, a_job("24\u2013017", "Another")) is None
    with site.database.reading() as session:
        another = directory.job_by_number(session, "24\u2013017")
    assert another is not None
    assert another.title == "24\u2013017 Another"


def test_jobs_that_do_not_fit_are_clear_problems(site: Site) -> None:
    result = put_jobs(
        site,
        a_job("24-030", procore_project_id=2**63),
        a_job("9" * 41),
        a_job("24-031", "N" * 201),
        a_job("24-031"),
        a_job(""),
    )

    assert result == Unfit(
        (
            Problem(0, "procore_project_id", "is too large a number"),
            Problem(1, "number", "has 41 characters, 40 at most fit"),
            Problem(2, "name", "has 201 characters, 200 at most fit"),
            Problem(3, "number", "24-031 is there twice"),
            Problem(4, "number", "is empty"),
        )
    )


def test_a_procore_project_is_one_job_s(site: Site) -> None:
    put_jobs(site, a_job("24-017", "Riverside", 17))

    assert put_jobs(site, a_job("24-018", "Harbor", 17)) == Unfit(
        (Problem(0, "procore_project_id", "17 belongs to job 24-017 already"),)
    )
    assert put_jobs(site, a_job("24-019", "A", 19), a_job("24-020", "B", 19)) == Unfit(
        (Problem(1, "procore_project_id", "19 belongs to job 24-019 already"),)
    )
    assert put_jobs(site, a_job("24-017", "Riverside again", 17)) is None


def test_a_file_of_many_jobs_in_any_order_is_taken_whole(site: Site) -> None:
    rows = [a_job(f"25-{n:04d}", procore_project_id=n) for n in reversed(range(1_201))]
    assert put_jobs(site, *rows) is None
    assert put_jobs(site, *rows[::-1]) is None

    with site.database.reading() as session:
        assert len(session.scalars(select(Job.id)).all()) == 1_202


def test_an_empty_file_changes_nothing(site: Site) -> None:
    assert put_people(site) is None
    assert put_jobs(site) is None
    assert put_codes(site) == []


def test_categories_are_added_and_renamed(site: Site) -> None:
    with site.database.writing() as session:
        rows = [{"code": "L", "name": "Labour"}, {"code": "E", "name": "Equipment"}]
        assert directory.put_categories(session, rows, source="c.csv", by=SCHEDULE, at=NINE) is None
    assert (site.row(Category, "L").name, site.row(Category, "E").name) == ("Labour", "Equipment")  # type: ignore[arg-type]

    with site.database.writing() as session:
        rows = [{"code": "C" * 21, "name": "x"}]
        wrong = directory.put_categories(session, rows, source="c.csv", by=SCHEDULE, at=NINE)
    assert wrong == Unfit((Problem(0, "code", "has 21 characters, 20 at most fit"),))


def test_the_standard_list_brings_new_categories_and_says_which(site: Site) -> None:
    new = put_codes(
        site,
        StandardCode("03-300", "Concrete in place", ("L", "EQ")),
        StandardCode("50-100", "Site work", ("EQ", "X")),
    )

    assert new == ["EQ", "X"]
    with site.database.reading() as session:
        tied = {
            (t.code, t.category)
            for t in session.scalars(select(StandardCostCodeCategory))
            if t.code in ("03-300", "50-100")
        }
        described = session.get_one(StandardCostCode, "03-300").description
        names = [session.get_one(Category, code).name for code in ("L", "EQ")]
    assert tied == {("03-300", "L"), ("03-300", "EQ"), ("50-100", "EQ"), ("50-100", "X")}
    assert (described, names) == ("Concrete in place", ["Labor", "EQ"])


def test_a_standard_list_that_does_not_fit_is_refused_whole(site: Site) -> None:
    result = put_codes(
        site,
        StandardCode("50-100", "fine", ("L",)),
        StandardCode("50-100", "again", ("L",)),
        StandardCode("5" * 41, "d", ()),
        StandardCode("50-101", "d" * 201, ()),
    )
    assert isinstance(result, Unfit)
    assert [(p.index, p.column) for p in result.problems] == [
        (1, "code"),
        (2, "code"),
        (3, "description"),
    ]
    categories = put_codes(site, StandardCode("50-100", "fine", ("L", "C" * 21)))
    assert categories == Unfit((Problem(0, "categories", "has 21 characters, 20 at most fit"),))
    with site.database.reading() as session:
        assert session.get(StandardCostCode, "50-100") is None


def link(site: Site, who: Person, user_id: str, team_id: str = "T1") -> SlackLink | AlreadyLinked:
    with site.database.writing() as session:
        stored = session.get_one(Person, who.id)
        return directory.link(session, stored, team_id=team_id, user_id=user_id, by=SCHEDULE, at=NINE)


def linked(site: Site, user_id: str, team_id: str = "T1") -> str | None:
    with site.database.reading() as session:
        tie = directory.slack_tie(session, team_id, user_id)
        return session.get_one(Person, tie.person_id).email if tie else None


def test_a_slack_user_stays_the_person_they_were_tied_to_when_the_e_mail_changes(site: Site) -> None:
    assert isinstance(link(site, site.engineer, "U1"), SlackLink)
    with site.database.writing() as session:
        session.get_one(Person, site.engineer.id).email = "eve.married@example.com"

    assert linked(site, "U1") == "eve.married@example.com"
    assert linked(site, "U2") is None
    assert linked(site, "U1", "T2") is None
    assert [e.facts for e in site.events()] == [
        {"person": "eve.engineer@example.com", "team_id": "T1", "user_id": "U1"}
    ]


def test_tying_the_same_two_again_changes_nothing(site: Site) -> None:
    link(site, site.engineer, "U1")

    assert isinstance(link(site, site.engineer, "U1"), SlackLink)
    assert site.event_names() == [Event.PERSON_LINKED]


def test_a_tie_is_moved_by_nobody_but_an_administrator(site: Site) -> None:
    link(site, site.engineer, "U1")
    other_user = link(site, site.engineer, "U2")
    other_person = link(site, site.approver, "U1")

    assert isinstance(other_user, AlreadyLinked)
    assert "U1" in other_user.words
    assert isinstance(other_person, AlreadyLinked)
    assert "eve.engineer@example.com" in other_person.words
    assert linked(site, "U1") == site.engineer.email


def test_an_unlinked_person_may_be_tied_anew(site: Site) -> None:
    link(site, site.engineer, "U1")
    link(site, site.engineer, "U1", "T2")
    with site.database.writing() as session:
        count = directory.unlink(
            session, session.get_one(Person, site.engineer.id), by=actor(site.approver), at=NINE
        )

    assert count == 2
    assert linked(site, "U1") is None
    assert site.event_names().count(Event.PERSON_UNLINKED) == 2
    assert isinstance(link(site, site.engineer, "U2"), SlackLink)
    with site.database.reading() as session:
        assert directory.slack_user_of(session, "T1", site.engineer.id) == "U2"

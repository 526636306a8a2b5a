"""Asking: what is fit to be asked for, all or nothing, and how it stands against Sage."""

from collections.abc import Sequence

import pytest

from tests.factories import LIMITS, NINE, RULES, STANDARD_CODES, actor, assignments, later
from tests.workflow.site import Site
from workflow import lines, queries, requests
from workflow.acting import Stale
from workflow.columns import Problem, Unfit
from workflow.merge import Assignment, SageCode, SageJob
from workflow.privileges import Actor
from workflow.requests import Requested
from workflow.tables import Job, RequestedUpdate, StandardCostCode
from workflow.vocabulary import Place, Standing, State


def ask(site: Site, asked: Sequence[Assignment]) -> object:
    with site.database.writing() as session:
        return requests.request(
            session,
            job=site.job,
            assignments=asked,
            by=actor(site.engineer),
            at=NINE,
            rules=RULES,
            limits=LIMITS,
        )


def test_every_unfit_line_is_named_and_nothing_is_asked_for(site: Site) -> None:
    result = site.try_to_ask("03-300 L", "99-999 L", "03-300 X", "03-300 L", "98-000 Y")

    assert isinstance(result, Unfit)
    assert [(p.index, p.column) for p in result.problems] == [
        (1, "code"),
        (2, "category"),
        (3, "code"),
        (4, "code"),
        (4, "category"),
    ]
    assert "99-999 is not on the standard cost code list" in result.problems[0].reason
    assert "known are L, M, S" in result.problems[1].reason
    assert "03-300 L is asked for twice" in result.problems[2].reason
    assert (site.updates(), site.events()) == ([], [])


def test_an_empty_request_is_unfit_whether_or_not_one_is_open(site: Site) -> None:
    nothing = Unfit((Problem(0, "code", "nothing is asked for: the request has no lines"),))

    assert ask(site, []) == nothing
    site.ask("03-300 L")
    assert ask(site, []) == nothing
    assert site.updates() == [(State.READY, 1)]


@pytest.mark.parametrize(
    "code", ["", "x" * 10_000, "03-300\0", "\udcff", "03-300 ", "03-300'; DROP TABLE jobs; --", "🏗️", "רמה"]
)
def test_a_code_that_cannot_be_is_one_clear_problem(site: Site, code: str) -> None:
    result = ask(site, [Assignment(code, "L")])

    assert isinstance(result, Unfit)
    assert {(p.index, p.column) for p in result.problems} == {(0, "code")}
    assert site.updates() == []


@pytest.mark.parametrize("extra", ["x" * 21, "\0"])
def test_an_extra_that_sage_could_not_have_is_a_clear_problem(site: Site, extra: str) -> None:
    result = ask(site, [Assignment("03-300", "L", extra)])

    assert isinstance(result, Unfit)
    assert [p.column for p in result.problems] == ["extra"]


def test_a_category_of_endless_length_is_a_clear_problem(site: Site) -> None:
    result = ask(site, [Assignment("03-300", "L" * 500)])

    assert isinstance(result, Unfit)
    assert result.problems == (Problem(0, "category", "has 500 characters, 20 at most fit"),)


def test_the_same_code_of_the_job_and_of_an_extra_are_two_assignments(site: Site) -> None:
    result = ask(site, [Assignment("03-300", "L"), Assignment("03-300", "L", "1")])

    assert isinstance(result, Requested)
    assert result.added == 2


STRANGE = 'O\'Brien "quoted" \\ 100% _ <!channel> & *bold* 🏗️ קוד עלות ‮evil'


def test_a_strange_description_is_kept_as_it_is(site: Site) -> None:
    with site.database.writing() as session:
        session.add(StandardCostCode(code="50-100", description=STRANGE))
    update = site.ask("50-100 L")
    site.accept(update)
    site.data_sync()

    assert [line.description for line in site.lines(update)] == [STRANGE]
    assert site.sage.held["24-017"]["", "50-100"].description == STRANGE
    assert site.problems() == []


def test_five_thousand_lines_are_one_request(site: Site) -> None:
    codes = [f"{n // 100:02d}-{n % 100:03d}" for n in range(2_500)]
    with site.database.writing() as session:
        session.add_all(
            StandardCostCode(code=c, description=f"Code {c}") for c in codes if c not in STANDARD_CODES
        )
    asked = [Assignment(code, category) for code in codes for category in "LM"]
    result = ask(site, asked)

    assert isinstance(result, Requested)
    assert result.added == 5_000
    site.accept(result.requested_update)
    sync = site.data_sync()
    assert sync is not None
    assert (sync.created, site.state(result.requested_update)) == (5_000, State.SYNCED)


def test_a_request_shows_how_each_line_stands_against_what_sage_holds(site: Site) -> None:
    site.sage.hold("24-017", "03-300", "Concrete", "L")
    site.sage.hold("24-017", "09-250", "Drywall")
    with site.database.writing() as session:
        lines.store_read_back(session, session.get_one(Job, site.job.id), site.sage.of(site.job), at=NINE)
    update = site.ask("03-300 L", "03-300 M", "09-250 S", "16-100 L")

    assert [(line.standing, line.sage_description) for line in site.lines(update)] == [
        (Standing.IN_SAGE, "Concrete"),
        (Standing.NEW_CATEGORY, "Concrete"),
        (Standing.NEW_CATEGORY, "Drywall"),
        (Standing.NEW_CODE, None),
    ]


def test_a_later_look_at_sage_marks_what_waits_anew_and_says_whether_anything_changed(site: Site) -> None:
    update = site.ask("03-300 L")
    held = SageJob("24-017", "Riverside", {("", "03-300"): SageCode("Concrete", frozenset({"L"}))})
    with site.database.writing() as session:
        changed = lines.store_read_back(session, site.job, held, at=later(1))
    with site.database.writing() as session:
        again = lines.store_read_back(session, site.job, held, at=later(2))

    assert (changed, again) == (True, False)
    assert site.lines(update)[0].standing is Standing.IN_SAGE
    assert site.row(Job, site.job.id).read_back_at == later(2)


def test_what_sage_holds_no_more_is_forgotten(site: Site) -> None:
    update = site.ask("03-300 L")
    held = SageJob("24-017", "Riverside", {("", "03-300"): SageCode("Concrete", frozenset({"L", "M"}))})
    with site.database.writing() as session:
        lines.store_read_back(session, site.job, held, at=NINE)
        lines.store_read_back(session, site.job, SageJob("24-017", "Riverside", {}), at=NINE)

    assert (site.lines(update)[0].standing, site.lines(update)[0].sage_description) == (
        Standing.NEW_CODE,
        None,
    )


def test_stale_says_what_is_new_since_the_approver_looked(site: Site) -> None:
    seen = site.ask("03-300 L")
    site.ask("03-300 M")
    site.ask("09-250 S")
    cards = site.cards_due()
    result = site.accept(seen)

    assert isinstance(result, Stale)
    assert list(result.new) == assignments("03-300 M", "09-250 S")
    assert "you saw revision 1, it is revision 3 now" in result.words
    assert site.events()[-1].facts == {"revision": 3, "act": "update", "seen": 1}
    assert site.cards_due() == cards + 1
    assert site.updates() == [(State.READY, 3)]


def test_a_revision_from_the_future_is_stale_too(site: Site) -> None:
    assert isinstance(site.accept(site.ask("03-300 L"), revision=2), Stale)


def test_an_id_of_a_requested_update_that_joined_another_is_never_given_again(site: Site) -> None:
    first = site.ask("03-300 L")
    site.accept(first)
    gone = site.ask("03-300 M")
    site.take_back(first)
    new = site.ask("09-250 S", job=site.another_job("24-018"))

    assert new.id != gone.id


def test_a_request_through_slack_says_so_on_record(site: Site) -> None:
    with site.database.writing() as session:
        requests.request(
            session,
            job=site.job,
            assignments=assignments("03-300 L"),
            by=Actor(Place.SLACK, site.engineer.email, site.engineer.id),
            at=NINE,
            rules=RULES,
            limits=LIMITS,
        )

    event = site.events()[-1]
    assert (event.place, event.actor, event.facts["assignments"]) == (
        "Slack",
        site.engineer.email,
        [["", "03-300", "L"]],
    )


def test_a_refusal_of_sage_covers_every_request_for_the_same_assignment(site: Site) -> None:
    site.sage.refuses[assignments("03-300 L")[0]] = "Category L is closed"
    first = site.ask("03-300 L")
    site.accept(first)
    second = site.ask("03-300 L")
    site.accept(second)
    site.data_sync()

    assert [site.lines(u)[0].message for u in (first, second)] == ["Category L is closed"] * 2
    assert (site.row(RequestedUpdate, first.id).state, site.state(second)) == (State.FAILED, State.FAILED)
    with site.database.reading() as session:
        current = queries.current_update(session, site.job.id)
    assert current is not None
    assert current.counts.failed == 1


def test_what_was_rejected_is_asked_for_again_with_the_lines_as_they_were(site: Site) -> None:
    rejected = site.ask("03-300 L", "16-100 S")
    site.reject(rejected)
    with site.database.writing() as session:
        again = requests.ask_again(
            session,
            requested_update_id=rejected.id,
            by=actor(site.engineer),
            at=later(5),
            rules=RULES,
            limits=LIMITS,
        )
    assert isinstance(again, requests.Requested)
    assert (again.added, again.requested_update.state) == (2, State.READY)

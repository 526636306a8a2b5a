"""Drafts of requests: kept between the steps, requested once, and tidied away."""

from tests.factories import LIMITS, NINE, RULES, actor, later
from tests.workflow.site import Site
from workflow import drafts, queries
from workflow.asked_lines import parse_file
from workflow.columns import Unfit
from workflow.drafts import Content, NoDraft
from workflow.requests import Requested
from workflow.tables import RequestDraft

CATEGORIES = {"L": "Labor", "M": "Material"}


def save(site: Site, content: Content) -> str:
    with site.database.writing() as session:
        return drafts.save(session, actor(site.engineer), content, job_id=site.job.id, at=NINE).token


def submit(site: Site, token: str) -> object:
    with site.database.writing() as session:
        return drafts.submit(
            session, token=token, by=actor(site.engineer), at=NINE, rules=RULES, limits=LIMITS
        )


def test_a_draft_is_requested_once(site: Site) -> None:
    token = save(site, Content(picked=("09-250",), text="03-300 L,M", ticked={"09-250": ("S",)}))
    first, second = submit(site, token), submit(site, token)

    assert isinstance(first, Requested)
    assert site.pairs(first.requested_update) == ["03-300 L", "03-300 M", "09-250 S"]
    assert isinstance(second, NoDraft)


def test_a_window_that_shows_an_older_draft_requests_nothing(site: Site) -> None:
    old = save(site, Content(text="03-300 L"))
    save(site, Content(text="03-300 M"))

    assert isinstance(submit(site, old), NoDraft)
    assert site.updates() == []


def test_a_draft_that_cannot_be_requested_stays(sqlite_site: Site) -> None:
    token = save(sqlite_site, Content(text="99-999 L"))

    assert isinstance(submit(sqlite_site, token), Unfit)
    with sqlite_site.database.reading() as session:
        assert drafts.find(session, actor(sqlite_site.engineer), token) is not None


def test_a_draft_that_nobody_touches_is_dropped(site: Site) -> None:
    save(site, Content(text="03-300 L"))
    with site.database.writing() as session:
        drafts.forget(session, before=NINE)
        assert session.query(RequestDraft).count() == 1
        drafts.forget(session, before=later(1))
        assert session.query(RequestDraft).count() == 0


def test_every_bad_line_is_named_with_its_file(sqlite_site: Site) -> None:
    with sqlite_site.database.reading() as session:
        categories = queries.categories(session)
        filed = parse_file("more.csv", b"code,category\n03-300,L\n99-100,L\n", categories)
        content = Content(picked=("77-777",), text="03-300 Q\n88-888").with_file("more.csv", filed)
        told = drafts.problems(session, content, categories=categories, limits=LIMITS)

    assert [words.partition(" is not ")[0] for words in told] == [
        "cost code 77-777",
        "line 1: category Q",
        "line 2: cost code 88-888",
        "more.csv, line 3: cost code 99-100",
    ]


def test_lines_of_a_message_join_what_is_written_and_become_a_file_when_they_are_too_many() -> None:
    content = Content(text="03-300 L")
    short = content.with_lines(["03-300 L", "09-250 M"], longest=40, name="it", categories=CATEGORIES)
    long = content.with_lines(["09-250 M", "16-100"], longest=20, name="it", categories=CATEGORIES)

    assert short.text == "03-300 L\n09-250 M"
    assert (long.text, long.file_lines, long.file_codes) == (
        "03-300 L",
        ((1, "09-250", "M"),),
        ((2, "16-100"),),
    )

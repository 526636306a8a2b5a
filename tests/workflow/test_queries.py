"""Read models: which requested update a job shows, the lists with their pages, every figure on a card."""

import pytest

from tests.factories import NINE, assignments, later
from tests.workflow.site import Site
from workflow import lines, queries
from workflow.checks import Finding
from workflow.facts import CostCodeFacts, Counts, UpdateFacts
from workflow.merge import SageCode, SageJob
from workflow.tables import Job, Person, RequestedLine, RequestedUpdate, StandardCostCode
from workflow.vocabulary import Event, HoldKind, Outcome, Rule, Severity, Standing, State


def current(site: Site, job: Job | None = None) -> UpdateFacts:
    with site.database.reading() as session:
        facts = queries.current_update(session, (job or site.job).id)
    assert facts is not None
    return facts


def numbers(
    site: Site, *states: State, text: str = "", limit: int | None = None, offset: int = 0
) -> list[str]:
    """Job numbers of the list, checked against its count."""
    with site.database.reading() as session:
        listed = queries.list_updates(session, states, text=text, limit=limit, offset=offset)
        count = queries.count_updates(session, states, text=text)
    assert len(listed) <= count
    assert limit is not None or offset or len(listed) == count
    return [facts.number for facts in listed]


def test_a_job_that_nobody_asked_anything_of_shows_nothing(site: Site) -> None:
    with site.database.reading() as session:
        assert queries.current_update(session, site.job.id) is None
        assert queries.current_update(session, 4711) is None
        assert queries.cost_codes(session, 4711) == []
        assert queries.lines_of(session, 4711) == []
        assert queries.update_facts(session, []) == []
        assert queries.list_updates(session) == []
        assert queries.count_updates(session) == 0


def test_a_card_s_facts_name_who_and_when(site: Site) -> None:
    update = site.ask("03-300 L", at=later(1))
    site.accept(update, at=later(2))
    site.data_sync(at=later(3))
    facts = current(site)

    assert (facts.title, facts.requested_by, facts.requested_by_email) == (
        "24-017 Riverside Medical Center",
        "Eve Engineer",
        "eve.engineer@example.com",
    )
    assert (facts.state, facts.revision, facts.batch) == (State.SYNCED, 1, "DS000001")
    assert (facts.requested_at, facts.decided_at, facts.exported_at, facts.finished_at) == (
        later(1),
        later(2),
        later(3),
        later(3),
    )
    assert facts.decided_by == "Ada Approver"


def test_a_job_shows_what_waits_for_somebody_before_what_is_on_its_way_before_what_is_done(
    site: Site,
) -> None:
    site.sage.refuses = dict.fromkeys(assignments("16-100 L"), "Refused")
    shown = []
    first = site.ask("03-300 L")
    site.accept(first)
    shown.append(current(site).state)
    site.ask("16-100 L")
    shown.append(current(site).state)
    sync = site.claim()
    assert sync is not None
    site.plan(sync)
    refusals = site.send(sync)
    site.accept(site.ask("09-250 S"))  # joins the open one
    shown.append(current(site).state)
    site.read_back(sync, refusals)
    site.data_sync()
    shown.append(current(site).state)
    failed = current(site)
    site.reject(site.row(RequestedUpdate, site.ask("16-100 M").id))
    shown.append(current(site).state)

    assert shown == [State.ACCEPTED, State.READY, State.ACCEPTED, State.FAILED, State.REJECTED]
    assert failed.counts.failed == 1
    assert current(site).comment == "Use the standard code."


def test_the_newest_shows_among_what_is_done(site: Site) -> None:
    site.accept(site.ask("03-300 L"))
    site.data_sync()
    site.reject(site.ask("03-300 M"))

    assert current(site).state is State.REJECTED
    with site.database.reading() as session:
        preferred = queries.current_update(session, site.job.id, preferring=State.SYNCED)
    assert preferred is not None
    assert preferred.state is State.SYNCED


def a_few_jobs(site: Site) -> None:
    """24-017 ready, 24-018 synced (and rejected before), 24-019 synced, 24-020 rejected, 24-021 untouched."""
    harbor = site.another_job("24-018", "Harbor Point")
    design = site.another_job("24-019", "100% Design_Build")
    bank = site.another_job("24-020", "Östra Riverbank")
    site.another_job("24-021", "Nothing yet")
    site.reject(site.ask("03-300 M", job=harbor, at=later(-5)))
    site.reject(site.ask("03-300 L", job=bank, at=later(1)))
    site.accept(site.ask("03-300 L", job=design, at=later(2)))
    site.accept(site.ask("03-300 L", job=harbor, at=later(3)))
    site.data_sync()
    site.ask("03-300 L", at=later(4))


def test_the_list_has_each_job_once_oldest_request_first(site: Site) -> None:
    a_few_jobs(site)

    assert numbers(site) == ["24-020", "24-019", "24-018", "24-017"]


def test_the_list_is_filtered_by_the_state_that_a_job_shows(site: Site) -> None:
    a_few_jobs(site)

    assert numbers(site, State.READY) == ["24-017"]
    assert numbers(site, State.SYNCED) == ["24-019", "24-018"]
    assert numbers(site, State.READY, State.REJECTED) == ["24-020", "24-017"]
    assert numbers(site, State.FAILED) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("river", ["24-020", "24-017"]),
        ("RIVER", ["24-020", "24-017"]),
        ("24-01", ["24-019", "24-018", "24-017"]),
        ("%", ["24-019"]),
        ("_", ["24-019"]),
        ("n_b", ["24-019"]),
        ("/", []),
        ("'", []),
        ("Östra", ["24-020"]),
        ("östra", ["24-020"]),
        ("x" * 500, []),
        ("\0", []),
        ("\udcff", []),
    ],
)
def test_the_list_is_searched_by_number_and_name_whatever_is_typed(
    site: Site, text: str, found: list[str]
) -> None:
    a_few_jobs(site)

    assert numbers(site, text=text) == found


def test_pages_of_the_list_are_the_list(site: Site) -> None:
    a_few_jobs(site)
    pages = [numbers(site, limit=3, offset=offset) for offset in (0, 3, 6)]

    assert [len(page) for page in pages] == [3, 1, 0]
    assert [number for page in pages for number in page] == numbers(site)


def test_facts_come_in_the_order_asked_and_without_what_is_gone(site: Site) -> None:
    first = site.ask("03-300 L")
    second = site.ask("03-300 L", job=site.another_job("24-018"))
    with site.database.reading() as session:
        facts = queries.update_facts(session, [second.id, 4711, first.id])

    assert [f.requested_update_id for f in facts] == [second.id, first.id]


def test_counts_tell_codes_from_assignments_and_new_from_known(site: Site) -> None:
    held = {
        ("", "03-300"): SageCode("Concrete", frozenset({"L"})),
        ("", "09-250"): SageCode("Gypsum board", frozenset()),
    }
    with site.database.writing() as session:
        lines.store_read_back(session, site.job, SageJob("24-017", "Riverside", held), at=NINE)
    site.ask("03-300 L", "03-300 M", "09-250 S", "16-100 L", "16-100 M")

    assert current(site).counts == Counts(
        cost_codes=3,
        assignments=5,
        new_codes=1,
        new_to_sage=4,
        created=0,
        tied=0,
        already_there=0,
        failed=0,
        open_lines=5,
        open_codes=3,
    )


def test_counts_tell_what_became_of_the_lines(site: Site) -> None:
    site.sage.hold("24-017", "03-300", "Concrete", "L")
    site.sage.refuses = dict.fromkeys(assignments("16-100 M"), "Refused")
    site.accept(site.ask("03-300 L", "03-300 M", "16-100 L", "16-100 M"))
    site.data_sync()
    counts = current(site).counts

    assert (counts.created, counts.tied, counts.already_there, counts.failed) == (1, 1, 1, 1)


def test_what_an_earlier_data_sync_brought_to_sage_is_new_no_more_when_the_rest_is_sent_again(
    site: Site,
) -> None:
    site.sage.refuses = dict.fromkeys(assignments("16-100 M"), "Refused")
    update = site.ask("03-300 L", "16-100 M")
    site.accept(update)
    site.data_sync()
    assert (current(site).counts.new_codes, current(site).counts.new_to_sage) == (2, 2)
    site.send_again(update)

    assert (current(site).counts.new_codes, current(site).counts.new_to_sage) == (1, 1)


def test_a_code_of_the_job_and_of_an_extra_count_as_two(site: Site) -> None:
    update = site.ask("03-300 L")
    with site.database.writing() as session:
        # of extra '1' a code '1/03-300', and of extra '1/1' a code '03-300': alike when simply put together
        for extra, code in (("1", "1/03-300"), ("1/1", "03-300")):
            session.add(
                RequestedLine(
                    requested_update_id=update.id,
                    extra=extra,
                    code=code,
                    category="L",
                    description="",
                    requested_by_id=site.engineer.id,
                    requested_at=NINE,
                    added_in_revision=1,
                    standing=Standing.NEW_CODE,
                )
            )

    assert (current(site).counts.cost_codes, current(site).counts.new_codes) == (3, 3)


def test_cost_codes_gather_their_categories_and_show_what_sage_keeps(site: Site) -> None:
    site.sage.hold("24-017", "03-300", "Concrete", "S")
    with site.database.writing() as session:
        lines.store_read_back(session, site.job, site.sage.of(site.job), at=NINE)
    update = site.ask("16-100 M", "03-300 M", "03-300 L", "03-300 S")
    with site.database.reading() as session:
        codes = queries.cost_codes(session, update.id)

    assert codes == [
        CostCodeFacts(
            extra="",
            code="03-300",
            description="Cast-in-place concrete",
            sage_description="Concrete",
            standing=Standing.NEW_CATEGORY,
            requested=("L", "M", "S"),
            in_sage=("S",),
            refused=(),
            findings=(
                Finding(
                    Rule.DESCRIPTION_DIFFERS,
                    Severity.WARN,
                    "cost code 03-300: Sage keeps its own “Concrete”",
                ),
            ),
        ),
        CostCodeFacts(
            extra="",
            code="16-100",
            description="Electrical rough-in",
            sage_description=None,
            standing=Standing.NEW_CODE,
            requested=("M",),
            in_sage=(),
            refused=(),
        ),
    ]
    assert [code.sage_keeps for code in codes] == ["Concrete", None]


def test_cost_codes_show_sage_s_words_for_what_it_refused(site: Site) -> None:
    site.sage.refuses = dict.fromkeys(assignments("03-300 M"), "Category M is closed")
    update = site.ask("03-300 L", "03-300 M")
    site.accept(update)
    site.data_sync()
    with site.database.reading() as session:
        (code,) = queries.cost_codes(session, update.id)

    assert code.refused == (("M", "Category M is closed"),)
    assert code.in_sage == ("L",)
    assert site.lines(update)[0].outcome is Outcome.CREATED


def test_pages_of_cost_codes_are_all_the_cost_codes_and_cut_none_in_two(site: Site) -> None:
    codes = [f"60-{n:03d}" for n in range(25)]
    with site.database.writing() as session:
        session.add_all(StandardCostCode(code=code, description=code) for code in codes)
    update = site.ask(*(f"{code} {category}" for code in reversed(codes) for category in "ML"))
    with site.database.reading() as session:
        pages = [queries.cost_codes(session, update.id, limit=10, offset=n) for n in (0, 10, 20, 30)]

    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert [code.code for page in pages for code in page] == codes
    assert {code.requested for page in pages for code in page} == {("L", "M")}


def test_history_tells_a_job_s_events_oldest_first_with_names(site: Site) -> None:
    site.ask("03-300 L", job=site.another_job("24-018"))
    update = site.ask("03-300 L")
    site.accept(update)
    with site.database.writing() as session:
        session.get_one(Person, site.approver.id).name = "Ada Married"
    with site.database.reading() as session:
        told = queries.history(session, site.job.id)
        last = queries.history_event(session, told[-1].seq)

    assert [(event.event, event.actor, event.place) for event in told] == [
        (Event.REQUESTED, "Eve Engineer", "command line"),
        (Event.UPDATED, "Ada Married", "command line"),
    ]
    assert last == told[-1]


def test_data_syncs_come_newest_first(site: Site) -> None:
    for line in ("03-300 L", "03-300 M", "03-300 S"):
        site.accept(site.ask(line))
        site.data_sync()
    with site.database.reading() as session:
        batches = [sync.batch for sync in queries.data_syncs(session, limit=2)]

    assert batches == ["DS000003", "DS000002"]


def test_holds_that_wait_are_counted_on_the_card(site: Site) -> None:
    site.ask("03-300 L")
    site.hold("SC-1")
    site.hold("SC-2", HoldKind.PRIME_CONTRACT)

    assert current(site).holds_waiting == 2


def test_categories_come_with_their_names(site: Site) -> None:
    with site.database.reading() as session:
        assert queries.categories(session) == {"L": "Labor", "M": "Material", "S": "Subcontract"}

"""The merge as properties: categories only ever add, Sage keeps its words, a second run has nothing to do."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from workflow.merge import Assignment, InSage, SageCode, plan
from workflow.vocabulary import Standing

# few of each, so that requests and Sage meet often
CODES = st.sampled_from(["01-100", "03-300", "09-250"])
CATEGORIES = st.sampled_from(["L", "M", "S"])
EXTRAS = st.sampled_from(["", "1"])
ASSIGNMENTS = st.builds(Assignment, CODES, CATEGORIES, EXTRAS)
REQUESTS = st.lists(ASSIGNMENTS, max_size=12)
SAGE = st.dictionaries(
    st.tuples(EXTRAS, CODES),
    st.builds(SageCode, st.sampled_from(["Concrete", "Cast in place", ""]), st.frozensets(CATEGORIES)),
)


def imported(requested: Iterable[Assignment], in_sage: InSage) -> dict[tuple[str, str], SageCode]:
    """Sage after it took everything that the plan sends, with the standard description for a new code."""
    after = dict(in_sage)
    for planned in plan(requested, in_sage):
        if planned.is_sent:
            key = planned.assignment.code_key
            before = after.get(key, SageCode("standard", frozenset()))
            after[key] = SageCode(before.description, before.categories | {planned.assignment.category})
    return after


@given(REQUESTS, SAGE)
def test_afterwards_sage_holds_what_it_held_and_what_was_asked_for(
    requested: list[Assignment], in_sage: InSage
) -> None:
    after = imported(requested, in_sage)

    assert set(after) == set(in_sage) | {a.code_key for a in requested}
    for key, held in after.items():
        asked = {a.category for a in requested if a.code_key == key}
        before = in_sage[key].categories if key in in_sage else frozenset()
        assert held.categories == before | asked


@given(REQUESTS, SAGE)
def test_a_description_of_sage_is_never_overwritten(requested: list[Assignment], in_sage: InSage) -> None:
    for planned in plan(requested, in_sage):
        held = in_sage.get(planned.assignment.code_key)
        assert planned.sage_description == (held.description if held else None)
        assert (planned.standing is Standing.NEW_CODE) <= (held is None)


@given(REQUESTS, SAGE)
def test_every_assignment_is_answered_in_the_order_asked(
    requested: list[Assignment], in_sage: InSage
) -> None:
    assert [planned.assignment for planned in plan(requested, in_sage)] == requested


@given(REQUESTS, SAGE)
def test_what_sage_holds_is_not_sent_and_the_rest_is_sent_once(
    requested: list[Assignment], in_sage: InSage
) -> None:
    sent = [planned.assignment for planned in plan(requested, in_sage) if planned.is_sent]
    held = {Assignment(code, c, extra) for (extra, code), s in in_sage.items() for c in s.categories}

    assert len(sent) == len(set(sent))
    assert set(sent) == set(requested) - held


@given(REQUESTS, SAGE)
def test_a_second_run_finds_everything_there(requested: list[Assignment], in_sage: InSage) -> None:
    again = plan(requested, imported(requested, in_sage))

    assert {planned.standing for planned in again} <= {Standing.IN_SAGE}


@given(st.permutations(["03-300 L", "03-300 M", "09-250 S"]), SAGE)
def test_the_order_of_a_request_changes_nothing_but_the_order(order: list[str], in_sage: InSage) -> None:
    shuffled = [Assignment(*pair.split()) for pair in order]

    assert set(plan(shuffled, in_sage)) == set(plan(sorted(shuffled, key=str), in_sage))


@given(REQUESTS, REQUESTS, SAGE)
def test_two_requests_end_the_same_whichever_goes_first(
    one: list[Assignment], other: list[Assignment], in_sage: InSage
) -> None:
    def categories(sage: InSage) -> dict[tuple[str, str], frozenset[str]]:
        return {key: held.categories for key, held in sage.items()}

    assert categories(imported(other, imported(one, in_sage))) == categories(
        imported(one, imported(other, in_sage))
    )


def test_a_plan_reads_as_an_accountant_would_expect() -> None:
    in_sage = {("", "03-300"): SageCode("Concrete", frozenset({"L"}))}
    asked = [Assignment("03-300", "L"), Assignment("03-300", "M"), Assignment("09-250", "S")]

    assert [(p.standing, p.sage_description, p.is_sent) for p in plan(asked, in_sage)] == [
        (Standing.IN_SAGE, "Concrete", False),
        (Standing.NEW_CATEGORY, "Concrete", True),
        (Standing.NEW_CODE, None, True),
    ]

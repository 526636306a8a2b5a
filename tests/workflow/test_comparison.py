"""How an assignment differs between Procore, costbot and Sage, whatever each has of it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NINE
from workflow.comparison import Asked, InProcore, InSage, Judged, Row, Scene, compare
from workflow.merge import Assignment
from workflow.vocabulary import TURNED_DOWN, Difference, Outcome, State, Verdict

ONE = Assignment("03-300", "L")
NAME = "Cast-in-place concrete"
PROCORE = Scene(knows_procore=True, tells_procore=True, description_width=30)
FILES = Scene(knows_procore=False, tells_procore=False, description_width=30)
NEW = InProcore(NAME, has_erp_id=False)
TOLD = InProcore(NAME, has_erp_id=True, told_at=NINE)
GONE = InProcore(NAME, has_erp_id=False, removed_at=NINE)
HELD = InSage(NAME, has_category=True)
UNTIED = InSage(NAME, has_category=False)


def asked(state: State, **more: str | Outcome | None) -> Asked:
    return Asked(NAME, state, **more)  # type: ignore[arg-type]


def verdicts(
    procore: InProcore | None, of_costbot: Asked | None, sage: InSage | None, scene: Scene = PROCORE
) -> list[Verdict]:
    row = compare(ONE, procore, of_costbot, sage, scene)
    return [one.verdict for one in row.judged] if row else []


CASES = {
    "waits for an approver": (NEW, asked(State.READY), None, [Verdict.WAITS_FOR_APPROVER]),
    "waits for an approver, and is in Sage": (TOLD, asked(State.READY), HELD, []),
    "waits for the data sync": (NEW, asked(State.ACCEPTED), UNTIED, [Verdict.WAITS_FOR_DATA_SYNC]),
    "waits for the import": (NEW, asked(State.EXPORTED), None, [Verdict.WAITS_FOR_IMPORT]),
    "refused by Sage": (NEW, asked(State.FAILED, outcome=Outcome.FAILED), None, [Verdict.FAILED]),
    "taken though another line was refused": (TOLD, asked(State.FAILED, outcome=Outcome.TIED), HELD, []),
    "synced everywhere": (TOLD, asked(State.SYNCED), HELD, []),
    "there all along": (TOLD, None, HELD, []),
    "lost by Sage": (TOLD, asked(State.SYNCED), UNTIED, [Verdict.MISSING_IN_SAGE]),
    "not on the list": (
        InProcore(NAME, has_erp_id=False, problem="not on the list"),
        None,
        None,
        [Verdict.CANNOT_BE_ASKED_FOR],
    ),
    "Sage not read": (
        InProcore(NAME, has_erp_id=True, waits_for_read_back=True),
        None,
        None,
        [Verdict.WAITS_FOR_READ_BACK],
    ),
    "rejected before": (NEW, asked(State.REJECTED), None, [Verdict.REJECTED]),
    "expired before": (NEW, asked(State.EXPIRED), None, [Verdict.EXPIRED]),
    "in Procore alone": (TOLD, None, None, [Verdict.NOT_ASKED_FOR]),
    "made in Sage": (None, None, HELD, [Verdict.NOT_IN_PROCORE]),
    "removed, but updated": (
        GONE,
        asked(State.ACCEPTED),
        None,
        [Verdict.WAITS_FOR_DATA_SYNC, Verdict.REMOVED_IN_PROCORE],
    ),
    "removed, and refused": (GONE, asked(State.FAILED), None, [Verdict.FAILED, Verdict.REMOVED_IN_PROCORE]),
    "removed, and in Sage": (GONE, asked(State.SYNCED), HELD, [Verdict.REMOVED_IN_PROCORE]),
    "another description": (
        TOLD,
        asked(State.SYNCED),
        InSage("CIP concrete", has_category=True),
        [Verdict.OTHER_DESCRIPTION],
    ),
    "another description than Procore's": (
        InProcore("Concrete", has_erp_id=True, told_at=NINE),
        None,
        HELD,
        [Verdict.OTHER_DESCRIPTION],
    ),
    "Procore not told": (NEW, asked(State.SYNCED), HELD, [Verdict.PROCORE_NOT_TOLD]),
    "Procore refused": (
        InProcore(NAME, has_erp_id=False, refused="has already been taken"),
        asked(State.SYNCED),
        HELD,
        [Verdict.PROCORE_REFUSED],
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_way_to_differ_has_its_verdict(
    case: tuple[InProcore | None, Asked | None, InSage | None, list[Verdict]],
) -> None:
    procore, of_costbot, sage, expected = case
    assert verdicts(procore, of_costbot, sage) == expected


def test_where_another_connector_tells_procore_its_missing_erp_id_is_what_differs() -> None:
    other = Scene(knows_procore=True, tells_procore=False, description_width=30)
    assert verdicts(NEW, asked(State.SYNCED), HELD, other) == [Verdict.NO_ERP_ID]
    assert verdicts(InProcore(NAME, has_erp_id=True), asked(State.SYNCED), HELD, other) == []


def test_the_words_of_sage_procore_and_the_approver_come_along() -> None:
    refused = compare(
        ONE, NEW, asked(State.FAILED, outcome=Outcome.FAILED, words="no category"), None, PROCORE
    )
    rejected = compare(ONE, NEW, asked(State.REJECTED, words="use 03-400"), None, PROCORE)
    assert refused is not None
    assert rejected is not None
    assert refused.judged == (Judged(Verdict.FAILED, "no category"),)
    assert rejected.judged == (Judged(Verdict.REJECTED, "use 03-400"),)


def test_a_description_that_was_cut_to_sages_field_does_not_differ() -> None:
    long = "Domestic water piping, copper, type L"
    cut = Scene(knows_procore=False, tells_procore=False, description_width=10)
    held = InSage("Domestic w", has_category=True)
    assert verdicts(None, Asked(long, State.SYNCED), held, cut) == []


texts = st.sampled_from([NAME, "Concrete"])
words = st.none() | st.just("words")
times = st.none() | st.just(NINE + timedelta(hours=1))
in_procore = st.builds(
    InProcore,
    description=st.none() | texts,
    has_erp_id=st.booleans(),
    problem=words,
    waits_for_read_back=st.booleans(),
    removed_at=times,
    told_at=times,
    refused=words,
)
in_costbot = st.builds(
    Asked, texts, st.sampled_from(State), outcome=st.none() | st.sampled_from(Outcome), words=words
)
in_sage = st.builds(InSage, texts, st.booleans())
scenes = st.builds(Scene, st.booleans(), st.booleans(), st.just(30))
procores = st.none() | in_procore


@given(procores, st.none() | in_costbot, st.none() | in_sage, scenes)
def test_a_row_without_a_difference_is_alike_wherever_it_should_be(
    procore: InProcore | None, of_costbot: Asked | None, sage: InSage | None, scene: Scene
) -> None:
    procore = procore if scene.knows_procore else None
    row = compare(ONE, procore, of_costbot, sage, scene)
    there = procore is not None and procore.removed_at is None
    held = sage is not None and sage.has_category
    if row is None:
        assert not there
        assert not held
        assert of_costbot is None or of_costbot.state in TURNED_DOWN
    elif not row.judged:
        assert held
        assert there or not scene.knows_procore
        assert of_costbot is None or of_costbot.state in (State.SYNCED, *TURNED_DOWN)
    else:
        assert len(set(row.judged)) == len(row.judged)
    assert not scene.knows_procore or not held or row is not None


@given(st.none() | in_costbot, st.none() | in_sage)
def test_with_files_nothing_is_said_of_procore(of_costbot: Asked | None, sage: InSage | None) -> None:
    of_procore = {one for one in Verdict if "procore" in one} | {Verdict.NO_ERP_ID}
    assert not of_procore & set(verdicts(None, of_costbot, sage, FILES))


@pytest.mark.parametrize(
    ("sage", "expected"),
    [
        (None, Difference.MISSING),
        (UNTIED, Difference.CATEGORY_MISSING),
        (HELD, None),
        (InSage("CIP", has_category=True), Difference.OTHER_DESCRIPTION),
    ],
)
def test_of_what_was_asked_for_it_says_how_sage_differs(
    sage: InSage | None, expected: Difference | None
) -> None:
    row = compare(ONE, None, asked(State.READY), sage, FILES)
    assert isinstance(row, Row)
    assert row.difference == expected

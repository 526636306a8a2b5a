"""What costbot knows of a job in Procore, costbot and Sage, as Procore was read and what was asked for it."""

from datetime import timedelta

import pytest

from bot.blocks.comparison_words import ages_words
from bot.sandbox.procore.app import Procore
from sync.procore.api import ProcoreApi
from sync.procore.client import ProcoreClient
from sync.procore.write_back import WriteBack
from tests import factories
from tests.sync.procore.company import Kestrel
from tests.sync.procore.conftest import Clock
from workflow import approvals
from workflow.checks import SageLimits
from workflow.database import Database
from workflow.language import speaking
from workflow.tables import Job, ProcoreProject
from workflow.three_places import ProcoreKnown, ThreePlaces, three_places
from workflow.vocabulary import Verdict


@pytest.fixture
def kestrel(procore: Procore, database: Database, client: ProcoreClient, clock: Clock) -> Kestrel:
    return Kestrel(procore, database, client, clock)


def known(kestrel: Kestrel, *, with_procore: bool = True, tells_procore: bool = False) -> ThreePlaces:
    with kestrel.database.reading() as session:
        return three_places(
            session,
            session.query(Job).one(),
            with_procore=with_procore,
            tells_procore=tells_procore,
            limits=SageLimits(),
        )


def verdicts(found: ThreePlaces) -> dict[str, list[Verdict]]:
    return {
        f"{row.assignment.code} {row.assignment.category}": [one.verdict for one in row.judged]
        for row in found.rows
    }


def test_what_procore_has_waits_or_says_why_it_cannot(kestrel: Kestrel) -> None:
    kestrel.add("300", "L")
    kestrel.add("400", "L", origin_id="cc-1")
    kestrel.add("999", "L")
    kestrel.run()
    found = known(kestrel)
    assert verdicts(found) == {
        "03-300 L": [Verdict.WAITS_FOR_APPROVER],
        "03-400 L": [Verdict.WAITS_FOR_READ_BACK],
        "03-999 L": [Verdict.CANNOT_BE_ASKED_FOR],
    }
    words = [one.words for row in found.rows for one in row.judged]
    assert "03-999" in (words[2] or "")
    with speaking("es"):
        [why] = [
            one.words
            for row in known(kestrel).rows
            for one in row.judged
            if one.verdict is Verdict.CANNOT_BE_ASKED_FOR
        ]
    assert "el código de costo 03-999 no está en la lista estándar" in (why or "")
    assert (found.sage_read_at, found.known_in_sage) == (None, False)


def test_what_waits_for_the_read_back_is_asked_for_once_sage_is_known(kestrel: Kestrel, clock: Clock) -> None:
    kestrel.add("300", "L", origin_id="cc-1")
    kestrel.run()
    clock.pause(60)
    kestrel.in_sage({"03-300": ()})
    assert kestrel.run().requested == 1
    assert verdicts(known(kestrel)) == {"03-300 L": [Verdict.WAITS_FOR_APPROVER, Verdict.OTHER_DESCRIPTION]}


def test_what_was_removed_after_the_update_and_what_was_made_in_sage_stay_in_sage(
    kestrel: Kestrel, clock: Clock
) -> None:
    code = kestrel.add("300", "L")
    kestrel.run()
    kestrel.accept()
    clock.pause(60)
    kestrel.procore.company.remove(code)
    kestrel.run()
    kestrel.in_sage({"03-400": ("M",)})
    found = known(kestrel)
    assert verdicts(found) == {
        "03-300 L": [Verdict.WAITS_FOR_DATA_SYNC, Verdict.REMOVED_IN_PROCORE],
        "03-400 M": [Verdict.NOT_IN_PROCORE],
    }
    assert verdicts(known(kestrel, with_procore=False)) == {
        "03-300 L": [Verdict.WAITS_FOR_DATA_SYNC],
        "03-400 M": [],
    }


def test_the_same_assignment_under_another_id_is_not_removed(kestrel: Kestrel, clock: Clock) -> None:
    code = kestrel.add("300", "L")
    kestrel.run()
    clock.pause(60)
    kestrel.procore.company.remove(code)
    kestrel.add("300", "L")
    kestrel.run()
    [row] = known(kestrel).rows
    assert row.procore is not None
    assert row.procore.removed_at is None


def test_a_rejection_is_told_with_its_comment_until_it_is_taken_out_of_procore(
    kestrel: Kestrel, clock: Clock
) -> None:
    code = kestrel.add("300", "L")
    kestrel.run()
    clock.pause(60)
    _reject(kestrel, "use 03-400")
    clock.pause(60)
    kestrel.run()
    [row] = known(kestrel).rows
    assert [(one.verdict, one.words) for one in row.judged] == [(Verdict.REJECTED, "use 03-400")]
    kestrel.procore.company.remove(code)
    kestrel.run()
    assert known(kestrel).rows == ()


def test_what_procore_calls_it_is_held_against_sage(kestrel: Kestrel) -> None:
    kestrel.add("300", "L", origin_id="cc-1")
    kestrel.run()
    kestrel.in_sage({"03-300": ("L",)})
    [row] = known(kestrel).rows
    assert row.procore is not None
    assert (row.procore.description, row.sage and row.sage.description) == ("Concrete", "In Sage")
    assert [one.verdict for one in row.judged] == [Verdict.OTHER_DESCRIPTION]


def test_procore_hears_of_what_sage_has_and_what_it_refuses_is_told_in_its_words(kestrel: Kestrel) -> None:
    kestrel.add("300", "L")
    kestrel.add("400", "L", origin_id="24-017//03-300")
    kestrel.run()
    kestrel.in_sage({"03-300": ("L",), "03-400": ("L",)})
    assert Verdict.PROCORE_NOT_TOLD in verdicts(known(kestrel, tells_procore=True))["03-300 L"]
    path = "rest/v1.0/cost_code_line_item_types/sync"
    WriteBack(kestrel.database, ProcoreApi(kestrel.client), kestrel.clock, assignments_path=path).run()
    found = known(kestrel, tells_procore=True)
    words = {one.verdict: one.words for one in found.rows[0].judged}
    assert words[Verdict.PROCORE_REFUSED] == "has already been taken"
    assert Verdict.PROCORE_NOT_TOLD not in verdicts(found)["03-400 L"]


def test_it_says_how_old_what_is_known_is(kestrel: Kestrel, clock: Clock) -> None:
    read_at = clock.at
    kestrel.run()
    kestrel.in_sage({})
    clock.at += timedelta(hours=1)
    with kestrel.database.writing() as session:
        session.query(ProcoreProject).one().stale_since = clock.at
    found = known(kestrel)
    assert found.procore is not None
    assert (found.procore.read_at, found.procore.changed_since) == (read_at, True)
    assert (found.sage_read_at, found.known_in_sage) == (read_at, True)


def test_what_was_read_of_a_project_is_shown_also_when_it_is_archived(kestrel: Kestrel, clock: Clock) -> None:
    kestrel.add("300", "L")
    kestrel.run()
    read_at = clock.at
    clock.pause(60)
    kestrel.project.update(active=False, updated_at=kestrel.procore.company.now)
    kestrel.run()
    found = known(kestrel)
    assert found.procore == ProcoreKnown(read_at, changed_since=False, archived=True)
    assert [row.assignment.code for row in found.rows] == ["03-300"]
    assert "and archived since" in " ".join(ages_words(found))


def test_a_job_whose_project_was_never_read_has_nothing_said_of_procore(database: Database) -> None:
    with database.writing() as session:
        factories.standard_list(session)
        job, eve = factories.job(session), factories.person(session, "eve@example.com")
        factories.requested(session, job=job, by=eve)
        found = three_places(session, job, with_procore=True, tells_procore=True, limits=SageLimits())
    assert found.procore is not None
    assert found.procore.read_at is None
    assert [one.verdict for one in found.rows[0].judged] == [Verdict.WAITS_FOR_APPROVER]


def _reject(kestrel: Kestrel, comment: str) -> None:
    facts = kestrel.update()
    assert facts is not None
    with kestrel.database.writing() as session:
        approvals.reject(
            session,
            requested_update_id=facts.requested_update_id,
            revision=facts.revision,
            comment=comment,
            by=factories.actor(factories.approver(session)),
            at=kestrel.clock(),
            rules=factories.RULES,
        )

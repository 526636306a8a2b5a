"""Asking whether somebody is an accounting approver: on record for an act, off the record for showing."""

import pytest

from tests import factories
from tests.factories import NINE, RULES
from tests.workflow.site import Site
from workflow import approvals
from workflow.privileges import Actor, Refused, Rules
from workflow.tables import Person
from workflow.vocabulary import Event, Place, Refusal


def check(site: Site, by: Actor, update_id: int | None = None) -> Refused | None:
    with site.database.writing() as session:
        return approvals.check(
            session, "start a data sync", requested_update_id=update_id, by=by, at=NINE, rules=RULES
        )


def why_not(site: Site, person: Person, update_id: int, rules: Rules = RULES) -> Refusal | None:
    with site.database.reading() as session:
        refused = approvals.why_not_update(session, update_id, by=factories.actor(person), rules=rules)
        return refused.reason if refused else None


def test_an_approver_passes_and_leaves_no_trace(site: Site) -> None:
    before = site.event_names()
    assert check(site, factories.actor(site.approver)) is None
    assert site.event_names() == before


@pytest.mark.parametrize("about_an_update", [True, False])
def test_others_are_refused_on_record_with_what_they_wanted(site: Site, about_an_update: bool) -> None:
    update = site.ask("03-300 L") if about_an_update else None
    refused = check(site, factories.actor(site.engineer), update.id if update else None)
    assert refused is not None
    assert refused.reason is Refusal.PERMISSION_TOO_LOW
    last = site.events()[-1]
    assert (last.event, last.facts["act"]) == (Event.REFUSED, "start a data sync")
    assert last.job_id == (site.job.id if update else None)


def test_whoever_the_place_could_not_make_out_is_refused_with_its_reason(site: Site) -> None:
    refused = check(site, Actor(Place.SLACK, "Grace", refusal=Refusal.FROM_OUTSIDE))
    assert refused is not None
    assert refused.reason is Refusal.FROM_OUTSIDE


def test_why_not_is_shown_without_a_record(site: Site) -> None:
    update = site.ask("03-300 L")
    before = site.event_names()
    assert why_not(site, site.engineer, update.id) is Refusal.PERMISSION_TOO_LOW
    assert why_not(site, site.approver, update.id) is None
    assert site.event_names() == before


def test_ones_own_request_is_a_reason_where_the_company_says_so(site: Site) -> None:
    update = site.ask("03-300 L", by=site.approver)
    assert why_not(site, site.approver, update.id) is None
    four_eyes = Rules(forbid_own_request=True)
    assert why_not(site, site.approver, update.id, four_eyes) is Refusal.OWN_REQUEST
    assert why_not(site, site.second, update.id, four_eyes) is None

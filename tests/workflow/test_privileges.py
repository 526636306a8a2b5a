"""Who may Update: the policy as a whole table, and the same answers at the act, on record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NINE, actor
from tests.workflow.site import Site
from workflow import approvals, directory
from workflow.acting import Done
from workflow.privileges import Actor, Refused, Rules, explain, lacks, refusal_of
from workflow.tables import Person
from workflow.vocabulary import ErpPermission, Event, Place, Refusal, State

PERSON_REASONS = [
    Refusal.NO_MATCHING_PERSON,
    Refusal.DEACTIVATED,
    Refusal.PERMISSION_TOO_LOW,
    Refusal.PRIVILEGE_MISSING,
    Refusal.COULD_NOT_FIND_OUT,
    Refusal.FROM_OUTSIDE,
    Refusal.OWN_REQUEST,
]


def people() -> st.SearchStrategy[Person]:
    return st.builds(
        Person,
        email=st.just("p@example.com"),
        name=st.just("P"),
        erp_permission=st.sampled_from(ErpPermission),
        can_push_to_accounting=st.booleans(),
        active=st.booleans(),
    )


@given(person=st.none() | people())
def test_an_accounting_approver_is_found_active_permitted_and_privileged(person: Person | None) -> None:
    permitted = person is not None and person.erp_permission in (ErpPermission.STANDARD, ErpPermission.ADMIN)
    may = person is not None and person.active and permitted and person.can_push_to_accounting

    assert (lacks(person) is None) == may


@given(person=people())
def test_what_is_lacking_is_what_stands_in_the_way(person: Person) -> None:
    match lacks(person):
        case Refusal.DEACTIVATED:
            assert not person.active
        case Refusal.PERMISSION_TOO_LOW:
            assert person.active
            assert person.erp_permission in (ErpPermission.NONE, ErpPermission.READ_ONLY)
        case Refusal.PRIVILEGE_MISSING:
            assert person.active
            assert not person.can_push_to_accounting
        case other:
            assert other is None


@given(person=st.none() | people(), reason=st.sampled_from(PERSON_REASONS))
def test_a_place_that_could_not_tell_who_it_is_refuses_whoever_it_might_be(
    person: Person | None, reason: Refusal
) -> None:
    refused = refusal_of(Actor(Place.SLACK, "U1", 1, reason), person, Rules())

    assert refused is not None
    assert refused.reason is reason


def test_each_way_to_be_refused_has_its_own_words() -> None:
    words = [explain(reason, "P", Rules()) for reason in PERSON_REASONS]

    assert len(set(words)) == len(PERSON_REASONS)
    assert all(text.endswith(".") for text in words)


@pytest.mark.parametrize(
    "reason",
    [
        Refusal.NO_MATCHING_PERSON,
        Refusal.DEACTIVATED,
        Refusal.PERMISSION_TOO_LOW,
        Refusal.PRIVILEGE_MISSING,
        Refusal.FROM_OUTSIDE,
    ],
)
def test_who_is_refused_reads_whom_to_ask(reason: Refusal) -> None:
    assert "Ask dana@example.com" in explain(reason, "P", Rules(admin_emails=("dana@example.com",)))
    assert "Ask your company's Procore administrator" in explain(reason, "P", Rules())


def test_a_reason_that_is_not_about_a_person_is_no_answer_to_why_not_me() -> None:
    with pytest.raises(ValueError, match="not about a person"):
        explain(Refusal.NOT_READY, "P", Rules())


LACKING: dict[Refusal, dict[str, object]] = {
    Refusal.PERMISSION_TOO_LOW: {"erp_permission": ErpPermission.READ_ONLY},
    Refusal.PRIVILEGE_MISSING: {"can_push_to_accounting": False},
    Refusal.DEACTIVATED: {"active": False},
}


def change(site: Site, person: Person, **columns: object) -> None:
    """The directory says something else of a person from now on."""
    with site.database.writing() as session:
        stored = session.get_one(Person, person.id)
        for name, value in columns.items():
            setattr(stored, name, value)


@pytest.mark.parametrize("reason", LACKING)
def test_every_act_is_refused_on_record_when_the_privilege_went_away(site: Site, reason: Refusal) -> None:
    ready = site.ask("03-300 L")
    accepted = site.ask("03-300 L", job=site.another_job("24-018"))
    site.accept(accepted)
    change(site, site.approver, **LACKING[reason])
    before = len(site.events())

    acts = {
        "update": site.accept(ready),
        "reject": site.reject(ready),
        "take back": site.take_back(accepted),
        "send again": site.send_again(ready),
    }

    assert [isinstance(r, Refused) and r.reason for r in acts.values()] == [reason] * 4
    recorded = site.events()[before:]
    assert [(e.event, e.facts["act"], e.facts["reason"]) for e in recorded] == [
        (Event.REFUSED, act, reason) for act in acts
    ]
    assert {e.actor_id for e in recorded} == {site.approver.id}
    assert (site.state(ready), site.state(accepted)) == (State.READY, State.ACCEPTED)


@pytest.mark.parametrize(
    "who",
    [
        Actor(Place.COMMAND_LINE, "nobody@example.com"),
        Actor(Place.SLACK, "U42", refusal=Refusal.COULD_NOT_FIND_OUT),
        Actor(Place.SLACK, "U43", refusal=Refusal.FROM_OUTSIDE),
    ],
)
def test_who_is_nobody_in_the_directory_is_refused_on_record(site: Site, who: Actor) -> None:
    update = site.ask("03-300 L")
    result = site.accept(update, by=who)

    assert isinstance(result, Refused)
    assert result.reason is (who.refusal or Refusal.NO_MATCHING_PERSON)
    last = site.events()[-1]
    assert (last.event, last.actor, last.actor_id, last.place) == (
        Event.REFUSED,
        who.name,
        None,
        who.place,
    )
    assert site.state(update) is State.READY


def test_a_refusal_of_somebody_with_an_endless_name_is_on_record_all_the_same(site: Site) -> None:
    update = site.ask("03-300 L")
    endless = "\0\udcff" + "x" * 5_000
    result = site.accept(update, by=Actor(Place.COMMAND_LINE, endless))

    assert isinstance(result, Refused)
    assert site.events()[-1].actor == "\ufffd\ufffd" + "x" * 318
    assert site.problems() == []


def test_a_privilege_read_earlier_in_the_transaction_does_not_count(postgres_site: Site) -> None:
    site = postgres_site  # SQLite has one writer: nobody can take the privilege away meanwhile
    update = site.ask("03-300 L")
    with site.database.writing() as session:
        earlier = session.get_one(Person, site.approver.id)
        assert earlier.can_push_to_accounting
        change(site, site.approver, can_push_to_accounting=False)
        result = approvals.accept(
            session,
            requested_update_id=update.id,
            revision=update.revision,
            by=actor(site.approver),
            at=NINE,
            rules=Rules(),
        )

    assert isinstance(result, Refused)
    assert result.reason is Refusal.PRIVILEGE_MISSING


def test_an_engineer_may_ask_and_somebody_deactivated_may_not(site: Site) -> None:
    change(site, site.engineer, active=False)
    result = site.try_to_ask("03-300 L")

    assert isinstance(result, Refused)
    assert result.reason is Refusal.DEACTIVATED
    assert site.event_names() == [Event.REFUSED]
    assert site.updates() == []


FOUR_EYES = Rules(forbid_own_request=True)


def test_an_approver_may_accept_their_own_request_unless_the_company_forbids_it(site: Site) -> None:
    update = site.ask("03-300 L", by=site.approver)
    refused = site.accept(update, rules=FOUR_EYES)

    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.OWN_REQUEST
    assert site.events()[-1].facts == {"act": "update", "reason": "own_request"}
    assert isinstance(site.accept(update, by=site.second, rules=FOUR_EYES), Done)


def test_four_eyes_cover_every_line_that_somebody_added(site: Site) -> None:
    site.ask("03-300 L")
    update = site.ask("03-300 M", by=site.approver)

    assert isinstance(site.accept(update, rules=FOUR_EYES), Refused)
    assert isinstance(site.accept(update), Done)


def test_four_eyes_let_an_approver_reject_their_own_request(site: Site) -> None:
    update = site.ask("03-300 L", by=site.approver)

    assert isinstance(site.reject(update, rules=FOUR_EYES), Done)


def test_the_accounting_approvers_are_those_who_may_update(site: Site) -> None:
    change(site, site.second, erp_permission=ErpPermission.READ_ONLY)
    with site.database.reading() as session:
        names = [person.email for person in directory.accounting_approvers(session)]

    assert names == [site.approver.email]

"""Asking for the privilege: who is asked, who may answer, and what an answer changes."""

import pytest

from tests.factories import NINE, actor
from tests.workflow.site import Site
from workflow import privilege_requests
from workflow.privilege_requests import Answered, AnsweredBefore, Asked, NotAsked
from workflow.privileges import Actor, Refused, Rules, lacks
from workflow.tables import Person, PrivilegeRequest
from workflow.vocabulary import ErpPermission, Event, NoticeKind, Place, PrivilegeAnswer, Refusal


def rules_of(site: Site, *, procore: bool = False) -> Rules:
    return Rules(admin_emails=(site.second.email,), directory_is_procores=procore)


def ask(site: Site, by: Actor, rules: Rules, reason: str = "I stand in for Ada.") -> object:
    with site.database.writing() as session:
        return privilege_requests.ask(session, reason=reason, by=by, at=NINE, rules=rules)


def asked(site: Site, by: Actor, rules: Rules) -> PrivilegeRequest:
    found = ask(site, by, rules)
    assert isinstance(found, Asked), found
    return found.privilege_request


def grant(site: Site, request: PrivilegeRequest, by: Person, rules: Rules) -> object:
    with site.database.writing() as session:
        return privilege_requests.grant(
            session, privilege_request_id=request.id, by=actor(by), at=NINE, rules=rules
        )


def engineer_lacks(site: Site) -> Refusal | None:
    with site.database.reading() as session:
        return lacks(session.get_one(Person, site.engineer.id))


def test_the_administrators_are_asked_once_however_often_a_person_asks(site: Site) -> None:
    rules = rules_of(site)
    first = ask(site, actor(site.engineer), rules)
    again = ask(site, actor(site.engineer), rules)

    assert isinstance(first, Asked)
    assert first.words.startswith("Ben Second was asked")
    assert isinstance(again, NotAsked)
    assert site.notices_of(Event.PRIVILEGE_ASKED)[:2] == ([NoticeKind.PRIVILEGE], [site.second.email])


def test_a_grant_makes_an_approver_and_the_asker_is_told(site: Site) -> None:
    rules = rules_of(site)
    request = asked(site, actor(site.engineer), rules)
    granted = grant(site, request, site.second, rules)
    again = grant(site, request, site.second, rules)

    assert isinstance(granted, Answered)
    assert isinstance(again, AnsweredBefore)
    assert engineer_lacks(site) is None
    kinds, people, _ = site.notices_of(Event.PRIVILEGE_GRANTED)
    assert sorted(zip(kinds, people, strict=True)) == [
        (NoticeKind.DIRECT, site.engineer.email),
        (NoticeKind.PRIVILEGE, site.second.email),
    ]
    assert isinstance(ask(site, actor(site.engineer), rules), NotAsked)  # nothing is lacking any more


def test_where_the_directory_is_procores_an_answer_changes_nobody(sqlite_site: Site) -> None:
    site, rules = sqlite_site, rules_of(sqlite_site, procore=True)
    request = asked(site, actor(site.engineer), rules)
    done = grant(site, request, site.second, rules)

    assert isinstance(done, Answered)
    assert done.privilege_request.answer is PrivilegeAnswer.DONE
    assert engineer_lacks(site) is Refusal.PERMISSION_TOO_LOW


def test_whoever_the_directory_does_not_know_can_ask_but_is_never_made_up(sqlite_site: Site) -> None:
    site, rules = sqlite_site, rules_of(sqlite_site)
    request = asked(site, Actor(Place.SLACK, "Zoe (zoe@example.com)"), rules)
    done = grant(site, request, site.second, rules)

    assert isinstance(done, Answered)
    assert done.privilege_request.answer is PrivilegeAnswer.DONE


def test_only_an_administrator_answers_and_never_for_themselves(sqlite_site: Site) -> None:
    site = sqlite_site
    rules = Rules(admin_emails=(site.second.email, site.engineer.email))
    request = asked(site, actor(site.engineer), rules)
    by_approver = grant(site, request, site.approver, rules)
    by_themselves = grant(site, request, site.engineer, rules)

    assert isinstance(by_approver, Refused)
    assert by_approver.reason is Refusal.NOT_ADMINISTRATOR
    assert isinstance(by_themselves, Refused)
    assert by_themselves.reason is Refusal.OWN_PRIVILEGE
    assert engineer_lacks(site) is Refusal.PERMISSION_TOO_LOW


def test_a_decline_needs_a_comment_and_lets_one_ask_again(sqlite_site: Site) -> None:
    site, rules = sqlite_site, rules_of(sqlite_site)
    request = asked(site, actor(site.engineer), rules)

    def decline(comment: str) -> object:
        with site.database.writing() as session:
            return privilege_requests.decline(
                session,
                privilege_request_id=request.id,
                comment=comment,
                by=actor(site.second),
                at=NINE,
                rules=rules,
            )

    assert isinstance(decline(" "), Refused)
    assert isinstance(decline("Ada is back on Monday."), Answered)
    assert site.row(PrivilegeRequest, request.id).comment == "Ada is back on Monday."
    assert site.event_names().count(Event.PRIVILEGE_DECLINED) == 1
    assert isinstance(ask(site, actor(site.engineer), rules), Asked)


@pytest.mark.parametrize("admins", [(), ("nobody@example.com",)])
def test_without_another_administrator_one_reads_whom_to_ask(
    sqlite_site: Site, admins: tuple[str, ...]
) -> None:
    answer = ask(sqlite_site, actor(sqlite_site.engineer), Rules(admin_emails=admins))

    assert isinstance(answer, NotAsked)
    assert answer.words.endswith("Ask your company's Procore administrator yourself.")


def test_who_is_deactivated_is_refused_in_words(sqlite_site: Site) -> None:
    site = sqlite_site
    with site.database.writing() as session:
        session.get_one(Person, site.engineer.id).active = False
    refused = ask(site, actor(site.engineer), rules_of(site))

    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.DEACTIVATED


def test_an_admin_of_erp_integrations_stays_one(sqlite_site: Site) -> None:
    site, rules = sqlite_site, rules_of(sqlite_site)
    with site.database.writing() as session:
        session.get_one(Person, site.engineer.id).erp_permission = ErpPermission.ADMIN
    grant(site, asked(site, actor(site.engineer), rules), site.second, rules)

    with site.database.reading() as session:
        assert session.get_one(Person, site.engineer.id).erp_permission is ErpPermission.ADMIN

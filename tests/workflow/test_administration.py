"""What an administrator is told: who may Update, who nearly may, and what did not arrive in Slack."""

from typing import Any

from sqlalchemy import update

from tests import factories
from tests.workflow.site import Site
from workflow import administration, outbox, preferences
from workflow.administration import NearlyApprover
from workflow.preferences import Choices
from workflow.tables import OutboxNotice
from workflow.vocabulary import ErpPermission, NoticeKind, Notify, Refusal


def test_who_may_update_and_who_lacks_one_thing_alone(site: Site) -> None:
    with site.database.writing() as session:
        whole: dict[str, Any] = {"erp_permission": ErpPermission.ADMIN, "can_push_to_accounting": True}
        lacks: dict[str, dict[str, Any]] = {
            "gus": {"active": False},
            "hal": {"erp_permission": ErpPermission.READ_ONLY},
            "ida": {"can_push_to_accounting": False},
            "jon": {"can_push_to_accounting": False, "active": False},
        }
        for name, lacking in lacks.items():
            factories.person(session, f"{name}@example.com", **(whole | lacking))
    with site.database.reading() as session:
        report = administration.accountant_report(session, limit=2)
        every = administration.accountant_report(session)
    assert report.approvers == ("Ada Approver", "Ben Second")
    assert (report.approvers_in_all, report.nearly_in_all) == (2, 3)
    assert report.nearly == every.nearly[:2]
    assert every.nearly == (
        NearlyApprover("Gus", "gus@example.com", Refusal.DEACTIVATED),
        NearlyApprover("Hal", "hal@example.com", Refusal.PERMISSION_TOO_LOW),
        NearlyApprover("Ida", "ida@example.com", Refusal.PRIVILEGE_MISSING),
    )


def test_what_slack_was_not_told_is_counted_by_reason(site: Site) -> None:
    site.ask("03-300 L")
    with site.database.writing() as session:
        cards = outbox.waiting_for_job(session, site.job.id, NoticeKind.CARD)
        replies = outbox.waiting_for_job(session, site.job.id, NoticeKind.THREAD)
        direct = outbox.waiting_for_person(session, site.approver.id)
        outbox.put_off(session, [*cards, *replies], until=factories.later(9), error="not_in_channel")
        outbox.give_up(session, direct, error="nobody in Slack")
        session.execute(
            update(OutboxNotice)
            .where(OutboxNotice.person_id == site.second.id)
            .values(done_at=factories.NINE)
        )
    with site.database.reading() as session:
        found = administration.administration(session, limit=5, now=factories.later(1))
    assert [(u.reason, u.notices, u.given_up, u.oldest) for u in found.undelivered] == [
        ("not_in_channel", 2, 0, factories.NINE),
        ("nobody in Slack", 1, 1, factories.NINE),
    ]
    assert (found.backlog.waiting, found.backlog.given_up, found.late_files) == (2, 1, ())


def test_a_digest_that_waits_for_its_hour_is_no_trouble_before_then(site: Site) -> None:
    for person in (site.approver, site.second):
        with site.database.writing() as session:
            daily = Choices(Notify.DAILY)
            preferences.choose(session, person, daily, by=factories.actor(person), at=factories.NINE)
    site.ask("03-300 L")
    with site.database.writing() as session:
        cards = outbox.waiting_for_job(session, site.job.id, NoticeKind.CARD)
        replies = outbox.waiting_for_job(session, site.job.id, NoticeKind.THREAD)
        outbox.done(session, [*cards, *replies], at=factories.NINE)
        [digest] = outbox.waiting_for_person(session, site.approver.id)

        tonight = administration.administration(session, limit=5, now=factories.later(600))
        late = administration.administration(session, limit=5, now=digest.due_at)

    assert (tonight.backlog.waiting, tonight.backlog.oldest, tonight.undelivered) == (0, None, ())
    assert (late.backlog.waiting, late.backlog.oldest) == (2, digest.due_at)

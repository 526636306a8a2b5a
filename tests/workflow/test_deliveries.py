"""An interaction that Slack delivers twice is handled once, unless the first handling came to nothing."""

from tests.factories import NINE, later
from tests.workflow.site import Site
from workflow import deliveries


def first_time(site: Site, key: str) -> bool:
    with site.database.writing() as session:
        return deliveries.first_time(session, key, at=NINE)


def test_a_delivery_is_new_once(site: Site) -> None:
    assert [first_time(site, "E1"), first_time(site, "E1"), first_time(site, "E2")] == [True, False, True]


def test_a_delivery_whose_handling_failed_is_new_again(site: Site) -> None:
    with site.database.writing() as session:
        assert deliveries.first_time(session, "E1", at=NINE)
        session.rollback()

    assert first_time(site, "E1")


def test_what_is_too_old_to_arrive_again_is_forgotten(site: Site) -> None:
    first_time(site, "E1")
    with site.database.writing() as session:
        assert deliveries.first_time(session, "E2", at=later(10))
        deliveries.forget(session, before=later(5))

    assert [first_time(site, "E1"), first_time(site, "E2")] == [True, False]

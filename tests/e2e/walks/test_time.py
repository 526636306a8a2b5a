"""Section 4, time: what a person hears of and when, and who stands in while they are away."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import in_small_office
from tests.e2e.office import Office
from tests.e2e.walk import Walk

pytestmark = [in_small_office, pytest.mark.timeout(600)]


def test_quiet_hours_are_chosen_and_the_window_shows_them_again(walk: Walk, office: Office) -> None:
    walk.choose("Tom Beckett")
    walk.say("/costcodes notify")
    window = walk.window
    expect(window).to_contain_text("Hours are yours: America/Denver")
    window.get_by_label("Quiet hours from").select_option("18:00")
    walk.photograph("1-half")
    walk.press("Save", window)
    expect(window).to_contain_text("Choose both hours, or none.")
    walk.photograph("2-wrong")
    window.get_by_label("Quiet hours until").select_option("07:30")
    walk.press("Save", window)
    expect(window).to_contain_text("Quiet hours 18:00")
    walk.photograph("3-saved")
    walk.close_window()

    walk.say("/costcodes notify")
    expect(window.get_by_label("Quiet hours until")).to_have_value("07:30")
    window.get_by_label("Quiet hours from").select_option("No quiet hours")
    window.get_by_label("Quiet hours until").select_option("No quiet hours")
    walk.press("Save", window)
    expect(window).to_contain_text("No quiet hours.")
    walk.close_window()


def test_somebody_stands_in_on_some_days_until_it_is_ended(walk: Walk, office: Office) -> None:
    first, last = (datetime.now(UTC).date() + timedelta(days=days) for days in (30, 34))
    walk.say(f"/costcodes away {first}..{last} to @marcus.oyelaran")
    set_ = walk.answer(f"Dana Whitfield is away from {first} to {last}")
    expect(set_).to_contain_text("Messages go to Marcus Oyelaran, who acts by their own right")
    walk.photograph("1-away")
    walk.say("/costcodes away off")
    expect(walk.answer("Marcus Oyelaran no longer stands in for you")).to_be_visible()
    walk.say(f"/costcodes away {first}..{last} to @tom.beckett")
    expect(walk.answer("Tom Beckett")).to_be_visible()
    walk.photograph("2-cannot")

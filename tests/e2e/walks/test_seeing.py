"""Section 5, seeing: the report with its chart, a job's history beside its thread, the way to its card."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import in_small_office
from tests.e2e.office import UPDATED, Office
from tests.e2e.walk import Walk

pytestmark = [in_small_office, pytest.mark.timeout(600)]


def test_the_report_is_told_at_once_and_its_chart_and_figures_are_sent(walk: Walk, office: Office) -> None:
    office.requested("03-3110,S")
    walk.say("/costcodes report")
    told = walk.answer("Cost code updates from")
    expect(told).to_contain_text(re.compile(r"[\d,]+ requests? came, [\d,]+ updated, [\d,]+ rejected\."))
    expect(told).to_contain_text("are in your direct message with costbot.")
    walk.photograph("1-words")

    walk.choose("costbot Messages")
    sent = walk.page.get_by_role("article").filter(has_text="every figure").last
    chart = sent.get_by_role("img", name="Four charts.")
    expect(chart).to_have_attribute("alt", re.compile(r"came, [\d,]+ updated"))
    expect(chart).to_be_visible()
    walk.page.wait_for_function("[...document.images].every((one) => one.complete && one.naturalWidth > 0)")
    figures = sent.get_by_role("link", name=re.compile(r"cost-codes-week-to-.*\.csv"))
    chart.scroll_into_view_if_needed()
    walk.photograph("2-chart")
    address = figures.get_attribute("href")
    assert address
    csv = walk.page.request.get(address).text()
    assert csv.startswith("table,row,figure,value\n")


def test_the_history_and_the_thread_tell_the_same_story(walk: Walk, office: Office) -> None:
    job, _ = office.requested("03-3110,S")
    walk.press("Update", walk.card(job), confirm=True)
    expect(walk.card(job)).to_contain_text("Updated, waits for the data sync")
    office.card(job, UPDATED)
    story = office.thread(job, "Dana Whitfield updated")

    walk.say(f"/costcodes history {job}")
    told = walk.answer(f"History of {job}")
    for happened in ("requested", "Dana Whitfield updated"):
        expect(told).to_contain_text(happened)
    walk.photograph("1-history")

    walk.card(job).get_by_role("button", name=re.compile(r"repl(y|ies)")).click()
    thread = walk.page.get_by_role("log", name="Messages in thread")
    expect(thread).to_contain_text("Dana Whitfield updated")
    walk.photograph("2-thread")
    # what the thread tells the history tells word for word
    plain = " ".join(told.inner_text().replace("*", "").split())
    for words in story:
        sentence = " ".join(re.sub(r"<[^>]*>|[*_`]", "", words).split())
        assert sentence in plain, (sentence, plain)


def test_a_jobs_window_leads_to_its_card(walk: Walk, office: Office) -> None:
    job, _ = office.requested("03-3110,S")
    expect(walk.card(job)).to_be_attached()  # before it stands there is nothing to lead to
    walk.say(f"/costcodes show {job}")
    expect(walk.window).to_contain_text("03-3110")
    link = walk.window.get_by_role("link", name="Open the card")
    link.scroll_into_view_if_needed()
    walk.photograph("1-window")
    link.click()
    expect(walk.window).to_be_hidden()
    expect(walk.card(job)).to_be_in_viewport()
    walk.photograph("2-card")

"""The address of a job's card, and the job's own, which leads there."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore
from urllib.parse import urlsplit

import httpx
import pytest
from slack_bolt import App
from slack_sdk import WebClient
from starlette.applications import Starlette

from bot.addresses import job_link, number_in_link
from bot.http import http_app, job_routes
from bot.links import ASKING_AT_ONCE, card_address, cards_by_number, standing_card
from bot.sandbox.client import NO_AUTHORITIES
from bot.sandbox.server import running
from bot.sandbox.workspace import BOT_TOKEN, CHANNEL_ID
from bot.slack_answers import Posted
from tests.bot.site import Site
from workflow.settings import Settings


def address(site: Site) -> str | None:
    return card_address(site.database, site.gateway, site.riverside.id)


def test_a_card_has_one_address_whatever_becomes_of_the_job(site: Site) -> None:
    assert address(site) is None
    requested = site.ask(site.riverside, "03-300 L")
    assert address(site) is None
    site.drain()
    before = address(site)
    site.update(requested)
    site.drain()
    [card] = site.channel()
    assert before is not None
    assert before.endswith(f"{CHANNEL_ID}/p{card.ts.replace('.', '')}")
    assert address(site) == before
    # asked once, and never again
    assert site.gateway.calls["chat.getPermalink", "ok"] == 1


def test_a_card_that_was_drawn_anew_has_a_new_address(site: Site) -> None:
    requested = site.ask(site.riverside, "03-300 L")
    site.drain()
    before = address(site)
    [card] = site.channel()
    WebClient(BOT_TOKEN, base_url=site.sandbox.api_url).chat_delete(channel=CHANNEL_ID, ts=card.ts)
    site.update(requested)
    site.drain()
    [card] = site.channel()
    after = address(site)
    assert after is not None
    assert after != before
    assert after.endswith(f"p{card.ts.replace('.', '')}")


def test_a_card_that_somebody_deleted_leads_nowhere_and_comes_back(site: Site, web: httpx.Client) -> None:
    def way() -> str:
        return str(web.get(f"/jobs/{site.riverside.number}").headers.get("location", ""))

    site.ask(site.riverside, "03-300 L")
    site.drain()
    assert way() == address(site)
    [card] = site.channel()
    WebClient(BOT_TOKEN, base_url=site.sandbox.api_url).chat_delete(channel=CHANNEL_ID, ts=card.ts)
    assert way() == ""
    site.drain()
    [card] = [message for message in site.channel() if message.buttons]
    assert way().endswith(f"p{card.ts.replace('.', '')}")
    assert len(site.waiting()) == 0


def test_while_slack_does_not_answer_a_card_is_where_it_was(site: Site) -> None:
    site.ask(site.riverside, "03-300 L")
    site.drain()
    before = address(site)
    site.sandbox.fail_next("chat.getPermalink", "server_error")
    assert standing_card(site.database, site.gateway, site.riverside.id, at=site.clock()) == before


def test_without_an_answer_of_slack_there_is_no_address(site: Site) -> None:
    site.sandbox.fail_next("chat.getPermalink", "server_error", times=9)
    site.ask(site.riverside, "03-300 L")
    site.drain()
    assert address(site) is None


def test_while_slack_hangs_few_wait_for_it_and_others_are_led_to_where_the_card_was(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.ask(site.riverside, "03-300 L")
    site.drain()
    before = address(site)
    mended, asked = Event(), Semaphore(0)

    def hanging(_: Posted) -> str:
        asked.release()
        assert mended.wait(120)
        return "https://slack.example/moved"

    monkeypatch.setattr(site.gateway, "permalink", hanging)
    card_of = cards_by_number(site.database, site.gateway, clock=site.clock)
    with ThreadPoolExecutor(ASKING_AT_ONCE) as threads:
        waiting = [threads.submit(card_of, site.riverside.number) for _ in range(ASKING_AT_ONCE)]
        try:
            assert all(asked.acquire(timeout=120) for _ in waiting)
            assert (card_of(site.riverside.number), card_of(site.depot.number)) == (before, None)
        finally:
            mended.set()
    assert {each.result() for each in waiting} == {"https://slack.example/moved"}
    assert card_of(site.riverside.number) == "https://slack.example/moved"


@pytest.fixture
def web(site: Site) -> Iterator[httpx.Client]:
    """The bot's HTTP server, as anybody reaches it."""
    bolt = App(token=BOT_TOKEN, signing_secret="-", token_verification_enabled=False)
    card_of = cards_by_number(site.database, site.gateway, clock=site.clock)
    app = http_app(bolt, takes_events=False, ready={}, card_of=card_of)
    with running(app) as url, httpx.Client(base_url=url, verify=NO_AUTHORITIES) as client:
        yield client


def settings(public_url: str | None) -> Settings:
    return Settings(_env_file=None, public_url=public_url)


@pytest.mark.parametrize("public_url", ["https://costbot.example.com", "https://example.com/costbot/"])
def test_a_job_has_one_address_with_its_number_quoted(public_url: str) -> None:
    link = job_link(settings(public_url), "24/017 ä?#")
    assert link == f"{public_url.rstrip('/')}/jobs/24%2F017%20%C3%A4%3F%23"
    assert job_link(settings(None), "24-017") is None


@pytest.mark.parametrize("number", ["24-099", "24/099", "24 099 ä?#%2F"])
def test_a_jobs_own_address_leads_to_its_card(site: Site, web: httpx.Client, number: str) -> None:
    with site.database.writing() as session:
        session.merge(site.riverside).number = number
    site.ask(site.riverside, "03-300 L")
    site.drain()
    link = job_link(settings("https://costbot.example.com"), number)
    assert link is not None
    answer = web.get(urlsplit(link).path)
    assert (answer.status_code, answer.headers["location"]) == (302, address(site))


def test_unknown_jobs_and_jobs_without_a_card_are_answered_alike(site: Site, web: httpx.Client) -> None:
    answers = [web.get(f"/jobs/{number}") for number in ("99-999", site.riverside.number)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].text == answers[1].text
    assert "/costcodes jobs all" in answers[0].text
    assert site.riverside.name not in answers[1].text


def test_while_slack_does_not_answer_the_page_says_that_it_may_be_so(site: Site, web: httpx.Client) -> None:
    site.sandbox.fail_next("chat.getPermalink", "server_error", times=9)
    site.ask(site.riverside, "03-300 L")
    site.drain()
    answer = web.get(f"/jobs/{site.riverside.number}")
    assert answer.status_code == 404
    assert "Slack does not answer" in answer.text


def test_the_page_of_an_address_without_a_card_is_in_the_language_of_the_company() -> None:
    with running(Starlette(routes=job_routes(lambda _number: None, language="es"))) as url:
        answer = httpx.get(f"{url}/jobs/99-999", verify=NO_AUTHORITIES)
    assert answer.status_code == 404
    assert '<html lang="es">' in answer.text
    assert "No hay ninguna tarjeta en esta dirección" in answer.text


@pytest.mark.parametrize(
    ("url", "number"),
    [
        ("https://costbot.example.com/jobs/24%2F017%20%C3%A4%3F%23", "24/017 ä?#"),
        ("https://COSTBOT.example.com/jobs/24-017?a=b#c", "24-017"),
        ("https://costbot.example.com/jobs/", None),
        ("https://costbot.example.com/healthz", None),
        ("https://costbot.example.com.evil.example/jobs/24-017", None),
        ("https://costbot.example.com:port/jobs/24-017", None),
        ("https://[/jobs/24-017", None),
        ("nonsense", None),
    ],
)
def test_the_number_is_read_from_a_job_s_own_address_alone(url: str, number: str | None) -> None:
    assert number_in_link(settings("https://costbot.example.com"), url) == number
    assert number_in_link(settings(None), url) is None

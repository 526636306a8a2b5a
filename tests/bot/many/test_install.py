"""Installing in the browser, and taking out: who may, what is kept, what people read, what is on record."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from slack_bolt import BoltRequest

from bot.addresses import job_link
from bot.blocks import notices
from bot.gateway import Gateway
from bot.identity import Identity
from bot.installations import Installations, connected
from bot.posting import Poster
from bot.routing import team_of
from bot.sandbox.client import NO_AUTHORITIES
from bot.slack_answers import Bot
from tests.between import after
from tests.bot.many.town import BOREAL, KESTREL, NOBODY, ORGANISATION, Member, Town, town
from workflow import directory, messages
from workflow.database import Database
from workflow.vocabulary import Event, Refusal

Json = dict[str, Any]


def job_id(database: Database, number: str) -> int:
    with database.reading() as session:
        job = directory.job_by_number(session, number)
    assert job is not None
    return job.id


def on_record(member: Member, event: Event) -> list[str]:
    return [row for row in member.rows()["audit_events"] if event.value in row]


def happened(member: Member, what: str, *, at: float, **more: Any) -> Json:
    return {
        "type": "event_callback",
        "event_id": f"Ev{what}{at}",
        "event_time": int(at),
        "team_id": member.team.id,
        "event": {"type": what, **more},
    }


def test_an_install_is_kept_for_the_company_of_the_workspace_and_put_on_record(
    here: Town, boreal: Member, kestrel: Member
) -> None:
    page = here.install(BOREAL)

    assert page.status_code == 200
    assert "costbot is installed in Boreal Builders" in page.text
    assert "/invite @costbot" in page.text
    assert len(on_record(boreal, Event.SLACK_INSTALLED)) == 2
    assert len(on_record(kestrel, Event.SLACK_INSTALLED)) == 1
    assert kestrel.team.id not in page.text


def test_an_install_from_a_workspace_that_no_company_names_is_refused_and_given_back(here: Town) -> None:
    page = here.install(NOBODY)

    assert page.status_code == 403
    assert "No company is set up here for Nobody&#x27;s (T0NOBODY), so nothing was kept" in page.text
    assert "COSTBOT_SLACK_TEAM=T0NOBODY" in page.text
    assert here.installations.find(NOBODY.id) is None
    assert not here.oauth.has_token(NOBODY.id)
    assert [name for name in ("Kestrel", "Boreal", "kestrel", "boreal") if name in page.text] == []


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("error=access_denied", 200, "was cancelled in Slack"),
        ("code=1&state=forged", 400, "This browser did not begin the install"),
        ("error=%3Cscript%3E", 200, "Slack answered: &lt;script&gt;."),
    ],
)
def test_an_install_that_goes_wrong_says_so(here: Town, query: str, status: int, words: str) -> None:
    page = httpx.get(
        f"{here.url}/slack/oauth_redirect?{query}", trust_env=False, timeout=60, verify=NO_AUTHORITIES
    )

    assert (page.status_code, words in page.text) == (status, True)


def test_without_its_database_an_install_says_so(here: Town) -> None:
    here.installations.states.metadata.drop_all(here.installations.states.engine)
    with httpx.Client(base_url=here.url, trust_env=False, timeout=60, verify=NO_AUTHORITIES) as browser:
        page = browser.get("/slack/install")
    assert (page.status_code, "database did not answer" in page.text) == (503, True)


def test_an_install_that_nobody_finished_leaves_nothing_behind(here: Town) -> None:
    states = here.installations.states

    def ask() -> int:
        httpx.get(f"{here.url}/slack/install", trust_env=False, timeout=60, verify=NO_AUTHORITIES)
        with states.engine.connect() as connection:
            return len(connection.execute(states.oauth_states.select()).all())

    before = ask()
    assert ask() == before + 1
    with states.engine.begin() as connection:
        connection.execute(states.oauth_states.update().values(expire_at=datetime(2026, 1, 1, tzinfo=UTC)))
    assert ask() == 1


def test_a_state_is_good_once_and_in_its_own_browser(here: Town) -> None:
    with httpx.Client(trust_env=False, timeout=60, verify=NO_AUTHORITIES) as browser:
        cookie = browser.get(f"{here.url}/slack/install").headers["set-cookie"].partition(";")[0]
        state = cookie.partition("=")[2]
        back = f"{here.url}/slack/oauth_redirect?state={state}&code=none"
        assert (
            "did not begin the install"
            in httpx.get(back, trust_env=False, timeout=60, verify=NO_AUTHORITIES).text
        )
        first = browser.get(back, headers={"Cookie": cookie})
        assert "did not take its own code" in first.text
        again = browser.get(back, headers={"Cookie": cookie})
    assert (again.status_code, "was finished before" in again.text) == (401, True)


def test_taking_the_app_out_drops_the_token_and_is_on_record(
    here: Town, boreal: Member, kestrel: Member
) -> None:
    here.oauth.uninstall(BOREAL.id)
    here.post("events_api", happened(boreal, "tokens_revoked", at=time.time() + 5, tokens={"bot": ["U0"]}))
    here.post("events_api", happened(boreal, "app_uninstalled", at=time.time() + 5))

    assert here.installations.find(BOREAL.id) is None
    assert len(on_record(boreal, Event.SLACK_REMOVED)) == 1
    assert here.installations.find(KESTREL.id) is not None
    assert on_record(kestrel, Event.SLACK_REMOVED) == []


def test_what_slack_tells_late_of_an_older_install_changes_nothing(here: Town, boreal: Member) -> None:
    here.post("events_api", happened(boreal, "app_uninstalled", at=time.time() - 3600))
    here.post("events_api", happened(boreal, "tokens_revoked", at=time.time() + 5, tokens={"bot": ["U0"]}))

    assert here.installations.find(BOREAL.id) is not None
    assert on_record(boreal, Event.SLACK_REMOVED) == []


def test_an_install_while_the_one_before_is_forgotten_stays(
    here: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    after(monkeypatch, Installations, "_newest", lambda: here.install(BOREAL))
    assert here.installations.forget(BOREAL.id, installed_before=time.time())
    assert here.installations.find(BOREAL.id) is not None


def test_an_install_while_slack_is_asked_whether_the_token_is_good_stays(
    here: Town, boreal: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Gateway.auth_test

    def ask_and_install(gateway: Gateway) -> Bot:
        monkeypatch.setattr(Gateway, "auth_test", ask)
        try:
            return ask(gateway)
        finally:
            here.install(BOREAL)

    here.oauth.uninstall(BOREAL.id)
    monkeypatch.setattr(Gateway, "auth_test", ask_and_install)
    here.post("events_api", happened(boreal, "tokens_revoked", at=time.time(), tokens={"bot": ["U0"]}))

    assert here.installations.find(BOREAL.id) is not None


def test_a_removal_of_another_shape_removes_nothing(here: Town, boreal: Member) -> None:
    whole = happened(boreal, "app_uninstalled", at=time.time() + 5)
    without_a_time = {name: value for name, value in whole.items() if name != "event_time"}
    for wrong in (without_a_time, whole | {"event_time": "soon"}, whole | {"event_id": 5}):
        here.post("events_api", wrong)

    assert here.installations.find(BOREAL.id) is not None
    assert on_record(boreal, Event.SLACK_REMOVED) == []


def test_people_of_a_workspace_that_no_company_names_hear_so(here: Town) -> None:
    command = {"team_id": NOBODY.id, "user_id": "U1", "command": "/costcodes", "text": "jobs"}
    window = {
        "type": "view_submission",
        "team": {"id": NOBODY.id},
        "user": {"id": "U1"},
        "view": {"id": "V1", "type": "modal", "callback_id": "window:updates", "private_metadata": "{}"},
    }
    words = "costbot is not set up for this Slack workspace (T0NOBODY)"

    assert words in here.post("slash_commands", command).text
    assert words in here.post("interactive", window).json()["view"]["blocks"][0]["text"]["text"]
    assert here.post("events_api", {**command, "type": "event_callback", "event": {"type": "x"}}).is_success


def test_an_organisation_installs_once_for_all_its_workspaces(tmp_path: Path, sqlite_template: Path) -> None:
    with town(tmp_path, sqlite_template, boreal=ORGANISATION) as here:
        boreal = here.members["boreal"]
        dana = boreal.sandbox.as_person("U0DANA")
        dana.slash("/costcodes whoami")
        dana.wait_for_ephemeral("Dana")
        dana.slash("/costcodes show 24-017")
        dana.wait_for_modal("Riverside Medical Center")
        dana.open_home()
        dana.wait_for(lambda seen: seen.home)
        with connected(boreal.company.settings) as gateway:
            assert gateway.auth_test().team_id == "E0BOREAL"
            stranger = Identity(gateway, boreal.database, clock=lambda: None)  # type: ignore[arg-type,return-value]
            assert stranger.actor("U0QUILLON", KESTREL.id).refusal is Refusal.FROM_OUTSIDE
        assert here.installations.find(BOREAL.id) is None
        assert here.installations.forget("E0BOREAL")
        assert here.installations.find("E0BOREAL") is None


def test_a_link_to_a_job_leads_into_its_own_companys_workspace_alone(
    tmp_path: Path, sqlite_template: Path
) -> None:
    with town(tmp_path, sqlite_template, public_url="https://costbot.example.com") as here:
        kestrel, boreal = here.members["kestrel"], here.members["boreal"]
        kestrel_link = job_link(kestrel.company.settings, "77-777")
        with connected(kestrel.company.settings) as gateway:
            job = job_id(kestrel.database, "77-777")
            Poster(kestrel.database, gateway, clock=lambda: datetime.now(UTC)).draw(
                messages.card_key(job), "C0COSTCODES", notices.answer("Zirconium")
            )
        answers = [
            httpx.get(
                f"{here.url}/companies/{name}/jobs/77-777", trust_env=False, timeout=60, verify=NO_AUTHORITIES
            )
            for name in ("kestrel", "boreal", "nobody")
        ]

    assert kestrel_link == "https://costbot.example.com/companies/kestrel/jobs/77-777"
    assert [answer.status_code for answer in answers] == [302, 404, 404]
    assert "C0COSTCODES" in answers[0].headers["location"]
    assert boreal.sandbox.url not in answers[0].headers["location"]


@pytest.mark.parametrize(
    ("payload", "team"),
    [
        ({"team": {"id": "T1"}, "enterprise": {"id": "E1"}, "is_enterprise_install": False}, "T1"),
        (
            {
                "team": None,
                "enterprise": {"id": "E1"},
                "is_enterprise_install": True,
                "user": {"team_id": "T9"},
            },
            "E1",
        ),
        ({"command": "/x", "team_id": "T1", "enterprise_id": "E1", "is_enterprise_install": "true"}, "E1"),
        (
            {
                "team_id": "T1",
                "event": {"user_team": "T9"},
                "is_ext_shared_channel": True,
                "authorizations": [{"team_id": "T2", "enterprise_id": None, "is_enterprise_install": False}],
            },
            "T2",
        ),
        ({"type": "url_verification"}, None),
    ],
)
def test_a_request_is_for_the_install_that_slack_names(payload: Json, team: str | None) -> None:
    assert team_of(BoltRequest(body=payload, mode="socket_mode")) == team

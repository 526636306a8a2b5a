"""Asking for the privilege at the command line, by the same rules as in Slack."""

import pytest

from tests.bot.commands.conftest import ADA, Shell

EVE = "eve.engineer@example.com"


@pytest.fixture
def company(company: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """With Ada for an administrator."""
    monkeypatch.setenv("COSTBOT_ADMIN_EMAIL", ADA)
    return company


def test_what_was_asked_for_is_listed_and_granted_once(company: Shell) -> None:
    asked = company.json("privilege", "ask", "--by", EVE, "--reason", "Ada is away.")
    assert company.json("privilege", "list")["requests"] == [asked]
    assert "Ada is away." in company.done("privilege", "list").out

    again = company.run("privilege", "ask", "--by", EVE, "--reason", "Please.", "--json")
    assert (again.exit_code, again.json["reason"]) == (1, "not_asked")
    not_hers = company.run("privilege", "grant", str(asked["id"]), "--by", EVE, "--json")
    assert (not_hers.exit_code, not_hers.json["reason"]) == (3, "not_administrator")

    assert company.json("privilege", "grant", str(asked["id"]), "--by", ADA)["answer"] == "granted"
    late = company.run("privilege", "decline", str(asked["id"]), "--by", ADA, "--comment", "No.", "--json")
    assert (late.exit_code, late.json["reason"]) == (3, "already_decided")
    assert "Nobody asks for it." in company.done("privilege", "list").out


def test_a_request_that_is_not_there_cannot_be_answered(company: Shell) -> None:
    ran = company.run("privilege", "grant", "77", "--by", ADA)

    assert ran.exit_code == 1
    assert "no request 77" in ran.err

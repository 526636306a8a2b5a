"""Who is who in Slack, mended by hand."""

import pytest

from tests.bot.commands.conftest import ADA, Shell


def test_a_slack_user_is_pinned_to_a_person_and_let_go(company: Shell) -> None:
    linked = company.json("people", "link", ADA, "U1", "T1")
    assert linked == {"person": ADA, "team": "T1", "slack_user": "U1"}

    taken = company.run("people", "link", "ben.approver@example.com", "U1", "T1", "--json")
    assert (taken.exit_code, taken.json["reason"]) == (3, "already_linked")
    assert ADA in taken.err

    assert company.json("people", "unlink", ADA)["slack_user"] is None
    company.done("people", "link", "ben.approver@example.com", "U1", "T1")


def test_letting_go_of_somebody_without_a_tie_says_so(company: Shell) -> None:
    assert "had no tie" in company.done("people", "unlink", ADA).out


def test_a_person_whom_nobody_knows_cannot_be_linked(company: Shell) -> None:
    ran = company.run("people", "link", "nobody@example.com", "U1", "T1")

    assert ran.exit_code == 1
    assert "nobody@example.com" in ran.err


@pytest.mark.parametrize(("user", "team"), [("", ""), ("@ada", "T1"), ("U1", "kestrel"), ("T1", "U1")])
def test_only_ids_of_slack_can_be_linked(company: Shell, user: str, team: str) -> None:
    ran = company.run("people", "link", ADA, user, team)

    assert ran.exit_code == 2
    assert "had no tie" in company.done("people", "unlink", ADA).out


def test_who_may_update_and_who_nearly_may(company: Shell) -> None:
    told = company.json("people", "approvers")
    assert "Ada Approver" in told["approvers"]
    assert all(set(one) == {"name", "email", "lacks"} for one in told["nearly"])
    assert "May Update: Ada Approver" in company.done("people", "approvers").out

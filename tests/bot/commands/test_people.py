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
    assert company.json("approvers") == told


def test_what_a_person_hears_of_is_chosen_and_shown(company: Shell) -> None:
    chosen = company.json("people", "notify", ADA, "--to", "hourly", "--quiet", "19:00-07:15")
    assert (chosen["notify"], chosen["quiet_from"], chosen["quiet_until"]) == ("hourly", "19:00", "07:15")

    company.done("people", "notify", ADA, "--to", "do_not_ping")
    assert (
        "may update, is not pinged. Quiet hours 19:00 to 07:15." in company.done("people", "notify", ADA).out
    )
    assert company.json("people", "notify", ADA, "--quiet", "none")["quiet_from"] is None
    assert company.run("people", "notify", ADA, "--quiet", "at night").exit_code == 2


def test_somebody_stands_in_until_it_is_called_off(company: Shell) -> None:
    ben, days = "ben.approver@example.com", ("--from", "2099-12-01", "--until", "2099-12-05")
    assert company.json("people", "away", ADA, *days, "--to", ben)["delegate"] == ben
    assert "and Ben Approver stands in." in company.done("people", "away", ADA).out

    refused = company.run("people", "away", ADA, *days, "--to", "eve.engineer@example.com", "--json")
    assert (refused.exit_code, refused.json["reason"]) == (3, "cannot_stand_in")
    past = company.run("people", "away", ADA, "--from", "2020-12-01", "--to", ben, "--json")
    assert (past.exit_code, past.json["reason"]) == (1, "unusable_days")
    assert company.run("people", "away", ADA, "--from", "2099-12-01").exit_code == 2

    assert company.json("people", "away", ADA, "--off")["delegate"] is None
    assert "Nobody stands in" in company.done("people", "away", ADA).out


def test_nothing_is_asked_for_again_where_nothing_was_turned_down(company: Shell) -> None:
    ran = company.run("ask-again", "24-017", "--by", ADA, "--json")

    assert (ran.exit_code, ran.json["reason"]) == (3, "not_turned_down")

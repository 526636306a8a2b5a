"""Contracts that wait for cost codes, from the command line."""

import pytest

from tests.bot.commands.conftest import ADA, Shell


def test_a_job_without_open_cost_codes_may_send_its_contracts(company: Shell) -> None:
    ran = company.done("hold", "check", "24-017", "--json")

    assert ran.json["free"] is True


def test_contracts_wait_until_the_data_sync_sent_the_cost_codes(company: Shell) -> None:
    company.done("hold", "add", "24-017", "commitment", "SC-12", "Concrete subcontract")
    company.request()
    held = company.run("hold", "check", "24-017", "--json")
    assert (held.exit_code, held.json["free"]) == (3, False)
    assert "Ready to Update" in held.json["reason"]
    assert held.json["reason"] in held.err
    assert company.json("show", "24-017")["holds"] == [
        {"kind": "commitment", "number": "SC-12", "title": "Concrete subcontract", "waiting": True}
    ]

    company.done("update", "24-017", "--by", ADA)
    assert company.run("hold", "check", "24-017").exit_code == 3
    company.done("sync")

    assert company.run("hold", "check", "24-017").exit_code == 0
    assert company.json("hold", "list")["holds"][0]["waiting"] is False
    assert company.json("hold", "list", "--waiting")["holds"] == []


def test_the_same_contract_is_registered_once(company: Shell) -> None:
    add = ("hold", "add", "24-017", "prime_contract", "PC-1", "Prime contract")

    assert company.json(*add)["already_there"] is False
    assert company.json(*add)["already_there"] is True
    assert len(company.json("hold", "list", "24-017")["holds"]) == 1


def test_other_exports_wait_only_where_the_company_wants_it(
    company: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = ("hold", "add", "24-017", "budget", "B-1", "Budget")

    refused = company.run(*add, "--json")
    assert (refused.exit_code, refused.json["reason"]) == (3, "kind_not_held")
    assert "COSTBOT_HOLD_EVERY_EXPORT" in refused.err

    monkeypatch.setenv("COSTBOT_HOLD_EVERY_EXPORT", "true")
    assert company.json(*add)["hold"]["kind"] == "budget"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("24-017", "lunch", "1", "t"), "commitment_change_order"),
        (("24-017", "commitment", "1" * 41, "t"), "40 at most"),
        (("24-017", "commitment", "", "t"), "empty"),
    ],
)
def test_a_hold_that_cannot_be_is_wrong_usage(company: Shell, arguments: tuple[str, ...], words: str) -> None:
    ran = company.run("hold", "add", *arguments)

    assert ran.exit_code == 2
    assert words in ran.err


@pytest.mark.parametrize("command", ["check", "list"])
def test_an_unknown_job_is_not_taken_for_a_free_one(company: Shell, command: str) -> None:
    ran = company.run("hold", command, "99-999")

    assert ran.exit_code == 1
    assert "There is no job 99-999" in ran.err

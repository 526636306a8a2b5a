"""The approver's acts from the command line: the rules of Slack, words, exit codes, audit trail."""

import pytest

from tests.bot.commands.conftest import ADA, ENGINEER, Shell


def test_update_accepts_the_present_revision(company: Shell) -> None:
    company.request()

    assert company.json("update", "24-017", "--by", ADA)["state"] == "accepted"


def test_update_says_in_words_what_comes_next(company: Shell) -> None:
    company.request()

    assert "Updated, waits for the data sync" in company.done("update", "24-017", "--by", ADA).out


def test_update_of_an_older_revision_changes_nothing_and_says_what_is_new(company: Shell) -> None:
    company.request(lines=["03-300,M"])
    company.request(lines=["09-250,L"])

    ran = company.run("update", "24-017", "--by", ADA, "--revision", "1", "--json")

    assert ran.exit_code == 3
    assert (ran.json["result"], ran.json["reason"]) == ("refused", "stale")
    assert ran.json["new"] == [{"extra": "", "code": "09-250", "category": "L"}]
    assert "new: 09-250 L" in ran.err
    assert company.json("show", "24-017")["state"] == "ready"


def test_the_second_of_two_approvers_hears_who_was_first(company: Shell) -> None:
    company.request()
    company.done("update", "24-017", "--by", ADA)

    ran = company.run("update", "24-017", "--by", "ben.approver@example.com", "--json")

    assert (ran.exit_code, ran.json["reason"]) == (3, "already_decided")
    assert "Ada Approver updated it on" in ran.err


@pytest.mark.parametrize(
    ("email", "reason"),
    [
        ("nobody@example.com", "no_matching_person"),
        ("low.reader@example.com", "permission_too_low"),
        ("pat.admin@example.com", "privilege_missing"),
        ("gone.approver@example.com", "deactivated"),
    ],
)
def test_each_way_to_lack_the_privilege_is_refused_in_words_and_on_record(
    company: Shell, email: str, reason: str
) -> None:
    company.request()

    ran = company.run("update", "24-017", "--by", email, "--json")

    assert ran.exit_code == 3
    assert (ran.json["result"], ran.json["reason"]) == ("refused", reason)
    assert ran.json["words"] in ran.err
    last = company.json("history", "24-017")["events"][-1]
    assert (last["event"], last["facts"]["reason"]) == ("act:refused", reason)


@pytest.mark.parametrize("act", ["reject --comment no", "take-back", "send-again"])
def test_every_act_takes_the_privilege(company: Shell, act: str) -> None:
    company.request()
    name, *options = act.split()

    ran = company.run(name, "24-017", "--by", "pat.admin@example.com", *options, "--json")

    assert (ran.exit_code, ran.json["reason"]) == (3, "privilege_missing")


@pytest.mark.parametrize("revision", ["-1", "2147483648", "99999999999999999999999"])
def test_a_revision_that_cannot_be_is_wrong_usage(company: Shell, revision: str) -> None:
    company.request()

    assert company.run("update", "24-017", "--by", ADA, "--revision", revision).exit_code == 2
    assert company.json("show", "24-017")["state"] == "ready"


def test_an_act_on_an_unknown_job_fails_and_is_on_record(company: Shell) -> None:
    ran = company.run("update", "99-999", "--by", ADA, "--json")

    assert (ran.exit_code, ran.json["result"], ran.json["reason"]) == (1, "failed", "unknown_job")
    assert "There is no job 99-999" in ran.json["words"]
    trail = company.done("audit", "export", "--format", "jsonl").out.splitlines()
    assert '"job":"99-999"' in trail[-1]


def test_an_act_on_a_job_without_a_request_is_refused(company: Shell) -> None:
    ran = company.run("reject", "24-031", "--by", ADA, "--comment", "no")

    assert ran.exit_code == 3
    assert "Nothing was ever requested for 24-031 Harbor Point" in ran.err
    assert "not Ready to Update" in company.done("history", "24-031").out


def test_reject_keeps_the_comment(company: Shell) -> None:
    company.request()

    answer = company.json("reject", "24-017", "--by", ADA, "--comment", "Use 03-300 instead")

    assert (answer["state"], answer["comment"]) == ("rejected", "Use 03-300 instead")


def test_reject_without_a_comment_is_refused(company: Shell) -> None:
    company.request()

    ran = company.run("reject", "24-017", "--by", ADA, "--comment", "  ", "--json")

    assert (ran.exit_code, ran.json["reason"]) == (3, "comment_missing")
    assert company.json("show", "24-017")["state"] == "ready"


def test_take_back_finds_what_was_accepted_beside_a_newer_request(company: Shell) -> None:
    company.request(lines=["03-300,M"])
    company.done("update", "24-017", "--by", ADA)
    company.request(lines=["09-250,L"])

    answer = company.json("take-back", "24-017", "--by", ADA)

    assert answer["state"] == "ready"
    assert {line["code"] for line in answer["lines"]} == {"03-300", "09-250"}


def test_take_back_of_what_is_not_accepted_is_refused(company: Shell) -> None:
    company.request()

    ran = company.run("take-back", "24-017", "--by", ADA, "--json")

    assert (ran.exit_code, ran.json["reason"]) == (3, "not_accepted")


def test_what_sage_refused_is_sent_again_after_the_mend(company: Shell) -> None:
    company.request(lines=["03-300,XX"])
    company.done("update", "24-017", "--by", ADA)
    company.done("sync")
    assert company.json("show", "24-017")["lines"][0]["message"] == "Category XX is not a standard category"

    company.done("sage", "load-categories", company.file("more.csv", "category\nXX\n"))
    assert company.json("send-again", "24-017", "--by", ADA)["state"] == "ready"
    company.done("update", "24-017", "--by", ADA)
    company.done("sync")

    assert company.json("show", "24-017")["state"] == "synced"


def test_own_requests_may_be_forbidden(company: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTBOT_FORBID_OWN_REQUEST", "true")
    file = company.file("own.csv", "code,category\n09-250,L\n")
    company.done("request", "24-017", file, "--by", ADA)

    ran = company.run("update", "24-017", "--by", ADA, "--json")

    assert (ran.exit_code, ran.json["reason"]) == (3, "own_request")


def test_of_several_jobs_each_is_updated_for_itself(company: Shell) -> None:
    company.request("24-017")
    company.request("24-031")
    company.done("update", "24-017", "--by", ADA)

    ran = company.run("update", "24-017", "24-031", "99-999", "--by", ADA, "--json")

    assert ran.exit_code == 1
    assert [(job["job"], job["result"], job["reason"]) for job in ran.json["jobs"]] == [
        ("24-017", "refused", "already_decided"),
        ("24-031", "updated", None),
        ("99-999", "failed", "unknown_job"),
    ]
    assert "2 jobs were not updated" in ran.err
    assert company.json("show", "24-031")["state"] == "accepted"


def test_a_revision_is_of_one_job(company: Shell) -> None:
    ran = company.run("update", "24-017", "24-031", "--by", ADA, "--revision", "1")
    assert ran.exit_code == 2
    assert "--revision is of one job" in ran.err


def test_where_two_approvers_are_needed_the_first_update_is_one_of_two(
    company: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSTBOT_TWO_APPROVERS_JOBS", "24-017, 25-*")
    company.request("24-017")
    company.request("24-031")

    first = company.json("update", "24-017", "24-031", "--by", ADA)
    assert [job["result"] for job in first["jobs"]] == ["first_of_two", "updated"]
    assert company.run("update", "24-017", "--by", ADA, "--json").json["reason"] == "second_approver_needed"
    assert company.json("update", "24-017", "--by", "ben.approver@example.com")["state"] == "accepted"


def test_notices_wait_in_the_outbox_until_slack_can_be_told(company: Shell) -> None:
    company.request()

    assert company.json("status")["notices_waiting"] > 0


def test_an_act_without_by_is_wrong_usage(company: Shell) -> None:
    ran = company.run("update", "24-017")

    assert ran.exit_code == 2
    assert "--by" in ran.err


def test_the_place_of_an_act_is_the_command_line(company: Shell) -> None:
    company.request()
    company.done("update", "24-017", "--by", ADA)

    assert {event["place"] for event in company.json("history", "24-017")["events"]} == {"command line"}
    assert ENGINEER in company.done("audit", "export", "--format", "csv").out

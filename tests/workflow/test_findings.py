"""What the checks found, kept with the lines: at the request, at the Update, and at the data sync."""

from dataclasses import replace

from tests.factories import LIMITS, NINE, RULES, actor, assignments, later
from tests.workflow.site import Site
from workflow import approvals, batches, exports, findings, lines, queries, requests
from workflow.acting import AlreadyDecided, Done, Stale
from workflow.checks import Finding, refusals
from workflow.columns import Unfit
from workflow.facts import Found, UpdateFacts
from workflow.merge import SageCode, SageJob
from workflow.privileges import Refused
from workflow.tables import DataSync, Job, RequestedUpdate, StandardCostCode
from workflow.vocabulary import Event, Outcome, Refusal, Rule, Severity, Standing, State

STRICT = replace(LIMITS, categories=frozenset({"L", "M"}), job_must_exist=True)
S_UNKNOWN = "category S is not a Standard Category in Sage: use one of L, M"


def facts(site: Site, update: RequestedUpdate) -> UpdateFacts:
    with site.database.reading() as session:
        return queries.update_facts(session, [update.id])[0]


def read_back(site: Site, held: SageJob | None = None) -> bool:
    """Sage is read, and what waits is checked against it."""
    with site.database.writing() as session:
        job = session.get_one(Job, site.job.id)
        changed = lines.store_read_back(session, job, held or site.sage.of(job), at=later(1))
        return findings.renew(session, job, limits=STRICT) or changed


def test_what_is_found_is_kept_with_the_line_that_it_is_about(site: Site) -> None:
    update = site.ask("03-300 L", "03-300 S", limits=STRICT)

    found = {line.category: line.findings for line in site.lines(update)}

    assert found == {"L": (), "S": (Finding(Rule.CATEGORY_UNKNOWN, Severity.REFUSE, S_UNKNOWN),)}
    assert (facts(site, update).found.refusing, facts(site, update).found.warning) == (1, 0)


def test_the_same_thing_about_many_lines_is_told_once(site: Site) -> None:
    update = site.ask("03-300 S", "09-250 S", "16-100 S", limits=STRICT)

    assert facts(site, update).found == Found(
        1, 0, (Finding(Rule.CATEGORY_UNKNOWN, Severity.REFUSE, S_UNKNOWN),)
    )


def test_only_the_first_findings_are_carried_but_all_are_counted(site: Site) -> None:
    codes = [f"60{n:02}" for n in range(10)]
    with site.database.writing() as session:
        session.add_all(StandardCostCode(code=code, description="Unsectioned") for code in codes)
        session.add(StandardCostCode(code="70-100", description="x" * 31))
    update = site.ask("70-100 L", *(f"{code} L" for code in codes), limits=STRICT)

    found = facts(site, update).found

    assert (found.refusing, found.warning) == (10, 1)
    assert [finding.rule for finding in found.first] == [Rule.CODE_FORMAT] * queries.FINDINGS_SHOWN
    with site.database.reading() as session:
        by_code = {code.code: code.findings for code in queries.cost_codes(session, update.id)}
    assert [finding.rule for finding in by_code["6000"]] == [Rule.CODE_FORMAT]


def test_what_sage_would_refuse_cannot_be_updated_and_the_refusal_is_on_record(site: Site) -> None:
    update = site.ask("03-300 L", "03-300 S", limits=STRICT)

    decision = site.accept(update)

    assert isinstance(decision, Refused)
    assert decision.reason is Refusal.SAGE_WOULD_REFUSE
    assert S_UNKNOWN in decision.words
    assert "reject this with a comment" in decision.words
    assert site.state(update) is State.READY
    refused = site.events()[-1]
    assert (refused.event, refused.facts["reason"]) == (Event.REFUSED, "sage_would_refuse")
    with site.database.reading() as session:
        by = actor(site.approver)
        assert approvals.why_not_update(session, update.id, by=by, rules=RULES) == decision


def test_it_can_still_be_rejected(site: Site) -> None:
    update = site.ask("03-300 S", limits=STRICT)

    assert isinstance(site.reject(update), Done)


def test_who_may_not_update_hears_that_first(site: Site) -> None:
    decision = site.accept(site.ask("03-300 S", limits=STRICT), by=site.engineer)

    assert isinstance(decision, Refused)
    assert decision.reason is Refusal.PERMISSION_TOO_LOW


def test_an_older_revision_is_stale_whatever_the_checks_say(site: Site) -> None:
    update = site.ask("03-300 S", limits=STRICT)
    site.ask("09-250 L", limits=STRICT)

    assert isinstance(site.accept(update, revision=1), Stale)


def test_a_warning_stops_nothing(site: Site) -> None:
    with site.database.writing() as session:
        session.add(StandardCostCode(code="70-100", description="x" * 31))
    update = site.ask("70-100 L", limits=STRICT)

    assert facts(site, update).found.warning == 1
    assert isinstance(site.accept(update), Done)


def test_a_job_that_sage_comes_to_know_can_be_updated(site: Site) -> None:
    site.sage.unknown.add("24-017")
    read_back(site)
    update = site.ask("03-300 L", limits=STRICT)
    assert isinstance(site.accept(update), Refused)
    site.sage.unknown.clear()

    assert read_back(site)

    assert facts(site, update).found == Found()
    assert isinstance(site.accept(update), Done)


def test_reading_the_same_again_changes_no_finding(site: Site) -> None:
    site.ask("03-300 S", limits=STRICT)

    assert read_back(site) is False


def test_an_extra_that_sage_does_not_have_is_found_where_sage_was_asked_for_extras(site: Site) -> None:
    read_back(site, SageJob("24-017", "Riverside", {}, frozenset({"CO-2"})))
    with site.database.reading() as session:
        asked = [assignments("03-300 L")[0]._replace(extra=extra) for extra in ("CO-1", "CO-2")]
        job = session.get_one(Job, site.job.id)
        looked = findings.look(session, job, asked, limits=STRICT)

    assert [[finding.rule for finding in each] for _, each in looked] == [[Rule.EXTRA_UNKNOWN], []]


def test_a_code_beyond_the_list_is_asked_for_where_the_company_allows_it_with_sage_s_description(
    site: Site,
) -> None:
    beyond = replace(STRICT, beyond_standard_list=True)
    site.sage.hold("24-017", "88-800", "Special to this job", "L")
    read_back(site)

    assert isinstance(site.try_to_ask("88-800 M", limits=STRICT), Unfit)
    update = site.ask("88-800 M", "88-900 M", limits=beyond)

    assert [line.description for line in site.lines(update)] == ["Special to this job", ""]
    assert facts(site, update).found.refusing == 0


def accepted_then_stricter(site: Site) -> tuple[RequestedUpdate, DataSync]:
    """03-300 L and S were accepted; before the data sync Sage loses category S."""
    update = site.ask("03-300 L", "03-300 S")
    site.accept(update)
    sync = site.claim()
    assert sync is not None
    site.plan(sync, limits=STRICT)
    return update, sync


def test_a_line_that_sage_would_refuse_by_the_data_sync_is_not_sent_and_says_why(site: Site) -> None:
    update, sync = accepted_then_stricter(site)

    site.read_back(sync, site.send(sync))

    assert site.state(update) is State.FAILED
    assert [(x.category, x.outcome, x.message) for x in site.lines(update)] == [
        ("L", Outcome.CREATED, None),
        ("S", Outcome.FAILED, f"Not sent: {S_UNKNOWN}."),
    ]
    assert set(site.sage.held["24-017"]["", "03-300"].categories) == {"L"}
    row = site.row(DataSync, sync.id)
    assert (row.created, row.failed) == (1, 1)


def test_planning_again_after_a_kill_counts_and_refuses_once(site: Site) -> None:
    update = site.ask("03-300 L", "03-300 S")
    site.accept(update)
    sync = site.claim()
    assert sync is not None
    with site.database.writing() as session:
        [portion] = batches.portions(session, sync)
        held = {site.job.id: site.sage.of(site.job)}
        exports.plan_jobs(session, sync, portion, held, limits=STRICT, at=NINE)
    site.plan(sync, limits=STRICT)

    assert site.row(DataSync, sync.id).failed == 1


def test_what_is_written_of_a_line_that_is_new_to_sage_by_the_plan_is_written_anew(site: Site) -> None:
    held = {("", "03-300"): SageCode("Cast-in-place concrete", frozenset({"L"}))}
    read_back(site, SageJob("24-017", "Riverside", held))
    updates = [
        site.ask("03-300 M", limits=STRICT),
        site.ask("09-250 L", job=site.another_job("24-018"), limits=replace(STRICT, description_width=3)),
    ]
    before = [(line.standing, len(line.findings)) for update in updates for line in site.lines(update)]
    for update in updates:
        site.accept(update)
    sync = site.claim()
    assert sync is not None

    site.plan(sync, limits=STRICT)

    assert before == [(Standing.NEW_CATEGORY, 0), (Standing.NEW_CODE, 1)]
    after = [line for update in updates for line in site.lines(update)]
    assert [(line.standing, line.sage_description, line.findings) for line in after] == [
        (Standing.NEW_CODE, None, ()),
        (Standing.NEW_CODE, None, ()),
    ]


def test_of_jobs_that_ask_for_the_same_each_is_checked_for_what_is_its_own(site: Site) -> None:
    jobs = [site.job, *(site.another_job(number) for number in ("24-018", "24-019", "24-020", "24-021"))]
    updates = [site.ask("03-300 L", "03-300 M", "09-250 L", job=job) for job in jobs]
    for update in updates:
        site.accept(update)
    site.sage.unknown.add("24-018")
    site.sage.hold("24-019", "03.300", "Concrete", "L")
    with site.database.writing() as session:
        session.get_one(Job, jobs[3].id).name = "日本"
    sync = site.claim()
    assert sync is not None

    site.plan(sync, limits=replace(STRICT, encoding="cp1252"))

    refused = [
        {f"{line.code} {line.category}" for line in site.lines(update) if line.outcome is Outcome.FAILED}
        for update in updates
    ]
    everything = {"03-300 L", "03-300 M", "09-250 L"}
    assert refused == [set(), everything, {"03-300 L", "03-300 M"}, everything, set()]


def test_of_jobs_that_ask_for_the_same_extra_each_is_checked_for_those_that_sage_has_of_it(
    site: Site,
) -> None:
    jobs = [site.job, site.another_job("24-018"), site.another_job("24-019")]
    has = [{"CO-1", "CO-2"}, {"CO-2"}, {"CO-1"}]
    asked = [assignments("03-300 L")[0]._replace(extra=extra) for extra in ("", "CO-1", "CO-2")]
    with site.database.writing() as session:
        results = [
            requests.request(
                session,
                job=job,
                assignments=asked,
                by=actor(site.engineer),
                at=NINE,
                rules=RULES,
                limits=LIMITS,
            )
            for job in jobs
        ]
    updates = [result.requested_update for result in results if isinstance(result, requests.Requested)]
    for update in updates:
        site.accept(update)
    sync = site.claim()
    assert sync is not None

    with site.database.writing() as session:
        [portion] = batches.portions(session, sync)
        held = {
            job.id: SageJob(job.number, job.name, {}, frozenset(extras))
            for job, extras in zip(jobs, has, strict=True)
        }
        exports.plan_jobs(session, sync, portion, held, limits=LIMITS, at=NINE)

    failed = [[line.extra for line in site.lines(each) if line.outcome] for each in updates]
    assert failed == [[], ["CO-1"], ["CO-2"]]


def test_contracts_stay_on_hold_while_a_part_was_not_sent(site: Site) -> None:
    site.hold()
    _, sync = accepted_then_stricter(site)

    site.send(sync)

    assert not site.check().free
    assert Event.HOLD_RELEASED not in site.event_names()


def test_what_failed_the_checks_whole_has_failed_without_waiting_for_an_answer(site: Site) -> None:
    update = site.ask("03-300 S")
    site.accept(update)
    sync = site.claim()
    assert sync is not None
    site.plan(sync, limits=STRICT)

    assert site.send(sync) == {}

    assert site.state(update) is State.FAILED
    assert Event.EXPORTED not in site.event_names()
    assert isinstance(site.accept(update), AlreadyDecided)


def test_asked_for_again_it_is_checked_again(site: Site) -> None:
    update, sync = accepted_then_stricter(site)
    site.read_back(sync, site.send(sync))

    site.send_again(update)

    assert facts(site, update).found.refusing == 1
    assert isinstance(site.accept(site.row(RequestedUpdate, update.id)), Refused)


def test_looking_at_what_nobody_asked_for_stores_nothing(site: Site) -> None:
    with site.database.writing() as session:
        looked = findings.look(session, site.job, assignments("03-300 S"), limits=STRICT)

    assert [refusals(each) for _, each in looked] == [[S_UNKNOWN]]
    assert site.updates() == []

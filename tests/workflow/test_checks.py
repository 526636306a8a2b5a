"""The checks before Update: each rule, what it says, and whether it stops the Update."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.checks import Finding, Format, SageLimits, Surroundings, check, refusals
from workflow.merge import Assignment, SageCode
from workflow.vocabulary import Rule, Severity

TWO_TIERS = Format((2, 4), "-", letters=False, tiers=True)
LIMITS = SageLimits(
    code_format=TWO_TIERS,
    categories=frozenset({"L", "M"}),
    encoding="cp1252",
    job_must_exist=True,
)
STANDARD = {"03-0000": "Concrete", "03-3000": "Cast-in-place", "03-3010": "Footings", "09-2500": "Drywall"}
AROUND = Surroundings(
    job_number="24-017",
    job_name="Riverside",
    standard=STANDARD,
    asked=frozenset({"03-0000", "03-3000"}),
    in_sage={},
    job_known=True,
)


def found(line: Assignment, limits: SageLimits = LIMITS, **around: Any) -> list[Finding]:
    surroundings = replace(AROUND, **around)
    [(checked, findings)] = check([line], limits, surroundings)
    assert checked == line
    return findings


def rules(line: Assignment, limits: SageLimits = LIMITS, **around: Any) -> set[tuple[Rule, Severity]]:
    return {(finding.rule, finding.severity) for finding in found(line, limits, **around)}


def with_code(code: str, description: str = "Concrete") -> dict[str, Any]:
    """A code on the standard list, so that only what is wrong with itself is found."""
    return {"standard": {**STANDARD, code: description}, "asked": frozenset({code})}


def test_a_line_without_fault_has_no_finding() -> None:
    assert found(Assignment("03-3000", "L")) == []


@pytest.mark.parametrize(
    "code", ["033000", "03-300", "3-3000", "03.3000", "03-30A0", "03-3000-1", "03-3000 ", "٠٣-٣٠٠٠"]
)
def test_a_code_of_another_format_is_refused_with_the_format(code: str) -> None:
    findings = found(Assignment(code, "L"), **with_code(code))

    assert f"cost code {code} does not fit Sage's cost code format, such as ##-####" in refusals(findings)


@pytest.mark.parametrize("code", ["03-3000", "1-A", "03.30", "03/30", "03 3000", "12-345-678"])
def test_without_a_format_any_code_in_sections_fits(code: str) -> None:
    assert rules(Assignment(code, "L"), replace(LIMITS, code_format=Format()), **with_code(code)) == set()


@pytest.mark.parametrize("code", ["033000", "-3000", "03-", "03--30", "03_30", ""])
def test_without_a_format_a_code_must_still_be_in_sections(code: str) -> None:
    limits = replace(LIMITS, code_format=Format())

    assert (Rule.CODE_FORMAT, Severity.REFUSE) in rules(Assignment(code, "L"), limits, **with_code(code))


def test_a_code_that_is_too_long_is_refused() -> None:
    limits = replace(LIMITS, code_format=Format())
    [finding] = found(Assignment("03-3000-00010", "L"), limits, **with_code("03-3000-00010"))

    assert finding == Finding(
        Rule.CODE_LENGTH,
        Severity.REFUSE,
        "cost code 03-3000-00010 has 13 characters, and Sage takes 12 at most",
    )


def test_a_code_beyond_the_standard_list_is_refused_unless_the_company_allows_it() -> None:
    line = Assignment("77-7777", "L")

    assert (Rule.CODE_NOT_STANDARD, Severity.REFUSE) in rules(line)
    allowed = rules(line, replace(LIMITS, beyond_standard_list=True))
    assert (Rule.CODE_NOT_STANDARD, Severity.REFUSE) not in allowed


def test_a_code_beyond_the_standard_list_that_the_company_allows_goes_without_a_description() -> None:
    limits = replace(LIMITS, beyond_standard_list=True, code_format=Format())
    [finding] = found(Assignment("09-9999", "L"), limits)

    assert finding.severity is Severity.WARN
    assert finding.message == (
        "cost code 09-9999 is not on the standard cost code list, and goes to Sage without a description"
    )


def test_sage_s_own_description_must_fit_the_file_only_where_the_file_repeats_it() -> None:
    line, held = Assignment("03-3000", "M"), {("", "03-3000"): SageCode("Béton 日本", frozenset({"L"}))}
    repeats = replace(LIMITS, repeats_sage_description=True)

    [refusal] = refusals(found(line, repeats, in_sage=held))

    assert refusal.endswith("cannot carry: 日 (U+65E5), 本 (U+672C)")
    assert refusals(found(line, in_sage=held)) == []


def test_a_long_description_is_shown_as_it_will_be_cut() -> None:
    text = "Cast-in-place concrete for the footings"
    [finding] = found(Assignment("03-3000", "L"), standard={**STANDARD, "03-3000": text})

    assert (finding.rule, finding.severity) == (Rule.DESCRIPTION_LENGTH, Severity.WARN)
    assert "39 characters, and goes to Sage cut to “Cast-in-place concrete for the”" in finding.message


def test_a_description_of_thirty_characters_fits() -> None:
    assert found(Assignment("03-3000", "L"), standard={**STANDARD, "03-3000": "x" * 30}) == []


@pytest.mark.parametrize("category", ["LABR", "LABOR"])
def test_a_category_that_is_too_long_is_refused(category: str) -> None:
    assert rules(Assignment("03-3000", category)) == {(Rule.CATEGORY_LENGTH, Severity.REFUSE)}


def test_a_category_that_is_not_standard_in_sage_is_refused_with_those_that_are() -> None:
    [finding] = found(Assignment("03-3000", "S"))

    assert finding.rule is Rule.CATEGORY_UNKNOWN
    assert finding.message.endswith("use one of L, M")


def test_where_sage_s_categories_are_not_known_any_that_fits_passes() -> None:
    assert found(Assignment("03-3000", "XYZ"), replace(LIMITS, categories=None)) == []


@pytest.mark.parametrize(("must_exist", "severity"), [(True, Severity.REFUSE), (False, Severity.WARN)])
def test_a_job_that_sage_does_not_know_is_named(must_exist: bool, severity: Severity) -> None:
    limits = replace(LIMITS, job_must_exist=must_exist)

    assert rules(Assignment("03-3000", "L"), limits, job_known=False) == {(Rule.JOB_UNKNOWN, severity)}
    assert found(Assignment("03-3000", "L"), limits, job_known=None) == []


def test_a_job_number_is_held_to_length_and_format() -> None:
    limits = replace(LIMITS, job_format=Format((2, 3), "-", letters=False), job_width=6)

    assert rules(Assignment("03-3000", "L"), limits, job_number="24-0170") == {
        (Rule.JOB_LENGTH, Severity.REFUSE),
        (Rule.JOB_FORMAT, Severity.REFUSE),
    }


def test_an_extra_must_be_known_to_sage_where_sage_was_asked() -> None:
    line = Assignment("03-3000", "L", "CO-1")

    assert rules(line, extras=frozenset({"CO-2"})) == {(Rule.EXTRA_UNKNOWN, Severity.REFUSE)}
    assert rules(line, extras=frozenset({"CO-1"})) == set()
    assert rules(line, extras=None) == set()
    long = Assignment("03-3000", "L", "CHANGE-ORDER")
    assert rules(long, extras=frozenset()) == {(Rule.EXTRA_LENGTH, Severity.REFUSE)}


def test_the_same_code_with_another_description_keeps_sage_s() -> None:
    held = {("", "03-3000"): SageCode("CIP concrete", frozenset({"M"}))}

    [finding] = found(Assignment("03-3000", "L"), in_sage=held)

    assert (finding.rule, finding.severity) == (Rule.DESCRIPTION_DIFFERS, Severity.WARN)
    assert "CIP concrete" in finding.message


def test_a_description_that_an_import_cut_is_no_other_one() -> None:
    held = {("", "03-3000"): SageCode("Cast-in-place", frozenset({"M"}))}
    standard = {**STANDARD, "03-3000": "Cast-in-place concrete"}

    assert (
        found(
            Assignment("03-3000", "L"), replace(LIMITS, description_width=14), in_sage=held, standard=standard
        )
        == []
    )


@pytest.mark.parametrize("twin", ["03 3000", "03.3000", "03/3000", "03 - 3000", "03-3000."])
def test_a_spelling_that_differs_only_in_what_people_type_differently_is_refused(twin: str) -> None:
    held = {("", "03-3000"): SageCode("Concrete", frozenset({"L"}))}
    limits = replace(LIMITS, code_format=Format())
    findings = found(Assignment(twin, "L"), limits, in_sage=held, **with_code(twin))

    assert [f for f in findings if f.rule is Rule.CODE_TWIN] == [
        Finding(
            Rule.CODE_TWIN,
            Severity.REFUSE,
            f"cost code {twin} differs from 03-3000 only in spacing, delimiter or letter case: "
            "use the spelling that Sage has",
        )
    ]


def test_letter_case_alone_makes_a_twin_too_and_both_of_a_request_are_named() -> None:
    limits = replace(LIMITS, code_format=Format())
    around = replace(
        AROUND, standard={"03-30a": "Concrete", "03-30A": "Concrete"}, asked=frozenset({"03-30a", "03-30A"})
    )

    checked = check([Assignment("03-30a", "L"), Assignment("03-30A", "L")], limits, around)

    assert [[f.rule for f in findings] for _, findings in checked] == [[Rule.CODE_TWIN], [Rule.CODE_TWIN]]


def test_codes_of_other_sections_are_no_twins() -> None:
    held = {("", "03-300"): SageCode("Concrete", frozenset({"L"}))}
    limits = replace(LIMITS, code_format=Format())

    assert rules(Assignment("033-00", "L"), limits, in_sage=held, **with_code("033-00")) == set()


@pytest.mark.parametrize(
    ("around", "named"),
    [
        ({"job_name": "Riverside 日本"}, "日 (U+65E5), 本 (U+672C)"),
        ({"standard": {**STANDARD, "03-3000": "Concrete\tpour"}}, "(U+0009)"),
        ({"standard": {**STANDARD, "03-3000": "Zażółć"}}, "ć (U+0107), ł (U+0142), ż (U+017C)"),
    ],
)
def test_characters_that_the_file_cannot_carry_are_named(around: dict[str, Any], named: str) -> None:
    [finding] = found(Assignment("03-3000", "L"), **around)

    assert (finding.rule, finding.severity) == (Rule.ENCODING, Severity.REFUSE)
    assert finding.message.endswith(f"cannot carry: {named}")


def test_a_character_that_is_cut_off_is_not_carried() -> None:
    standard = {**STANDARD, "03-3000": f"{'x' * 30}日本"}

    assert rules(Assignment("03-3000", "L"), job_name=f"{'x' * 30}日", standard=standard) == {
        (Rule.DESCRIPTION_LENGTH, Severity.WARN)
    }


def test_without_a_file_any_character_goes() -> None:
    assert found(Assignment("03-3000", "L"), replace(LIMITS, encoding=None), job_name="日本") == []


def test_a_tiered_code_without_its_parent_is_said() -> None:
    line = Assignment("03-3010", "L")

    assert rules(line, asked=frozenset({"03-3010"})) == {(Rule.PARENT_MISSING, Severity.WARN)}
    assert rules(line, asked=frozenset({"03-3010", "03-0000"})) == set()
    held = {("", "03-0000"): SageCode("Concrete", frozenset())}
    assert rules(line, asked=frozenset({"03-3010"}), in_sage=held) == set()


def test_the_parent_of_a_code_has_zeros_in_its_last_section_that_has_none() -> None:
    three = Format((2, 3, 2), "-", tiers=True)

    assert three.parent("03-300-10") == "03-300-00"
    assert three.parent("03-300-00") == "03-000-00"
    assert three.parent("03-000-00") is None
    assert Format((2, 3), "-").parent("03-300") is None


def test_of_what_sage_holds_nothing_is_sent_so_nothing_is_refused() -> None:
    held = {("", "bad code"): SageCode("As Sage calls it", frozenset({"WIDE"}))}

    assert found(Assignment("bad code", "WIDE"), in_sage=held, job_known=False) == []


_codes = st.text(st.sampled_from("03-./ aA"), min_size=1, max_size=14)
_lines = st.lists(st.builds(Assignment, _codes, st.sampled_from(["L", "M", "S", "LABR"])), max_size=8)


@given(
    lines=_lines,
    held=st.dictionaries(st.tuples(st.just(""), _codes), st.just(SageCode("Held", frozenset("L")))),
)
def test_every_line_is_judged_once_by_each_rule_and_alone_as_among_others(
    lines: list[Assignment], held: dict[tuple[str, str], SageCode]
) -> None:
    around = replace(AROUND, in_sage=held, asked=frozenset(line.code for line in lines))

    together = list(check(lines, LIMITS, around))

    assert [line for line, _ in together] == lines
    for line, findings in together:
        assert len({finding.rule for finding in findings}) == len(findings)
        assert list(check([line], LIMITS, around)) == [(line, findings)]
        assert all(finding.message for finding in findings)

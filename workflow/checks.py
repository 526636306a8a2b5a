"""What Sage 300 CRE would refuse or change, told before anybody clicks Update.

Pure rules over one assignment, the limits of the company's Sage, and what surrounds the
assignment. A rule that refuses stops the Update; a rule that warns only says so.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TypeVar

from workflow.language import later
from workflow.merge import Asked, CodeKey, InSage, SageCode
from workflow.vocabulary import Rule, Severity

DELIMITERS = "-./ "
"""What may stand between the sections of a cost code or job number."""
_Asked = TypeVar("_Asked", bound=Asked)
_KEPT_TEXTS = 1 << 16
"""The same cost codes and descriptions are looked at for every job of a data sync."""
_TO_SPACES = str.maketrans(DELIMITERS, " " * len(DELIMITERS))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know about a line before Update; `message` says what a person can do."""

    rule: Rule
    severity: Severity
    message: str


@dataclass(frozen=True, slots=True)
class Format:
    """How cost codes or job numbers are written: the sections' lengths and what stands between them.

    No sections means any number of them, two at least. With `tiers`, a code hangs under the code
    that has zeros in place of its last section that is not zeros: 03-3000 under 03-0000.
    """

    sections: tuple[int, ...] = ()
    delimiters: str = DELIMITERS
    letters: bool = True
    tiers: bool = False

    def fits(self, text: str) -> bool:
        """Whether the whole text is written so."""
        return _compiled(self).fullmatch(text) is not None

    @property
    def shape(self) -> str:
        """The format as Sage 300 CRE's set-up shows it, such as `##-####`."""
        return self.delimiters[0].join("#" * length for length in self.sections or (2, 4))

    def parent(self, code: str) -> str | None:
        """The code that a tiered code hangs under, or None for a code of the first tier."""
        if not self.tiers:
            return None
        parts = re.split(f"([{re.escape(self.delimiters)}])", code)
        for place in range(len(parts) - 1, 0, -2):
            if parts[place].strip("0"):
                return "".join([*parts[:place], "0" * len(parts[place]), *parts[place + 1 :]])
        return None


@lru_cache
def _compiled(written: Format) -> re.Pattern[str]:
    one = "[0-9A-Za-z]" if written.letters else "[0-9]"
    between = f"[{re.escape(written.delimiters)}]"
    if not written.sections:
        return re.compile(f"{one}+(?:{between}{one}+)+")
    return re.compile(between.join(f"{one}{{{length}}}" for length in written.sections))


@dataclass(frozen=True, slots=True)
class SageLimits:
    """What the company's Sage takes; widths in characters.

    Sources: cost code 12 (Sage Estimating, 'Setting up gold'); description 30 and category 3
    (Sage Estimating, category transaction); extra 10 (Quick Bid); job 10 is not published. A code
    needs a delimiter (Procore, 'Which cost code formats are supported'). `categories` are Sage's
    Standard Categories, None where costbot was not told them; `encoding` is that of the import
    file, None where there is no file. An import creates a job that Sage does not have, so
    `job_must_exist` keeps a mistyped number out. With `repeats_sage_description` the file has Sage's own
    description of a code that Sage has.
    """

    code_format: Format = field(default_factory=Format)
    job_format: Format | None = None
    code_width: int = 12
    job_width: int = 10
    extra_width: int = 10
    description_width: int = 30
    category_width: int = 3
    categories: frozenset[str] | None = None
    encoding: str | None = None
    job_must_exist: bool = False
    beyond_standard_list: bool = False
    repeats_sage_description: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an assignment is checked against.

    `standard` has the description by code of the standard list, `asked` every code that is asked
    for. `job_known` and `extras` are None where Sage was not asked.
    """

    job_number: str
    job_name: str
    standard: Mapping[str, str]
    asked: Collection[str]
    in_sage: InSage
    job_known: bool | None = None
    extras: frozenset[str] | None = None


def check(
    assignments: Iterable[_Asked], limits: SageLimits, around: Surroundings
) -> Iterator[tuple[_Asked, list[Finding]]]:
    """Each assignment with what the rules find, in the order given; a rule finds one thing at most."""
    twins = _twins({code for _, code in around.in_sage} | set(around.asked))

    # a request may have 100,000 lines, and few different extras, categories and codes: each is looked at once
    @cache
    def of_job(extra: str) -> list[Finding]:
        return list(_of_job(extra, limits, around))

    @cache
    def of_category(category: str) -> list[Finding]:
        return list(_of_category(category, limits))

    of_new_code = _of_new_code(limits)
    job_texts = (around.job_number, cut_to(around.job_name, limits.description_width))
    of_job_unwritable = _unwritable(job_texts, limits.encoding)

    @cache
    def of_code(key: CodeKey) -> tuple[SageCode | None, tuple[Finding, ...], tuple[Finding, ...]]:
        extra, code = key
        held, asked = around.in_sage.get(key), around.standard.get(code)
        sent = [] if held else [*of_new_code(code, asked), *_of_neighbours(key, limits, around, twins)]
        texts = (extra, code, _sent_description(held, asked, limits))
        unwritable = of_job_unwritable + _unwritable(texts, limits.encoding)
        if unwritable and limits.encoding is not None:
            sent.append(_of_encoding(code, unwritable, limits.encoding))
        kept = _of_kept_description(code, held.description, asked, limits) if held else ()
        return held, tuple(sent), tuple(kept)

    for assignment in assignments:
        code, category, extra = assignment
        held, sent, kept = of_code((extra, code))
        if held is not None and category in held.categories:  # nothing of it is sent
            yield assignment, [*kept]
        else:
            yield assignment, [*of_job(extra), *of_category(category), *sent, *kept]


def refusals(findings: Iterable[Finding]) -> list[str]:
    """The messages of the findings that stop the Update."""
    return [finding.message for finding in findings if finding.severity is Severity.REFUSE]


def _sent_description(held: SageCode | None, asked: str | None, limits: SageLimits) -> str:
    """The description that a code goes to Sage with."""
    if held is None:
        return cut_to(asked or "", limits.description_width)
    return held.description if limits.repeats_sage_description else ""


def _of_kept_description(code: str, kept: str, asked: str | None, limits: SageLimits) -> Iterator[Finding]:
    if asked is not None and kept not in (asked, cut_to(asked, limits.description_width)):
        yield _warn(
            Rule.DESCRIPTION_DIFFERS,
            later("cost code {code}: Sage keeps its own “{description}”", code=code, description=kept),
        )


def _of_job(extra: str, limits: SageLimits, around: Surroundings) -> Iterator[Finding]:
    number = around.job_number
    if len(number) > limits.job_width:
        words = later(
            "job {job} has {length} characters, and Sage takes {width} at most",
            job=number,
            length=len(number),
            width=limits.job_width,
        )
        yield _refuse(Rule.JOB_LENGTH, words)
    if limits.job_format is not None and not limits.job_format.fits(number):
        yield _refuse(
            Rule.JOB_FORMAT,
            later(
                "job {number} does not fit Sage's job format {shape}",
                number=number,
                shape=limits.job_format.shape,
            ),
        )
    if around.job_known is False:
        severity = Severity.REFUSE if limits.job_must_exist else Severity.WARN
        yield Finding(
            Rule.JOB_UNKNOWN,
            severity,
            later(
                "Sage has no job {number}, and an import would create it: set it up, or correct its number",
                number=number,
            ),
        )
    if len(extra) > limits.extra_width:
        words = later(
            "extra {extra} has {length} characters, and Sage takes {width} at most",
            extra=extra,
            length=len(extra),
            width=limits.extra_width,
        )
        yield _refuse(Rule.EXTRA_LENGTH, words)
    elif extra and around.extras is not None and extra not in around.extras:
        yield _refuse(
            Rule.EXTRA_UNKNOWN,
            later(
                "job {number} has no extra {extra} in Sage: set up the sub job there",
                number=number,
                extra=extra,
            ),
        )


def _of_neighbours(
    key: CodeKey, limits: SageLimits, around: Surroundings, twins: Mapping[str, Sequence[str]]
) -> Iterator[Finding]:
    """What is found of a new code beside those that its job has or is to have."""
    extra, code = key
    others = twins.get(code)
    if others:
        yield _refuse(
            Rule.CODE_TWIN,
            later(
                "cost code {code} differs from {others} only in spacing, delimiter or letter case: use "
                "the spelling that Sage has",
                code=code,
                others=", ".join(others),
            ),
        )
    parent = limits.code_format.parent(code)
    if parent and (extra, parent) not in around.in_sage and parent not in around.asked:
        yield _warn(
            Rule.PARENT_MISSING,
            later(
                "cost code {code}: its parent code {parent} is neither in Sage nor asked for",
                code=code,
                parent=parent,
            ),
        )


@lru_cache
def _of_new_code(limits: SageLimits) -> Callable[[str, str | None], Sequence[Finding]]:
    """What is found of a new code in any job, by the code and its standard description, if it has one."""

    @lru_cache(_KEPT_TEXTS)
    def found(code: str, asked: str | None) -> Sequence[Finding]:
        return tuple(_of_code_itself(code, asked, limits))

    return found


def _of_code_itself(code: str, asked: str | None, limits: SageLimits) -> Iterator[Finding]:
    if len(code) > limits.code_width:
        words = later(
            "cost code {code} has {length} characters, and Sage takes {width} at most",
            code=code,
            length=len(code),
            width=limits.code_width,
        )
        yield _refuse(Rule.CODE_LENGTH, words)
    if not limits.code_format.fits(code):
        yield _refuse(
            Rule.CODE_FORMAT,
            later(
                "cost code {code} does not fit Sage's cost code format, such as {shape}",
                code=code,
                shape=limits.code_format.shape,
            ),
        )
    if asked is None:
        if limits.beyond_standard_list:
            yield _warn(
                Rule.CODE_NOT_STANDARD,
                later(
                    "cost code {code} is not on the standard cost code list, and goes to Sage without a "
                    "description",
                    code=code,
                ),
            )
        else:
            yield _refuse(
                Rule.CODE_NOT_STANDARD,
                later(
                    "cost code {code} is not on the standard cost code list: create it in Sage first",
                    code=code,
                ),
            )
    description = asked or ""
    if len(description) > limits.description_width:
        cut = cut_to(description, limits.description_width)
        yield _warn(
            Rule.DESCRIPTION_LENGTH,
            later(
                "cost code {code}: the description has {count} characters, and goes to Sage cut to “{cut}”",
                code=code,
                count=len(description),
                cut=cut,
            ),
        )


def _of_category(category: str, limits: SageLimits) -> Iterator[Finding]:
    if len(category) > limits.category_width:
        words = later(
            "category {category} has {length} characters, and Sage takes {width} at most",
            category=category,
            length=len(category),
            width=limits.category_width,
        )
        yield _refuse(Rule.CATEGORY_LENGTH, words)
    elif limits.categories is not None and category not in limits.categories:
        known = ", ".join(sorted(limits.categories))
        yield _refuse(
            Rule.CATEGORY_UNKNOWN,
            later(
                "category {category} is not a Standard Category in Sage: use one of {known}",
                category=category,
                known=known,
            ),
        )


def _of_encoding(code: str, unwritable: Iterable[str], encoding: str) -> Finding:
    strange = sorted({c for c in "".join(unwritable) if not can_be_written(c, encoding)})
    shown = ", ".join(f"{c if c.isprintable() else ''} (U+{ord(c):04X})".strip() for c in strange)
    return _refuse(
        Rule.ENCODING,
        later(
            "cost code {code}: the code, its description or the job's name has characters that "
            "Sage's file cannot carry: {shown}",
            code=code,
            shown=shown,
        ),
    )


@lru_cache(_KEPT_TEXTS)
def _unwritable(texts: tuple[str, ...], encoding: str | None) -> tuple[str, ...]:
    """Those of the texts that the import file cannot carry, where there is one."""
    if encoding is None:
        return ()
    return tuple(text for text in texts if not can_be_written(text, encoding))


def cut_to(description: str, width: int) -> str:
    """A description as it fits Sage's field."""
    return description[:width].rstrip()


@lru_cache(_KEPT_TEXTS)
def can_be_written(text: str, encoding: str) -> bool:
    """Whether the import file can carry a text."""
    if not text.isprintable():
        return False
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _twins(codes: Iterable[str]) -> dict[str, list[str]]:
    """The others that are spelt like a code, by each code that has any."""
    spelled = {code: _spelling(code) for code in codes}
    if len(set(spelled.values())) == len(spelled):
        return {}
    alike: dict[str, list[str]] = {}
    for code in sorted(spelled):
        alike.setdefault(spelled[code], []).append(code)
    return {
        code: [other for other in group if other != code]
        for group in alike.values()
        if len(group) > 1
        for code in group
    }


@lru_cache(_KEPT_TEXTS)
def _spelling(code: str) -> str:
    """A code without what people type differently: letter case, delimiter, spacing."""
    return "-".join(filter(None, code.casefold().translate(_TO_SPACES).split(" ")))


def _refuse(rule: Rule, message: str) -> Finding:
    return Finding(rule, Severity.REFUSE, message)


def _warn(rule: Rule, message: str) -> Finding:
    return Finding(rule, Severity.WARN, message)

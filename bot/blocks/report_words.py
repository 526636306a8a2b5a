"""A report in sentences: what its chart shows, for whoever reads it, hears it or cannot see pictures.

Pure functions of figures; plain text, with the data as it is stored.
"""

from collections.abc import Iterator

from workflow.language import plural, say
from workflow.report import Pair, Report, Waiting

_FEW = 3


def report_title(report: Report) -> str:
    """What the report is about."""
    return say(
        "Cost code updates from {since:%Y-%m-%d} to {until:%Y-%m-%d}", since=report.since, until=report.until
    )


def report_words(report: Report) -> list[str]:
    """The report in a few sentences, the most telling first."""
    return list(_sentences(report))


def hours_words(hours: float) -> str:
    """`25 minutes`, `3.5 hours`, `2.1 days`."""
    if hours < 1:
        return plural("{n:,} minute", "{n:,} minutes", round(hours * 60))
    if hours < 48:
        return say("{hours:.1f} hours", hours=hours)
    return say("{hours:.1f} days", hours=hours / 24)


def pair_words(pair: Pair) -> str:
    """Whose requests waited on whom."""
    return say(
        "{updated_by} updated {requests} of {requested_by}, half of them within {hours_words}.",
        updated_by=pair.updated_by,
        requests=plural("{n:,} request", "{n:,} requests", pair.updates),
        requested_by=pair.requested_by,
        hours_words=hours_words(pair.median),
    )


def waiting_now_words(waiting: Waiting) -> str:
    """Who waits for an approver now."""
    return say(
        "{requested_by} waits for {jobs}, the oldest since {oldest:%Y-%m-%d %H:%M} UTC.",
        requested_by=waiting.requested_by,
        jobs=plural("{n:,} job", "{n:,} jobs", waiting.jobs),
        oldest=waiting.oldest,
    )


def _sentences(report: Report) -> Iterator[str]:
    waits = report.waits
    yield (
        say(
            "{requests} came, {updates:,} updated, {rejected:,} rejected.",
            requests=plural("{n:,} request", "{n:,} requests", report.requested),
            updates=waits.updates,
            rejected=report.rejected,
        )
    )
    if waits.median is not None and waits.ninth_decile is not None:
        yield (
            say(
                "Half of the Updates came within {hours_words} of the request, nine out of ten within "
                "{hours_words_2}.",
                hours_words=hours_words(waits.median),
                hours_words_2=hours_words(waits.ninth_decile),
            )
        )
    if report.failures:
        lines = sum(failure.lines for failure in report.failures)
        yield say(
            "Sage refused {lines}, most of them for: {reason}",
            lines=plural("{n:,} line", "{n:,} lines", lines),
            reason=say(report.failures[0].reason),
        )
    yield from map(pair_words, report.pairs[:_FEW])
    yield from map(waiting_now_words, report.waiting[:_FEW])

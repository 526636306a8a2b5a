"""A report in sentences: what its chart shows, for whoever reads it, hears it or cannot see pictures.

Pure functions of figures; plain text, with the data as it is stored.
"""

from collections.abc import Iterator

from bot.blocks.words import counted
from workflow.report import Pair, Report, Waiting

_FEW = 3


def report_title(report: Report) -> str:
    """What the report is about."""
    return f"Cost code updates from {report.since:%Y-%m-%d} to {report.until:%Y-%m-%d}"


def report_words(report: Report) -> list[str]:
    """The report in a few sentences, the most telling first."""
    return list(_sentences(report))


def hours_words(hours: float) -> str:
    """`25 minutes`, `3.5 hours`, `2.1 days`."""
    if hours < 1:
        return counted(round(hours * 60), "minute")
    if hours < 48:
        return f"{hours:.1f} hours"
    return f"{hours / 24:.1f} days"


def pair_words(pair: Pair) -> str:
    """Whose requests waited on whom."""
    return (
        f"{pair.updated_by} updated {counted(pair.updates, 'request')} of {pair.requested_by}, "
        f"half of them within {hours_words(pair.median)}."
    )


def waiting_now_words(waiting: Waiting) -> str:
    """Who waits for an approver now."""
    return (
        f"{waiting.requested_by} waits for {counted(waiting.jobs, 'job')}, "
        f"the oldest since {waiting.oldest:%Y-%m-%d %H:%M} UTC."
    )


def _sentences(report: Report) -> Iterator[str]:
    waits = report.waits
    yield (
        f"{counted(report.requested, 'request')} came, {waits.updates:,} updated, "
        f"{report.rejected:,} rejected."
    )
    if waits.median is not None and waits.ninth_decile is not None:
        yield (
            f"Half of the Updates came within {hours_words(waits.median)} of the request, "
            f"nine out of ten within {hours_words(waits.ninth_decile)}."
        )
    if report.failures:
        lines = sum(failure.lines for failure in report.failures)
        yield f"Sage refused {counted(lines, 'line')}, most of them for: {report.failures[0].reason}"
    yield from map(pair_words, report.pairs[:_FEW])
    yield from map(waiting_now_words, report.waiting[:_FEW])

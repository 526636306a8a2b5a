"""`/costcodes report`: the figures in words, and the chart and a CSV file in the asker's direct message.

The direct message, and not where the command was typed: a report names people and how long they took, and
costbot need not be in that conversation. Files that were not shared are seen by nobody, so only the last
call could leave something half told; it is made once.
"""

import structlog

from bot.blocks import notices
from bot.blocks.notices import Files
from bot.blocks.report_words import report_title, report_words
from bot.report_files import upload
from bot.slack_answers import RateLimited, SlackError, SlackUnavailable
from bot.visit import Visit
from workflow.report import Period, Report
from workflow.report import report as read_report

_log = structlog.get_logger()


def run(visit: Visit, period: Period) -> None:
    """Send the report of the period that ends now to whoever asks."""
    with visit.reading() as session:
        found = read_report(session, period, until=visit.now)
    # Slack may deliver a command twice, and the files are to come once
    visit.check(lambda *_: None)
    visit.tell(notices.report(report_title(found), report_words(found), _send(visit, found)))


def _send(visit: Visit, found: Report) -> Files:
    gateway = visit.services.gateway
    try:
        files = upload(gateway, found)
        channel = gateway.open_direct_message(visit.interaction.user_id)
    except (RateLimited, SlackUnavailable) as error:
        _log.info("a report went out in words only", error=str(error))
        return Files.LATER
    except SlackError as error:
        _log.warning("Slack takes no files: reports are in words", error=str(error))
        return Files.REFUSED
    try:
        gateway.share_files(channel, files.titles, text=files.text)
    except RateLimited:
        return Files.LATER
    except SlackUnavailable as error:
        _log.info("whether a report's files arrived is unknown", error=str(error))
        return Files.UNKNOWN
    except SlackError as error:
        _log.warning("Slack shows no files: reports are in words", error=str(error))
        return Files.REFUSED
    return Files.SENT

"""The weekly report to the channel: with chart and CSV file, in words where Slack takes no files."""

import structlog

from bot import report_files
from bot.blocks import notices
from bot.blocks.report_words import report_title, report_words
from bot.delivery.channel import Channel
from bot.delivery.outcomes import Outcomes
from bot.gateway import Gateway
from bot.posting import Poster
from bot.report_files import ReportFiles
from bot.slack_answers import SlackRefused
from workflow import messages
from workflow.database import Database
from workflow.report import Period, Report
from workflow.report import report as read_report
from workflow.tables import OutboxNotice

_log = structlog.get_logger()


class Reports:
    """Tells the channel of a week."""

    def __init__(
        self,
        database: Database,
        gateway: Gateway,
        poster: Poster,
        channel: Channel,
        outcomes: Outcomes,
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._poster = poster
        self._channel = channel
        self._outcomes = outcomes

    def tell(self, notice: OutboxNotice) -> None:
        """Tell the channel of a week, with chart and CSV file; in words where Slack takes no files."""
        try:
            with self._database.reading() as session:
                found = read_report(session, Period.WEEK, until=notice.created_at)
            channel = self._channel.to_post_in()
            if not self._shared_with_files(notice, found, channel):
                message = notices.channel_report(report_title(found), report_words(found))
                self._poster.put(messages.report_key(notice.id), channel, message)
            self._outcomes.done([notice])
            self._channel.took(channel)
        except SlackRefused as refused:
            self._channel.refused(refused)
            self._outcomes.failed(refused, [notice])
        except Exception as error:  # noqa: BLE001 - whatever ails one notice, the others go on
            self._outcomes.failed(error, [notice])

    def _shared_with_files(self, notice: OutboxNotice, found: Report, channel: str) -> bool:
        """Whether the report stands in the channel with its files; False where it has to be in words."""
        with self._database.reading() as session:
            words_begun = messages.find(session, messages.report_key(notice.id)) is not None
        # files go to a channel by its id alone
        if words_begun or channel.startswith("#"):
            return False

        def show(files: ReportFiles) -> None:
            self._gateway.share_files(channel, files.titles, text=files.text)

        key, name = messages.report_files_key(notice.id), report_files.file_name(found, "csv")
        try:
            self._poster.share(key, channel, name, lambda: report_files.upload(self._gateway, found), show)
        except SlackRefused as refused:
            if refused.is_channel_problem or refused.is_without_token:
                raise
            _log.warning("Slack takes no files: the weekly report is in words", error=str(refused))
            return False
        return True

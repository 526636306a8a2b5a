"""costbot's scheduler as it is, but for data syncs every few seconds: the setting knows minutes.

So what a fault leaves behind goes through by the schedule alone. It runs in place of `costbot scheduler`.
"""

import sys

from bot.commands.command import CommandLine
from bot.commands.running import ready_to_run
from bot.processes import end_when_closed
from sync.worker import run_scheduler
from workflow.settings import read_settings

EVERY_SECONDS = 10
PROGRAM = (sys.executable, "-P", __file__)

if __name__ == "__main__":
    end_when_closed(sys.stdin.fileno())
    # croniter takes seconds as a sixth field
    often = read_settings().model_copy(update={"sync_cron": f"* * * * * */{EVERY_SECONDS}"})
    CommandLine(often).start_logs(process="scheduler")
    with ready_to_run(often):
        run_scheduler(often)

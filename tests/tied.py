"""`costbot …` that stops when its standard input closes, which the death of whoever started it does too."""

import runpy
import sys

from bot.processes import end_when_closed

if __name__ == "__main__":
    end_when_closed(sys.stdin.fileno())
    runpy.run_module("bot.cli", run_name="__main__")

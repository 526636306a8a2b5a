"""`python -m benchmarks.profiled`: a thousand clicks on Update, one after the other, for a profiler to watch.

`make profile` draws where their time goes. It measures nothing by itself.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.company import Company, sqlite_url
from benchmarks.measure import SHORT
from benchmarks.slack import Costbot, update_click

_CLICKS = 1_000
_APPROVER = 1


def main() -> None:
    """Click on jobs of a company on SQLite, a different one each time."""
    with tempfile.TemporaryDirectory(prefix="costbot-profile-") as folder:
        sizes = replace(SHORT, jobs=_CLICKS, lines_a_job=4)
        company = Company("SQLite", sqlite_url(Path(folder), "profiled"), sizes, lines=0)
        company.found()
        company.ask(_CLICKS)
        with Costbot(company.url) as costbot:
            for job in company.ready():
                costbot.send(update_click(_APPROVER, *job))
                costbot.committed()
                costbot.shown()


if __name__ == "__main__":
    main()

"""The sample company, Kestrel Builders: where its files lie, and its people as a Slack workspace.

The files are real input: the demo and the tests hand them to the same commands that a customer uses.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.workspace import User, Workspace

FOLDER = Path(__file__).parent / "sample"
STANDARD_CODES = FOLDER / "standard_codes.csv"
CATEGORIES = FOLDER / "categories.csv"
PEOPLE = FOLDER / "people.csv"
JOBS = FOLDER / "jobs.csv"
SAGE = FOLDER / "sage.csv"
"""What Sage holds already."""
SAGE_CATEGORIES = FOLDER / "sage_categories.csv"
"""Sage's own Standard Categories; `CW` of CATEGORIES is not among them."""
HOLDS = FOLDER / "holds.csv"
SLACK_USERS = FOLDER / "slack_users.json"

APPROVER = "dana.whitfield@kestrelbuilders.example"
SECOND_APPROVER = "marcus.oyelaran@kestrelbuilders.example"
SPANISH_APPROVER = "lucia.herrera@kestrelbuilders.example"
"""She has set Slack to Spanish."""
ADMIN_WITHOUT_PRIVILEGE = "priya.raman@kestrelbuilders.example"
PROJECT_ENGINEER = "tom.beckett@kestrelbuilders.example"
GUEST = "grace@lindqvistarchitects.example"


@dataclass(frozen=True)
class Request:
    """A requested update of the sample company: the job and the file with its lines."""

    job: str
    path: Path


def requests() -> list[Request]:
    """The sample requests, in order of job number."""
    return [Request(path.stem, path) for path in sorted((FOLDER / "requests").glob("*.csv"))]


def slack_users() -> list[User]:
    """The six people of the company's Slack workspace."""
    return [User(**user) for user in json.loads(SLACK_USERS.read_text(encoding="utf-8"))]


def workspace() -> Workspace:
    """A fresh Slack workspace with the company's people in it."""
    return Workspace(slack_users())

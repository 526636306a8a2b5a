"""Every setting of costbot: a class for each room of the house, joined in `Settings`, and how they are read.

Nothing here looks at the world beyond the environment, `.env` and the files that these name.
"""

from workflow.settings.procore import ProcoreIntake, Source
from workflow.settings.reading import (
    Settings,
    SettingsError,
    company_path,
    read_file,
    read_host,
    read_settings,
    unknown_names,
)
from workflow.settings.sage import SageTarget
from workflow.settings.slack import BURST

__all__ = [
    "BURST",
    "ProcoreIntake",
    "SageTarget",
    "Settings",
    "SettingsError",
    "Source",
    "company_path",
    "read_file",
    "read_host",
    "read_settings",
    "unknown_names",
]

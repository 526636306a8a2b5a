"""The ways to a Sage 300 CRE company, and which of them the settings choose."""

from sync.sage.company import SageCompany
from sync.sage.embedded import EmbeddedSage
from workflow.settings import Settings


def open_company(settings: Settings) -> SageCompany:
    """The Sage company that data syncs go to."""
    return embedded_company(settings)


def embedded_company(settings: Settings) -> EmbeddedSage:
    """The embedded Sage company in the data folder, which `costbot sage load` fills."""
    return EmbeddedSage(settings.data_dir.absolute() / "sage.db")

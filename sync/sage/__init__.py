"""The ways to a Sage 300 CRE company, and which of them the settings choose."""

from pathlib import Path
from typing import TYPE_CHECKING

from sync.sage.company import SageCompany
from sync.sage.embedded import EmbeddedSage
from sync.sage.profile import ProfileError, SageProfile, read_profile
from workflow.settings import SageTarget, Settings, SettingsError

if TYPE_CHECKING:
    from sync.sage.import_file import Reader


def open_company(settings: Settings) -> SageCompany:
    """The Sage company that data syncs go to.

    Raises:
        SettingsError: the Sage profile cannot be used.
    """
    if settings.sage is SageTarget.EMBEDDED:
        return embedded_company(settings)
    # imported here, for the command line is slow enough
    from sync.sage.import_file import ImportFileCompany

    if settings.sage_folder is None:
        raise SettingsError("COSTBOT_SAGE_FOLDER is missing: set the folder that import files go to.")
    profile = company_profile(settings)
    return ImportFileCompany(settings.sage_folder.absolute(), profile, _reader(settings, profile))


def set_up_folders(settings: Settings) -> list[Path]:
    """Make the folders of the import files that are missing; returns them.

    Raises:
        SettingsError: files are not how Sage is reached.
        OSError: they cannot be made.
    """
    if settings.sage_folder is None:
        raise SettingsError("COSTBOT_SAGE_FOLDER is missing: set the folder that import files go to.")
    from sync.sage.folders import Folders

    return Folders.under(settings.sage_folder.absolute()).set_up()


def standard_cost_codes(settings: Settings) -> dict[str, str] | None:
    """Description by code of Sage's standard cost code list, where Sage can be asked for it: by ODBC.

    Raises:
        SageUnreachableError: Sage did not answer.
    """
    if settings.sage_odbc is None:
        return None
    from sync.sage.odbc import OdbcReader

    return OdbcReader(settings.sage_odbc.get_secret_value(), company_profile(settings)).standard_cost_codes()


def _reader(settings: Settings, profile: SageProfile) -> "Reader":
    if settings.sage_odbc is not None:
        from sync.sage.odbc import OdbcReader

        return OdbcReader(settings.sage_odbc.get_secret_value(), profile)
    from sync.sage.export_file import ExportReader

    if settings.sage_export is None:
        raise SettingsError("COSTBOT_SAGE_ODBC and COSTBOT_SAGE_EXPORT are both missing: set one.")
    return ExportReader(settings.sage_export.absolute(), encoding=profile.file.encoding)


def embedded_company(settings: Settings) -> EmbeddedSage:
    """The embedded Sage company in the data folder, which `costbot sage load` fills.

    It takes the limits of the profile, where there is one.
    """
    limits = company_profile(settings).limits if settings.sage_profile else None
    return EmbeddedSage(settings.data_dir.absolute() / "sage.db", limits)


def company_profile(settings: Settings) -> SageProfile:
    """The company's Sage profile; without one, the defaults.

    Raises:
        SettingsError: it cannot be used.
    """
    if settings.sage_profile is None:
        return SageProfile()
    try:
        return read_profile(settings.sage_profile)
    except ProfileError as error:
        raise SettingsError(str(error)) from None

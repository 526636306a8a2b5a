"""How Sage 300 CRE is reached."""

from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings


class SageTarget(StrEnum):
    """How costbot reaches Sage 300 CRE."""

    EMBEDDED = "embedded"
    IMPORT_FILE = "import-file"


class SageSettings(BaseSettings):
    """How Sage 300 CRE is reached."""

    sage: SageTarget = Field(
        SageTarget.EMBEDDED,
        validation_alias="COSTBOT_SAGE",
        description="`embedded`: a Sage company of costbot's own, for trials. `import-file`: Sage 300 CRE.",
    )
    sage_profile: Path | None = Field(
        None,
        validation_alias="COSTBOT_SAGE_PROFILE",
        description="TOML file with the company's Job Cost set-up (`costbot sage profile --example`).",
    )
    sage_folder: Path | None = Field(
        None,
        validation_alias="COSTBOT_SAGE_FOLDER",
        description="Folder shared with the accountant: `outgoing`, `rejected` and `done` are made in it.",
    )
    sage_odbc: SecretStr | None = Field(
        None,
        repr=False,
        validation_alias="COSTBOT_SAGE_ODBC",
        description="ODBC connection string of the Timberline data source, for reading Sage back.",
    )
    sage_export: Path | None = Field(
        None,
        validation_alias="COSTBOT_SAGE_EXPORT",
        description="CSV export of Job Cost, for reading Sage back without ODBC.",
    )

    @model_validator(mode="after")
    def _sage_can_be_reached(self) -> "SageSettings":
        if self.sage is SageTarget.IMPORT_FILE:
            if self.sage_folder is None:
                raise ValueError("COSTBOT_SAGE=import-file needs COSTBOT_SAGE_FOLDER, for the import files.")
            if self.sage_odbc is None and self.sage_export is None:
                raise ValueError(
                    "COSTBOT_SAGE=import-file needs COSTBOT_SAGE_ODBC or COSTBOT_SAGE_EXPORT, to read back "
                    "what Sage holds."
                )
            if self.sage_odbc is not None and self.sage_export is not None:
                raise ValueError("COSTBOT_SAGE_ODBC and COSTBOT_SAGE_EXPORT are both set: remove one.")
        else:
            for name, value in (
                ("COSTBOT_SAGE_FOLDER", self.sage_folder),
                ("COSTBOT_SAGE_ODBC", self.sage_odbc),
                ("COSTBOT_SAGE_EXPORT", self.sage_export),
            ):
                if value is not None:
                    raise ValueError(f"{name} is set but not used: set COSTBOT_SAGE=import-file too.")
        return self

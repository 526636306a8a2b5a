"""A backup of a database and its restore, as docs/backup.md has them for each engine."""

import shutil
import subprocess
from pathlib import Path

from tests.servers import PostgresServer
from workflow.backups import back_up
from workflow.database import Database


class Vault:
    """Keeps one backup of one database."""

    def __init__(self, database: Database, server: PostgresServer, folder: Path) -> None:
        self._database, self._server = database, server
        self._file = folder / "costbot.backup"

    @property
    def _url(self) -> str:
        return self._database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)

    @property
    def _is_sqlite(self) -> bool:
        return self._database.engine.dialect.name == "sqlite"

    def back_up(self) -> None:
        if self._is_sqlite:
            back_up(self._database, self._file)
        else:
            self._run("pg_dump", "--format=custom", f"--file={self._file}", self._url)

    def restore(self) -> None:
        """As nobody uses the database."""
        self._database.close()
        if self._is_sqlite:
            path = Path(self._database.engine.url.database or "")
            for suffix in ("-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            shutil.copyfile(self._file, path)
        else:
            clean = ("--clean", "--if-exists", "--single-transaction")
            self._run("pg_restore", *clean, f"--dbname={self._url}", str(self._file))

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run([self._server.program(program), *arguments], check=True)

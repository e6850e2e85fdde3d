"""Where the program keeps its files, and the lock that gives a data folder to one process."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from openalgo_desktop.config.private import narrow, open_private
from openalgo_desktop.core.errors import ConfigError

APP = "openalgo-desktop"
#: Files of ours that have secrets or orders in them.
OUR_FILES = (
    "openalgo.db*",
    "running.json",
    "lock",
    "vault.*",
    ".env",
    "openalgo-*.log",
    "crash.log",
)


def write_private(path: Path, text: str) -> None:
    """Write a file that only the user can read (0600); it appears at once and whole, in place of
    whatever had its name."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    partial.replace(path)


class FileLock:
    """An exclusive lock of the operating system on a file: gone when its process is, however it
    died. The file itself stays and tells who had it last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def acquire(self) -> bool:
        """Take the lock; False when another process has it."""
        descriptor = open_private(self._path, os.O_RDWR)
        file = os.fdopen(descriptor, "r+", encoding="ascii", errors="replace")
        try:
            _lock(file)
        except OSError:
            file.close()
            return False
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file
        return True

    def release(self) -> None:
        """Give the lock back; nothing when it is not held."""
        if self._file is not None:
            self._file.close()  # closing drops the lock
            self._file = None

    def owner(self) -> str:
        """Process id of the last owner as text; empty when it cannot be read."""
        try:
            return self._path.read_text(encoding="ascii", errors="replace").strip()
        except OSError:  # Windows does not let others read a locked file
            return ""


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> None:
        # Past the end of the file, so that the process id stays readable.
        file.seek(1 << 30)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        file.seek(0)
else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


class DataDirectory:
    """The folders of one installation: the platform's own, or all below ``--data-dir``.

    ``OPENALGO_DATABASE_URL`` names another database than the file in the data folder.
    """

    def __init__(self, path: Path | None = None) -> None:
        if path is not None:
            self.path = path.expanduser().absolute()
            self.config = self.path / "config"
            self.logs = self.path / "logs"
        else:
            from platformdirs import PlatformDirs

            folders = PlatformDirs(APP, appauthor=False)
            self.path = Path(folders.user_data_dir)
            self.config = Path(folders.user_config_dir)
            self.logs = Path(folders.user_log_dir)
            if self.config == self.path:  # macOS and Windows have one folder for both
                self.config = self.path / "config"
        self._lock = FileLock(self.path / "lock")
        #: Sentences about what was found open to other users, for the start.
        self.warnings: list[str] = []

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the database."""
        given = os.environ.get("OPENALGO_DATABASE_URL", "")
        return given or f"sqlite:///{(self.path / 'openalgo.db').as_posix()}"

    @property
    def has_database(self) -> bool:
        """Whether there is a database to read; one of another server is believed to be there."""
        return bool(os.environ.get("OPENALGO_DATABASE_URL")) or (self.path / "openalgo.db").exists()

    @property
    def shown_database_url(self) -> str:
        """The same without its password."""
        return re.sub(r"(?<=://)([^/:@]*):[^/@]*@", r"\1:***@", self.database_url)

    # -- the running program ----------------------------------------------------------------
    def announce(self, addresses: Mapping[str, str]) -> None:
        """Say where the running program answers, for commands beside it. The file has the control
        token, so it is the user's alone (0600)."""
        write_private(self._addresses, json.dumps(dict(addresses)))

    def withdraw(self) -> None:
        """The program stops."""
        self._addresses.unlink(missing_ok=True)

    def announced(self) -> dict[str, str]:
        """Addresses of the program that runs on this folder; empty when there is none. After a
        crash they may be old."""
        try:
            found = json.loads(self._addresses.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}

    @property
    def _addresses(self) -> Path:
        return self.path / "running.json"

    def create(self) -> None:
        """Make the folders, readable by the user alone. Raises :class:`ConfigError`."""
        used = any((self.path / name).exists() for name in ("lock", "openalgo.db"))
        for folder in (self.path, self.config, self.logs):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigError(
                    f"The folder {folder} cannot be used: {error.strerror}. "
                    "Give another one with --data-dir."
                ) from None
            # A home folder that was given is the user's to open; what is ours in it is not.
            if folder != Path.home() and (warning := narrow(folder, OUR_FILES)) and used:
                self.warnings.append(warning)

    def acquire(self) -> None:
        """Create the folders and take the lock. Raises :class:`ConfigError` when another
        process uses the folder."""
        self.create()
        try:
            got = self._lock.acquire()
        except OSError as error:
            raise ConfigError(
                f"The folder {self.path} cannot be written: {error.strerror}. "
                "Give another one with --data-dir."
            ) from None
        if not got:
            owner = self._lock.owner()
            process = f" (process {owner})" if owner else ""
            raise ConfigError(
                f"OpenAlgo Desktop is already running{process} with the data folder {self.path}. "
                "Close it, or start this one with another --data-dir."
            )

    def release(self) -> None:
        """Give the folder back."""
        self._lock.release()

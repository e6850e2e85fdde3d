"""The text of a program's entry, to be read and edited in place."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from openalgo_desktop.config.private import open_private
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.strategies.hosted import Hosted

#: A file above this size is not edited here; bytes.
MOST = 2_000_000


class Source(msgspec.Struct, frozen=True):
    """Text of the entry as it was read; ``digest`` is of the file's bytes."""

    path: str
    text: str
    digest: str


def read(row: Hosted) -> Source:
    """Blocks. Raises :class:`ConfigError`."""
    path = _path(row)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path.name} cannot be read: {error.strerror}.") from None
    if len(data) > MOST:
        raise ConfigError(f"{path.name} is too large to be edited here: use your own editor.")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise ConfigError(f"{path.name} is no UTF-8 text: use your own editor.") from None
    return Source(str(path), text, _digest(data))


def write(row: Hosted, text: str, seen: str) -> Source:
    """Write the entry, whole or not at all; what runs goes on with what it has. ``seen`` is the
    digest that was read: a file that somebody changed meanwhile is left alone. Blocks; raises
    :class:`ConfigError`, also for a text that does not compile."""
    path = _path(row)
    check(text, path.name)
    now = read(row)
    if now.digest != seen:
        raise ConfigError(f"{path.name} was changed elsewhere meanwhile. Load it again first.")
    data = text.encode()
    aside = path.with_name(f".{path.name}.new")
    try:
        mode = path.stat().st_mode & 0o777
        with os.fdopen(open_private(aside, os.O_WRONLY | os.O_TRUNC), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.chmod(mode)
        aside.replace(path)
    except OSError as error:
        raise ConfigError(f"{path.name} cannot be written: {error.strerror}.") from None
    finally:
        aside.unlink(missing_ok=True)
    return Source(str(path), text, _digest(data))


def check(text: str, name: str) -> None:
    """Raise :class:`ConfigError` with the line for a text that is no Python."""
    try:
        compile(text, name, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise ConfigError(f"{name}, line {error.lineno}: {error.msg}.") from None
    except ValueError as error:  # a zero byte
        raise ConfigError(f"{name}: {error}.") from None


def _path(row: Hosted) -> Path:
    return Path(row.folder) / row.entry


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

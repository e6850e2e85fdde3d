"""``strategy.toml``: what a program says of itself. It can ask for nothing that needs a human: its
schedule begins in the sandbox and switched off, and it cannot promote itself."""

from __future__ import annotations

from pathlib import Path

import msgspec

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.strategies.hosted import (
    AtStop,
    AtWindowEnd,
    Hours,
    OnCrash,
    OnEngineRestart,
    Parameter,
    Quotas,
)

MANIFEST = "strategy.toml"
MAX_SIZE = 65_536  # bytes


class Schedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[schedule]``; windows are texts such as ``09:15-15:15``."""

    days: tuple[str, ...] = Hours().days
    windows: tuple[str, ...] = ("09:15-15:30",)
    all_day: bool = False
    expiry_only: str = ""
    late_minutes: int = Hours().late_minutes
    at_end: AtWindowEnd = AtWindowEnd.STOP

    def hours(self) -> Hours:
        """The same as it is kept. Raises :class:`ConfigError`."""
        return Hours(
            days=self.days,
            windows=tuple(window_of(text) for text in self.windows),
            all_day=self.all_day,
            expiry_only=self.expiry_only,
            late_minutes=self.late_minutes,
            at_end=self.at_end,
        )


class Declared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[parameters.NAME]``."""

    type: str = "text"
    default: str | int | float | bool = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    help: str = ""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file; all of it may be left out."""

    entry: str = ""
    name: str = ""
    exchange: str = "NSE"
    schedule: Schedule = Schedule()
    quotas: Quotas = Quotas()
    parameters: dict[str, Declared] = {}
    on_crash: OnCrash = OnCrash.RESTART
    on_engine_restart: OnEngineRestart = OnEngineRestart.ADOPT
    at_stop: AtStop = AtStop.LEAVE
    stall_minutes: int = 0

    def declared(self) -> tuple[Parameter, ...]:
        """The parameters as they are kept."""
        return tuple(
            Parameter(
                name=name,
                kind=row.type,
                default=text_of(row.default),
                low=row.low,
                high=row.high,
                choices=row.choices,
                help=row.help,
            )
            for name, row in self.parameters.items()
        )


def window_of(text: str) -> tuple[str, str]:
    """``09:15-15:30`` as a pair. Raises :class:`ConfigError`."""
    start, dash, end = text.partition("-")
    if not dash:
        raise ConfigError(f"windows: write {text!r} like 09:15-15:30 (IST).")
    return start.strip(), end.strip()


def text_of(value: object) -> str:
    """A value of TOML as the text that a program gets."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder, or an empty one. Blocks. Raises :class:`ConfigError` that names
    the field."""
    path = folder / MANIFEST
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return Manifest()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
    if size > MAX_SIZE:
        raise ConfigError(f"{path} has {size} bytes; a manifest has at most {MAX_SIZE}.")
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{MANIFEST}: {error}.", detail=str(error)) from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None

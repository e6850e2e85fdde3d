"""What may be said about one run of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from openalgo_desktop.core.clock import PacedClock
from openalgo_desktop.core.enums import Mode

#: Name of the one user of this program, where clients of the API want one.
USER = "trader"


@dataclass(slots=True)
class TerminalOptions:
    """What the command line (section 8 of the architecture note) can say about one run."""

    data_dir: Path | None = None
    broker: str = "simulator"
    mode: Mode | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)  # what gave each override
    notes: tuple[str, ...] = ()  # sentences about OpenAlgo's names, for the start
    warnings: tuple[str, ...] = ()
    clock_start: datetime | None = None
    #: A clock of another pace, for a rehearsal; takes the place of ``clock_start``.
    clock: PacedClock | None = None
    sim_universe: Path | None = None
    sim_frozen: bool = False
    sim_control: bool = False
    vault_key_file: Path | None = None

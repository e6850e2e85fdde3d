"""A hosted strategy: a program of the user that runs in a process of its own. Pure."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from openalgo_desktop.core.enums import Mode


class HostedState(StrEnum):
    """Where a hosted program stands."""

    STOPPED = "stopped"
    PREPARING = "preparing"  # its environment is being made
    RUNNING = "running"
    STOPPING = "stopping"
    PAUSED = "paused"  # by its schedule: outside its hours, holiday
    WAITING = "waiting"  # crashed; it is started again in a moment
    CRASH_LOOP = "crash loop"  # crashed too often: a human has to look
    ERROR = "error"  # it could not be started
    LOST = "lost"  # it ran when the engine ended, and could not be taken up again


class OnCrash(StrEnum):
    """What a crash brings."""

    NEVER = "never"
    RESTART = "on-failure"


class OnEngineRestart(StrEnum):
    """What becomes of a running program when the engine starts again."""

    ADOPT = "adopt"  # the same process goes on
    RESTART = "restart"
    STOP = "stop"


class AtStop(StrEnum):
    """What a stop does with what the strategy holds; carried out by our engine."""

    LEAVE = "leave"
    SQUARE_OFF = "square off"


class Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When it runs by itself. ``windows`` are pairs of ``HH:MM`` IST, cut to the sessions of its
    exchange unless ``all_day``; ``expiry_only`` names the underlying on whose expiry days alone it
    runs."""

    enabled: bool = False
    days: tuple[str, ...] = ("MON", "TUE", "WED", "THU", "FRI")
    windows: tuple[tuple[str, str], ...] = (("09:15", "15:30"),)
    all_day: bool = False
    expiry_only: str = ""


class Quotas(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What it may do at most; 0 is off. Money in rupees."""

    orders_per_minute: int = 60
    orders_per_day: int = 0
    max_lots: int = 0
    open_positions: int = 0
    day_loss: float = 0.0
    drawdown: float = 0.0
    memory_mb: int = 1024
    cpu_percent: int = 0
    processes: int = 64


class Hosted(msgspec.Struct, frozen=True, kw_only=True):
    """One hosted program as it is kept. ``promoted_hash`` is the content that a human has let go
    live; another content asks again."""

    strategy_id: str
    name: str
    entry: str
    folder: str
    exchange: str = "NSE"
    interpreter: str = ""
    hours: Hours = Hours()
    quotas: Quotas = Quotas()
    on_crash: OnCrash = OnCrash.RESTART
    on_engine_restart: OnEngineRestart = OnEngineRestart.ADOPT
    at_stop: AtStop = AtStop.LEAVE
    live_account: str = ""
    promoted_hash: str = ""
    parameters: dict[str, str] = {}
    added_at: datetime


class HostedView(msgspec.Struct, frozen=True, kw_only=True):
    """A hosted program and how it is doing; None is unknown. ``reason`` says why it stands where it
    stands (crash, kill switch, day loss, holiday...)."""

    hosted: Hosted
    state: HostedState
    mode: Mode | None = None
    reason: str = ""
    pid: int | None = None
    run_id: str = ""
    started_at: datetime | None = None
    restarts: int = 0
    cpu_percent: float | None = None
    memory_mb: float | None = None
    silent_seconds: float | None = None
    orders: int = 0
    pnl: Decimal | None = None
    last_lines: tuple[str, ...] = ()

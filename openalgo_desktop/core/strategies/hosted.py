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

    @property
    def is_up(self) -> bool:
        """Whether it has a process, or is about to have one."""
        return self in (
            HostedState.PREPARING,
            HostedState.RUNNING,
            HostedState.STOPPING,
            HostedState.WAITING,
        )


class PausedBecause(StrEnum):
    """Why its schedule keeps a program from running now."""

    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    BEFORE_MARKET = "before_market"
    AFTER_MARKET = "after_market"
    NOT_ITS_DAY = "not_its_day"  # its days do not have this one
    NO_EXPIRY = "not_an_expiry_day"


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


class AtWindowEnd(StrEnum):
    """What the end of a window of its schedule does."""

    STOP = "stop"
    SQUARE_OFF = "stop + square off"
    LEAVE = "leave"  # it runs on


class OnBreach(StrEnum):
    """What a broken day-loss, drawdown or orders-per-day quota does for the rest of the day."""

    BLOCK = "block"  # it may only close what it holds
    FLATTEN = "block + square off"
    STOP = "stop + square off"


class Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When it runs by itself. ``windows`` are pairs of ``HH:MM`` IST, cut to the sessions of its
    exchange on that day; ``expiry_only`` names the underlying on whose expiry days alone it runs.
    With ``all_day`` it runs around the clock: days, windows and sessions do not count.

    A special session at a weekend counts whatever ``days`` say. A start that is late, because the
    engine was not there, is made up for ``late_minutes`` from the window's start on.
    """

    enabled: bool = False
    mode: Mode = Mode.SANDBOX
    days: tuple[str, ...] = ("MON", "TUE", "WED", "THU", "FRI")
    windows: tuple[tuple[str, str], ...] = (("09:15", "15:30"),)
    all_day: bool = False
    expiry_only: str = ""
    late_minutes: int = 30
    at_end: AtWindowEnd = AtWindowEnd.STOP


class Quotas(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What it may do at most; 0 is off. Money in rupees, per cent of one core, megabytes."""

    orders_per_minute: int = 60
    orders_per_day: int = 0
    max_lots: int = 0
    open_positions: int = 0
    day_loss: float = 0.0
    drawdown: float = 0.0
    on_breach: OnBreach = OnBreach.BLOCK
    memory_mb: int = 1024
    cpu_percent: int = 0
    processes: int = 64


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A value that a program lets its user set, as its manifest says. ``kind`` is int, float, bool,
    text or choice; ``low`` and ``high`` are included."""

    name: str
    kind: str = "text"
    default: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    help: str = ""


class Hosted(msgspec.Struct, frozen=True, kw_only=True):
    """One hosted program as it is kept. ``promoted_hash`` is the content that a human has let go
    live; another content asks again. ``entry`` is a path inside ``folder``; a ``linked`` folder is
    the user's own, any other one is the copy in the data folder; of a ``single`` file what lies
    beside it is not the program's. ``parameters`` are what the user
    has set, by name of the ``declared`` ones. ``stall_minutes`` without a sign of life raise an
    alarm; 0 is none."""

    strategy_id: str
    name: str
    entry: str
    folder: str
    linked: bool = False
    single: bool = False
    exchange: str = "NSE"
    interpreter: str = ""
    hours: Hours = Hours()
    quotas: Quotas = Quotas()
    on_crash: OnCrash = OnCrash.RESTART
    on_engine_restart: OnEngineRestart = OnEngineRestart.ADOPT
    at_stop: AtStop = AtStop.LEAVE
    stall_minutes: int = 0
    promoted_hash: str = ""
    parameters: dict[str, str] = {}
    declared: tuple[Parameter, ...] = ()
    added_at: datetime


class HostedView(msgspec.Struct, frozen=True, kw_only=True):
    """A hosted program and how it is doing; None is unknown. ``reason`` says why it stands where it
    stands (crash, kill switch, day loss, holiday...). ``digest`` is the content as it is now;
    ``changed`` says that what runs is an older one (restart to apply), ``promoted`` that this
    content may go live."""

    hosted: Hosted
    state: HostedState
    mode: Mode | None = None
    account_id: str = ""
    reason: str = ""
    paused: PausedBecause | None = None
    pid: int | None = None
    run_id: str = ""
    started_at: datetime | None = None
    next_start: datetime | None = None
    restarts: int = 0
    cpu_percent: float | None = None
    memory_mb: float | None = None
    silent_seconds: float | None = None
    stalled: bool = False
    breached: str = ""  # the quota that was broken today
    orders: int = 0
    pnl: Decimal | None = None
    digest: str = ""
    changed: bool = False
    promoted: bool = False
    last_lines: tuple[str, ...] = ()


class TradeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy has done in one mode, for the human who promotes it. Money in rupees, net
    of charges; ``drawdown`` is positive. None is unknown."""

    days: int = 0
    orders: int = 0
    trades: int = 0
    net_pnl: Decimal | None = None
    drawdown: Decimal | None = None
    charges: Decimal | None = None
    first_day: str = ""
    last_day: str = ""


class Promotion(msgspec.Struct, frozen=True, kw_only=True):
    """What a human sees before a program may go live. ``digest`` is the content that is shown: it
    is handed back with the yes. ``again`` says that another content was promoted before."""

    name: str
    digest: str
    promoted: bool
    again: bool
    record: TradeRecord

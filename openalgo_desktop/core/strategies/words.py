"""Vocabulary of made strategies. Values are the texts of the ``strategy/*`` endpoints."""

from __future__ import annotations

from enum import StrEnum


class StrategyKind(StrEnum):
    """Batch: all legs are entered and left together. Signal: one alert moves one leg."""

    BATCH = "batch"
    SIGNAL = "signal"


class RunStatus(StrEnum):
    """Where a strategy stands."""

    STOPPED = "stopped"
    RUNNING = "running"
    PAUSED = "paused"  # nothing new is entered; rules go on
    ERRORED = "errored"


class StopReason(StrEnum):
    """Why a run ended."""

    MANUAL = "manual"
    SCHEDULER = "scheduler"
    OVERALL_SL = "overall_sl"
    OVERALL_TARGET = "overall_target"
    LOCK_PROFIT = "lock_profit"
    EOD = "eod"
    EXPIRY = "expiry"
    DAILY_LOSS_LIMIT = "daily_loss_limit"
    TICK_STALE = "tick_stale"
    RECOVERY_FAILED = "recovery_failed"
    ERROR = "error"
    KILL_SWITCH = "kill_switch"  # ours
    LEGS_CLOSED = "legs_closed"  # ours: nothing was left of a batch


class TriggerSource(StrEnum):
    """Who started a run."""

    MANUAL = "manual"
    WEBHOOK = "webhook"
    SCHEDULER = "scheduler"


class OrderKind(StrEnum):
    """What an order of a run is for."""

    ENTRY = "entry"
    SL = "exit_sl"
    TARGET = "exit_target"
    TRAIL = "exit_trail"
    OVERALL_SL = "exit_overall_sl"
    OVERALL_TARGET = "exit_overall_target"
    LOCK_PROFIT = "exit_lock_profit"
    EOD = "exit_eod"
    EXPIRY = "exit_expiry"
    DAILY_LOSS_LIMIT = "exit_daily_loss_limit"
    CLOSE_ALL = "exit_close_all"
    LEG_MANUAL = "exit_leg_manual"
    RECOVERY = "exit_recovery"
    SIGNAL = "exit_signal"


class OrderState(StrEnum):
    """State of an order row."""

    PENDING = "pending"
    OPEN = "open"
    COMPLETE = "complete"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


class Severity(StrEnum):
    """How much an event matters."""

    INFO = "info"
    WARN = "warn"
    CRITICAL = "critical"


class EventKind(StrEnum):
    """What happened to a strategy, a run or a leg."""

    STRATEGY_CREATED = "strategy_created"
    STRATEGY_UPDATED = "strategy_updated"
    WEBHOOK_TOKEN_ROTATED = "webhook_token_rotated"
    LIVE_ENABLED = "live_enabled"
    LIVE_DISABLED = "live_disabled"
    WEBHOOK_LOCKED = "webhook_locked"
    WEBHOOK_UNLOCKED = "webhook_unlocked"
    RUN_STARTED = "run_started"
    RUN_PAUSED = "run_paused"
    RUN_RESUMED = "run_resumed"
    RUN_STOP_REQUESTED = "run_stop_requested"
    RUN_STOPPED = "run_stopped"
    RUN_STOP_FAILED = "run_stop_failed"
    FLIP_OUTGOING_EXIT_REJECTED = "flip_outgoing_exit_rejected"
    CLOSE_ALL_MANUAL = "close_all_manual"
    LEG_ENTRY_PLACED = "leg_entry_placed"
    LEG_ENTRY_FILLED = "leg_entry_filled"
    LEG_ENTRY_REJECTED = "leg_entry_rejected"
    LEG_EXIT_PLACED = "leg_exit_placed"
    LEG_EXIT_FILLED = "leg_exit_filled"
    LEG_EXIT_REJECTED = "leg_exit_rejected"
    LEG_CLOSE_MANUAL = "leg_close_manual"
    LEG_EXPIRY_FALLBACK = "leg_expiry_fallback"
    ORDER_ACK_UNRECORDED = "order_ack_unrecorded"
    LEG_SL_HIT = "leg_sl_hit"
    LEG_TARGET_HIT = "leg_target_hit"
    LEG_TRAIL_ARMED = "leg_trail_armed"
    LEG_TRAIL_ADVANCED = "leg_trail_advanced"
    LEG_REENTRY = "leg_reentry"  # ours
    OVERALL_SL_HIT = "overall_sl_hit"
    OVERALL_TARGET_HIT = "overall_target_hit"
    LOCK_PROFIT_ARMED = "lock_profit_armed"
    LOCK_PROFIT_FLOOR_ADVANCED = "lock_profit_floor_advanced"
    LOCK_PROFIT_TRIGGERED = "lock_profit_triggered"
    TRAIL_TO_ENTRY_ACTIVATED = "trail_to_entry_activated"
    EOD_SQUAREOFF = "eod_squareoff"
    EXPIRY_SQUAREOFF = "expiry_squareoff"
    TICK_SOURCE_SWITCHED_TO_POLLING = "tick_source_switched_to_polling"
    TICK_SOURCE_SWITCHED_TO_WS = "tick_source_switched_to_ws"
    TICK_SOURCE_STALE = "tick_source_stale"
    RECOVERY_SUCCEEDED = "recovery_succeeded"
    RECOVERY_FAILED = "recovery_failed"


class Signal(StrEnum):
    """What an alert may ask: ``start`` and ``stop`` of a batch strategy, the others of a signal
    one."""

    START = "start"
    STOP = "stop"
    LONG_ENTRY = "long_entry"
    LONG_EXIT = "long_exit"
    SHORT_ENTRY = "short_entry"
    SHORT_EXIT = "short_exit"

    @property
    def of_batch(self) -> bool:
        """Whether it belongs to batch strategies."""
        return self in (Signal.START, Signal.STOP)

    @property
    def enters(self) -> bool:
        """Whether it opens a position."""
        return self in (Signal.LONG_ENTRY, Signal.SHORT_ENTRY)

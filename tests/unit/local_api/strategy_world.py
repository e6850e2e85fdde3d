"""A strategy engine in memory: the whole protocol, with stored rows and nothing behind it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.strategies.model import (
    BatchLeg,
    Definition,
    Distance,
    LegRules,
    Segment,
    SignalLeg,
    Trail,
)
from openalgo_desktop.core.strategies.ports import NotNow, StrategyNotFound
from openalgo_desktop.core.strategies.rows import (
    LegAnswer,
    MadeStrategy,
    Run,
    RunEvent,
    RunOrder,
    RunView,
    SignalAnswer,
    StartAnswer,
    StopAnswer,
)
from openalgo_desktop.core.strategies.words import (
    EventKind,
    RunStatus,
    Severity,
    Signal,
    StopReason,
    StrategyKind,
    TriggerSource,
)

CALL = BatchLeg(
    leg_id=1,
    segment=Segment.OPTIONS,
    position="S",
    option_type="CE",
    rules=LegRules(
        sl=Distance(Decimal("12.5")),
        target=Distance(Decimal(30)),
        trail=Trail(Decimal(5), Decimal(2)),
    ),
)
STRADDLE = Definition(
    name="Straddle",
    kind=StrategyKind.BATCH,
    legs=(CALL, msgspec.structs.replace(CALL, leg_id=2, option_type="PE", rules=LegRules())),
    underlying="NIFTY",
    underlying_exchange="NSE_INDEX",
    overall_sl=Decimal(5000),
)
FLIP = Definition(
    name="Flip",
    kind=StrategyKind.SIGNAL,
    legs=(SignalLeg(leg_id=1, symbol="SBIN", exchange="NSE", quantity=10),),
)


class FakeEngine:
    """Runs begin and end at once; ``told`` is what was asked, ``fail`` is raised once."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.made: dict[int, MadeStrategy] = {}
        self.all_runs: dict[int, Run] = {}
        self.all_orders: list[RunOrder] = []
        self.all_events: list[RunEvent] = []
        self.told: list[tuple[Any, ...]] = []
        self.fail: Exception | None = None
        self.entries: tuple[LegAnswer, ...] = (
            LegAnswer(leg_id=1, ok=True, symbol="NIFTY29DEC2626000CE", order_id="11"),
        )
        self.exits: tuple[LegAnswer, ...] = (
            LegAnswer(leg_id=1, ok=True, position_ref="p1", exit_owner="stop"),
        )
        self.answer = SignalAnswer(result="ok", run_id=1)
        self._tokens: dict[str, int] = {}

    def _change(self, strategy_id: int, **values: Any) -> MadeStrategy:
        made = msgspec.structs.replace(
            self._get(strategy_id), updated_at=self.clock.now(), **values
        )
        self.made[strategy_id] = made
        return made

    def _get(self, strategy_id: int) -> MadeStrategy:
        if strategy_id not in self.made:
            raise StrategyNotFound("There is no such strategy.")
        return self.made[strategy_id]

    def _asked(self, *what: Any) -> None:
        self.told.append(what)
        if self.fail is not None:
            error, self.fail = self.fail, None
            raise error

    async def create(self, definition: Definition, by: str) -> MadeStrategy:
        now = self.clock.now()
        number = len(self.made) + 1
        self.made[number] = MadeStrategy(
            strategy_id=number, definition=definition, created_at=now, updated_at=now
        )
        return self.made[number]

    async def update(self, strategy_id: int, definition: Definition, by: str) -> MadeStrategy:
        return self._change(strategy_id, definition=definition)

    async def delete(self, strategy_id: int, by: str) -> None:
        del self.made[strategy_id]

    async def enable_live(self, strategy_id: int, enabled: bool, by: str) -> MadeStrategy:
        return self._change(strategy_id, live_enabled=enabled)

    async def lock_webhook(self, strategy_id: int, locked: bool, by: str) -> MadeStrategy:
        return self._change(strategy_id, webhook_locked=locked)

    async def rotate_token(self, strategy_id: int, by: str) -> str:
        self._tokens = {d: n for d, n in self._tokens.items() if n != strategy_id}
        token = "oaws_" + secrets.token_urlsafe(32)
        self._tokens[hashlib.sha256(token.encode()).hexdigest()] = strategy_id
        self._change(strategy_id, has_webhook=True)
        return token

    async def by_token(self, token: str) -> MadeStrategy | None:
        number = self._tokens.get(hashlib.sha256(token.encode()).hexdigest())
        return None if number is None else self.made.get(number)

    async def find(
        self, status: RunStatus | None = None, words: str = ""
    ) -> Sequence[MadeStrategy]:
        return [
            made
            for made in reversed(self.made.values())
            if status in (None, made.status) and words.lower() in made.definition.name.lower()
        ]

    async def get(self, strategy_id: int) -> MadeStrategy:
        return self._get(strategy_id)

    async def start(
        self,
        strategy_id: int,
        mode: Mode,
        source: TriggerSource,
        by: str,
        *,
        webhook_event_id: int | None = None,
    ) -> StartAnswer:
        self._asked("start", strategy_id, mode, source, by, webhook_event_id)
        if self._get(strategy_id).current_run_id is not None:
            raise NotNow("This strategy is already running")
        run_id = len(self.all_runs) + 1
        self.all_runs[run_id] = Run(
            run_id=run_id,
            strategy_id=strategy_id,
            mode=mode,
            account_id="simulator:SIM",
            broker="simulator",
            started_at=self.clock.now(),
            trigger_source=source,
            webhook_event_id=webhook_event_id,
        )
        self._change(strategy_id, status=RunStatus.RUNNING, current_run_id=run_id)
        return StartAnswer(run_id=run_id, mode=mode, legs=self.entries)

    async def stop(self, strategy_id: int, by: str, *, close_all: bool = False) -> StopAnswer:
        self._asked("close_all" if close_all else "stop", strategy_id, by)
        run_id = self._get(strategy_id).current_run_id
        if run_id is None:
            raise NotNow("This strategy is not running")
        if any(leg.ok for leg in self.exits):
            self.all_runs[run_id] = msgspec.structs.replace(
                self.all_runs[run_id],
                stopped_at=self.clock.now(),
                stop_reason=StopReason.MANUAL,
                pnl_realized=Decimal("125.50"),
            )
            self._change(
                strategy_id,
                status=RunStatus.STOPPED,
                current_run_id=None,
                last_finalized_run=run_id,
            )
        return StopAnswer(run_id=run_id, pending=True, exits=self.exits)

    async def close_leg(self, strategy_id: int, leg_id: int, by: str) -> StopAnswer:
        self._asked("close_leg", strategy_id, leg_id, by)
        run_id = self._get(strategy_id).current_run_id or 0
        return StopAnswer(run_id=run_id, pending=True, exits=self.exits, leg_id=leg_id)

    async def pause(self, strategy_id: int, paused: bool, by: str) -> MadeStrategy:
        return self._change(strategy_id, status=RunStatus.PAUSED if paused else RunStatus.RUNNING)

    async def signal(
        self,
        strategy_id: int,
        signal: Signal,
        by: str,
        *,
        leg_id: int | None = None,
        symbol: str = "",
        exchange: str = "",
        webhook_event_id: int | None = None,
    ) -> SignalAnswer:
        self._asked("signal", strategy_id, signal, leg_id, symbol, exchange, webhook_event_id)
        return self.answer

    async def run(self, run_id: int) -> Run | None:
        return self.all_runs.get(run_id)

    async def runs(self, strategy_id: int, limit: int) -> Sequence[Run]:
        self._get(strategy_id)
        mine = [run for run in self.all_runs.values() if run.strategy_id == strategy_id]
        return mine[::-1][:limit]

    async def orders(self, strategy_id: int, run_id: int | None) -> Sequence[RunOrder]:
        return [row for row in self.all_orders if run_id in (None, row.run_id)]

    async def events(
        self,
        strategy_id: int,
        run_id: int | None,
        kind: EventKind | None,
        severity: Severity | None,
        limit: int,
    ) -> Sequence[RunEvent]:
        found = [
            row
            for row in reversed(self.all_events)
            if row.strategy_id == strategy_id
            and run_id in (None, row.run_id)
            and kind in (None, row.kind)
            and severity in (None, row.severity)
        ]
        return found[:limit]

    def view(self, strategy_id: int) -> RunView | None:
        return None

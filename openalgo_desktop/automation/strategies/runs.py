"""All runs that are on: found by strategy, by place, by instrument; their records and news."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec

from openalgo_desktop.automation.strategies import state as states
from openalgo_desktop.automation.strategies.ground import Ground
from openalgo_desktop.automation.strategies.ledger import Ledger
from openalgo_desktop.automation.strategies.live import LiveRun
from openalgo_desktop.automation.strategies.recorder import Recorder
from openalgo_desktop.automation.strategies.state import Place, RunState
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, Product
from openalgo_desktop.core.events import Notice, StrategyChanged
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.strategies.model import ZERO
from openalgo_desktop.core.strategies.rows import MadeStrategy, Run, RunEvent, RunOrder
from openalgo_desktop.core.strategies.words import EventKind, Severity

#: A run that changes is told at most so often; seconds.
TOLD_EVERY = 0.25
#: Places of ended runs that are remembered: an order of one may still arrive.
ENDED = 1000
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Runs:
    """The registry. Asking for the runs of an instrument costs what there is of it."""

    def __init__(self, ground: Ground, recorder: Recorder) -> None:
        self.ground = ground
        self.recorder = recorder
        self.live: dict[int, LiveRun] = {}
        self._by_ref: dict[str, LiveRun] = {}
        self._by_key: dict[Key, dict[int, LiveRun]] = {}
        self._keys: dict[int, set[Key]] = {}
        self._telling: dict[int, asyncio.TimerHandle] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()  # places of runs that ended lately
        #: Told when an instrument is wanted, or not any more.
        self.on_key: Callable[[Key, bool], None] = lambda key, wanted: None

    def close(self) -> None:
        """Tell nothing more."""
        for timer in self._telling.values():
            timer.cancel()
        self._telling.clear()

    # -- making -----------------------------------------------------------------------------
    def make(self, made: MadeStrategy, run: Run, state: RunState) -> LiveRun:
        """A run to be known."""
        ledger = Ledger(
            lambda ref, number, row: self.recorder.order(made.strategy_id, ref, number, row),
            self._charge,
        )
        live = LiveRun(made, run, state, ledger, self._close_cost)
        self.live[made.strategy_id] = live
        for place in state.places:
            self._by_ref[place.ref] = live
        self.reindex(live)
        return live

    def drop(self, live: LiveRun) -> None:
        """A run is over."""
        live.over = True
        if self.live.get(live.strategy_id) is live:
            del self.live[live.strategy_id]
        for place in live.state.places:
            self._by_ref.pop(place.ref, None)
            if place.closed:
                self._ended[place.ref] = None
        while len(self._ended) > ENDED:
            self._ended.popitem(last=False)
        self._index(live, set())
        self._keys.pop(live.strategy_id, None)
        live.news()

    def add(self, live: LiveRun, place: Place) -> None:
        """A run has a new place."""
        live.add(place)
        self._by_ref[place.ref] = live
        self.reindex(live)

    def reindex(self, live: LiveRun) -> None:
        """The instruments of a run are others, perhaps."""
        self._index(live, live.instruments())

    def _index(self, live: LiveRun, keys: set[Key]) -> None:
        before = self._keys.get(live.strategy_id, set())
        for key in before - keys:
            rows = self._by_key.get(key, {})
            rows.pop(live.strategy_id, None)
            if not rows:
                self._by_key.pop(key, None)
                self.on_key(key, False)
        for key in keys - before:
            self._by_key.setdefault(key, {})[live.strategy_id] = live
            self.on_key(key, True)
        self._keys[live.strategy_id] = keys

    # -- finding ----------------------------------------------------------------------------
    def of_ref(self, ref: str) -> LiveRun | None:
        """The run of a place."""
        return self._by_ref.get(ref)

    def ended(self, ref: str) -> bool:
        """Whether it is a place of a run that ended lately, with nothing of it held."""
        return ref in self._ended

    def of_key(self, key: Key) -> list[LiveRun]:
        """Runs that look at an instrument."""
        return list(self._by_key.get(key, {}).values())

    def keys(self) -> list[Key]:
        """All instruments that are looked at."""
        return list(self._by_key)

    def holders(self, account_id: str, key: Key, product: Product) -> Iterator[tuple[str, Place]]:
        """Open places of one position of one account, with the names of their strategies."""
        for live in self.of_key(key):
            if live.run.account_id != account_id:
                continue
            for place in live.open():
                if place.key == key and place.product is product:
                    yield live.definition.name, place

    # -- records ----------------------------------------------------------------------------
    def save(self, live: LiveRun) -> None:
        """Keep the checkpoint of a run."""
        self.recorder.checkpoint(live.run, states.encode(live.state))

    def tell(
        self,
        live: LiveRun,
        kind: EventKind,
        message: str,
        severity: Severity = Severity.INFO,
        *,
        leg_id: int | None = None,
        payload: Mapping[str, Any] = _NOTHING,
        notice: bool = False,
    ) -> None:
        """An event of a run; with ``notice`` (and always when it is critical) the user is told."""
        now = self.ground.clock.now()
        self.recorder.tell(
            RunEvent(
                event_id=0,
                strategy_id=live.strategy_id,
                run_id=live.run.run_id,
                at=now,
                kind=kind,
                severity=severity,
                leg_id=leg_id,
                message=message,
                payload=dict(payload),
            )
        )
        if notice or severity is Severity.CRITICAL:
            level = {Severity.INFO: "info", Severity.WARN: "warning"}.get(severity, "error")
            text = f"{live.definition.name} ({live.run.mode.value}): {message}"
            self.ground.bus.publish(Notice(level=level, text=text, at=now))
        self.changed(live.strategy_id)

    def changed(self, strategy_id: int) -> None:
        """Tell soon that a strategy is another now."""
        if strategy_id in self._telling:
            return
        loop = asyncio.get_running_loop()
        self._telling[strategy_id] = loop.call_later(TOLD_EVERY, self._tell_change, strategy_id)

    def _tell_change(self, strategy_id: int) -> None:
        self._telling.pop(strategy_id, None)
        self.ground.bus.publish(StrategyChanged(strategy_id=strategy_id))

    # -- charges ----------------------------------------------------------------------------
    def _charge(self, row: RunOrder) -> Decimal:
        """Rupees that the fills of an order cost, by the plan in force."""
        return self._cost(
            (row.exchange, row.symbol), row.product, row.action, row.filled, row.average_price
        )

    def _close_cost(self, place: Place, price: Decimal) -> Decimal:
        action = Action.SELL if place.side > 0 else Action.BUY
        return self._cost(place.key, place.product, action, place.held, float(price))

    def _cost(
        self, key: Key, product: Product, action: Action, units: int, price: float
    ) -> Decimal:
        row = self.ground.instruments.get(key)
        if row is None or not units or price <= 0:
            return ZERO
        day = self.ground.clock.now().astimezone(IST).date()
        cost = self.ground.estimator().charges(row, product, action, units, price, day)
        return Decimal(str(cost))

    def with_figures(self, live: LiveRun) -> Run:
        """The run with what it gave so far."""
        result, guard = live.result(), live.state.guard
        live.run = msgspec.structs.replace(
            live.run,
            pnl_realized=result.realised,
            pnl_peak=guard.peak,
            pnl_trough=guard.trough,
            charges=result.charges,
        )
        return live.run

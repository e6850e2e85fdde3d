"""What prices and results do to runs."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from openalgo_desktop.automation.strategies.exits import Exits
from openalgo_desktop.automation.strategies.live import LiveRun
from openalgo_desktop.automation.strategies.runs import Runs
from openalgo_desktop.automation.strategies.state import WaitFor
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.strategies import run_rules
from openalgo_desktop.core.strategies.words import StopReason


class Judge:
    """Hears prices, and judges results by the combined rules."""

    def __init__(self, runs: Runs, exits: Exits, wake: Callable[[LiveRun], None]) -> None:
        self._runs = runs
        self._ground = runs.ground
        self._exits = exits
        self._wake = wake

    def heard(self, key: Key, price: Decimal) -> None:
        """A fresh price of an open market."""
        for live in self._runs.of_key(key):
            if live.over or live.recovering:
                continue
            for place in live.open_at(key):
                place.ltp = price
                live.value(place)
            if live.state.waiting:
                self._wait(live, key, price)
            total = live.total()
            if total is None or not live.quiet[0] < total < live.quiet[1]:
                self.judge(live)
            self._runs.changed(live.strategy_id)

    def _wait(self, live: LiveRun, key: Key, price: Decimal) -> None:
        for row in live.state.waiting:
            if row.key != key or row.due or row.why is WaitFor.RANGE:
                continue
            if price >= row.level if row.above else price <= row.level:
                row.due = True
                self._wake(live)

    def judge(self, live: LiveRun) -> None:
        """The combined rules of a run look at its result; also after a fill, and every second for
        the session of the daily loss."""
        total = live.total()
        if total is None or live.state.leaving is not None or live.recovering:
            return
        guard = run_rules.new_session(live.state.guard, self._ground.clock.now(), total)
        found = run_rules.judge(live.definition, guard, total)
        before, live.state.guard = live.state.guard, found.guard
        live.quiet = run_rules.quiet(live.definition, found.guard)
        for kind in found.told:
            text = f"result {total:.2f}, floor {found.guard.floor}"
            self._runs.tell(live, kind, text, payload={"result": float(total)})
        if found.told or before.floor != found.guard.floor:
            self._runs.save(live)
        if found.reason is not None:
            self._reached(live, found.reason, total)

    def _reached(self, live: LiveRun, reason: StopReason, total: Decimal) -> None:
        d, state = live.definition, live.state
        again = reason in (StopReason.OVERALL_SL, StopReason.OVERALL_TARGET)
        if again and state.overall_used < d.overall_reentries:
            state.overall_used += 1
            state.restart = True
        self._exits.leave(live, reason, f"{reason.value} at {total:.2f} rupees")
        self._wake(live)

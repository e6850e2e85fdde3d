"""Local triggers: an order that goes out when the price comes, at most once.

It may open a position, so it is stricter than an exit: it goes out only while the switch stands in
its own mode, it is never tried again, and what was reached while the program did not run waits for
a human.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from openalgo_desktop.core import exit_rules as rules
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import JournalState, Mode
from openalgo_desktop.core.errors import AppError, OrderStateUnknown
from openalgo_desktop.core.events import Bus, Notice
from openalgo_desktop.core.exits import PlanState, Trigger
from openalgo_desktop.core.instruments import is_over
from openalgo_desktop.core.money import plain
from openalgo_desktop.core.ports import InstrumentLookup, TradingGateway
from openalgo_desktop.trading.books import in_turns
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.watch.apart import apart
from openalgo_desktop.trading.watch.sent import SentOrders
from openalgo_desktop.trading.watch.shelf import TURN, Shelf

log = logging.getLogger(__name__)


class Triggers:
    """The local triggers of one desk."""

    def __init__(
        self,
        clock: Clock,
        bus: Bus,
        desk: OrderDesk,
        shelf: Shelf,
        sent: SentOrders,
        instruments: InstrumentLookup,
    ) -> None:
        self._instruments = instruments
        self._clock = clock
        self._bus = bus
        self._desk = desk
        self._shelf = shelf
        self._sent = sent
        self._unseen: set[str] = set()  # no price was seen since the program (or account) came
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: set[str] = set()

    async def stop(self) -> None:
        """End what is under way; an order that was sent is found by the next start."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def start(self) -> None:
        """Take up the triggers of earlier runs."""
        self.doubt()
        for trigger in tuple(self._shelf.triggers.values()):
            if trigger.state is PlanState.EXITING:
                self._own(trigger, self._settle(trigger.plan_id))

    def doubt(self, mode: Mode | None = None) -> None:
        """Prices were not watched for a while: what was reached meanwhile is for a human."""
        self._unseen |= {
            name for name, row in self._shelf.triggers.items() if mode in (None, row.mode)
        }

    def stop_all(self, mode: Mode, why: str) -> None:
        """End what waits in a mode: the kill switch leaves nothing that may still open."""
        for trigger in tuple(self._shelf.triggers.values()):
            if trigger.mode is mode and trigger.state in (PlanState.ACTIVE, PlanState.PAUSED):
                self._shelf.end(trigger, why, PlanState.CANCELLED)

    def expire(self, today: date) -> None:
        """End what waits for a contract that is over."""
        for trigger in tuple(self._shelf.triggers.values()):
            row = self._instruments.get(trigger.key)
            if is_over(trigger.symbol, row, today):
                self._shelf.end(trigger, "the contract has expired", PlanState.CANCELLED)

    async def look(self) -> None:
        """Find out what became of orders whose answer was lost; in turns."""
        async for part in in_turns(tuple(self._shelf.triggers), TURN):
            for plan_id in part:
                trigger = self._shelf.triggers.get(plan_id)
                if trigger is None or plan_id in self._busy:
                    continue
                if trigger.state is PlanState.EXITING:
                    self._own(trigger, self._settle(plan_id))

    def heard(self, trigger: Trigger, price: Decimal) -> None:
        """A fresh price of the instrument."""
        if trigger.state is not PlanState.ACTIVE:
            return
        number = rules.reached(trigger, price)
        missed = trigger.plan_id in self._unseen
        if self._gateway(trigger) is None:
            return
        self._unseen.discard(trigger.plan_id)
        if number < 0:
            return
        at = plain(float(trigger.legs[number].price))
        if missed:
            text = f"{at} was reached while it was not watched; nothing was sent."
            self._end(trigger, text, PlanState.PAUSED, "warning")
            return
        if trigger.mode is not self._desk.mode:
            text = (
                f"{at} was reached while the switch stands at {self._desk.mode.value.upper()}; "
                "nothing was sent."
            )
            self._end(trigger, text, PlanState.PAUSED, "warning")
            return
        trigger = self._shelf.put(
            msgspec.structs.replace(
                trigger,
                state=PlanState.EXITING,
                fired=number,
                fired_at=self._clock.now(),
                message=f"reached at {plain(float(price))}",
            )
        )
        self._own(trigger, self._send(trigger))

    def _own(self, trigger: Trigger, work: Coroutine[Any, Any, None]) -> None:
        self._busy.add(trigger.plan_id)
        task = apart(work, f"trigger {trigger.plan_id}")
        self._tasks.add(task)

        def over(_: object) -> None:
            self._tasks.discard(task)
            self._busy.discard(trigger.plan_id)
            if not task.cancelled() and (error := task.exception()) is not None:
                log.error("trigger %s failed", trigger.plan_id, exc_info=error)

        task.add_done_callback(over)

    def _gateway(self, trigger: Trigger) -> TradingGateway | None:
        try:
            gateway = self._desk.gateway_of(trigger.mode)
        except AppError:
            return None
        return gateway if gateway.account_id == trigger.account_id else None

    async def _send(self, trigger: Trigger) -> None:
        request = trigger.legs[trigger.fired].request
        if not self._stands(trigger):
            return
        try:
            trigger = await self._shelf.keep(trigger)  # before anything leaves
            if not self._stands(trigger):
                return
            placed = await self._desk.place(
                request, trigger.exit_source, trigger.mode, account=trigger.account_id
            )
        except OrderStateUnknown as error:
            self._shelf.put(msgspec.structs.replace(trigger, message=error.message))
        except AppError as error:
            text = f"the order was refused: {error.message}"
            if error.sent:
                trigger = msgspec.structs.replace(trigger, order_ids=error.sent)
            self._end(trigger, text, PlanState.FAILED, "error")
        else:
            self._done(trigger, placed.ids)

    def _stands(self, trigger: Trigger) -> bool:
        """Whether nobody deleted it since it was reached."""
        current = self._shelf.triggers.get(trigger.plan_id)
        return current is not None and current.state is PlanState.EXITING

    def _done(self, trigger: Trigger, ids: tuple[str, ...]) -> None:
        trigger = msgspec.structs.replace(trigger, order_ids=ids)
        self._end(trigger, f"order {', '.join(ids)} was sent", PlanState.DONE, "info")

    def _end(self, trigger: Trigger, text: str, state: PlanState, level: str) -> None:
        self._shelf.end(trigger, text, state)
        line = f"Trigger of {trigger.symbol}: {text}"
        log.warning("%s", line)
        self._bus.publish(Notice(level=level, text=line, at=self._clock.now()))

    async def _settle(self, plan_id: str) -> None:
        """What became of a trigger that was reached in an earlier run, or unknown in this one."""
        trigger = self._shelf.triggers.get(plan_id)
        if trigger is None or trigger.state is not PlanState.EXITING or trigger.fired_at is None:
            return
        gateway = self._gateway(trigger)
        if gateway is None:
            return
        try:
            sent = await self._sent.of(trigger, trigger.fired_at, gateway)
        except AppError as error:
            log.info("trigger %s is not settled yet: %s", plan_id, error)
            return
        if not sent.entries:  # an intent is on disk before anything leaves: nothing did
            self._unseen.add(plan_id)
            self._shelf.put(
                msgspec.structs.replace(
                    trigger, state=PlanState.ACTIVE, fired=-1, message="nothing was sent"
                )
            )
            return
        if any(row.state in (JournalState.INTENT, JournalState.UNKNOWN) for row in sent.entries):
            return
        ids = tuple(row.order_id for row in sent.entries if row.state is JournalState.ACKNOWLEDGED)
        if ids:
            self._done(trigger, ids)
        else:
            text = f"the order was refused: {sent.entries[-1].message}"
            self._end(trigger, text, PlanState.FAILED, "error")

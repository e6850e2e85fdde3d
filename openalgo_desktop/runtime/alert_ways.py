"""The ways of alerts into the program: orders through the corridor of their own mode, hosted
programs and made strategies by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from openalgo_desktop.core.alert_acts import SendOrder
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import ConfigError, RiskBlocked
from openalgo_desktop.core.ports import JournalEntry
from openalgo_desktop.core.strategies.ports import (
    ProgramHost,
    StrategyEngine,
    StrategyNotFound,
)
from openalgo_desktop.core.strategies.words import TriggerSource

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal

#: Kind of their requests in the action centre.
KIND = "alertorder"


class AlertCorridor:
    """:class:`Corridor`: a fixed mode and account, whatever the switch says; orders of sources
    that need a human wait for one, and go out in the same mode and account when he approves."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        terminal.approvals.run_with(KIND, self._approved)

    def trades(self, exchange: str) -> bool:
        """Whether the market is open."""
        return self._terminal.market_open(exchange)

    async def place(self, order: SendOrder, source: str) -> str:
        """Send it, or queue it for a human."""
        approvals = self._terminal.approvals
        if approvals.needed(source):
            payload = msgspec.to_builtins(order.request) | {
                "mode": order.mode.value,
                "account": order.account,
            }
            number = await approvals.queue(KIND, payload, source, [order.request.key])
            return _queued(number)
        return ", ".join(await self._send(order, source))

    async def _send(self, order: SendOrder, source: str) -> tuple[str, ...]:
        lane = self._terminal.desk.bound(order.mode)
        placed = await lane.place(order.request, source, order.mode, account=order.account)
        return placed.ids

    async def _approved(self, payload: dict[str, Any], source: str) -> dict[str, Any]:
        order = msgspec.convert(
            {"request": payload, "mode": payload["mode"], "account": payload["account"]}, SendOrder
        )
        return {"status": "success", "orderid": ", ".join(await self._send(order, source))}

    async def sent(self, source: str, since: datetime) -> Sequence[JournalEntry]:
        """What the journal has of that source."""
        return await self._terminal.journal.sent_by(source, since)

    async def queued(self, source: str, since: datetime) -> str:
        """That it came to the action centre; what a human decided is to be seen there."""
        for row in await self._terminal.approvals.recent():
            if row.source == source and row.created_at >= since:
                return _queued(row.approval_id)
        return ""


def _queued(number: int) -> str:
    return f"waits in the action centre as request {number}"


class AlertStrategies:
    """:class:`Strategies`: a hosted program of that name, else a made strategy. ``serving`` is the
    account that takes the orders of a mode; raises :class:`AppError` for none."""

    def __init__(
        self, programs: ProgramHost, made: StrategyEngine, serving: Callable[[Mode], str]
    ) -> None:
        self._programs = programs
        self._made = made
        self._serving = serving

    async def check(self, name: str) -> None:
        """Raises :class:`StrategyNotFound`, and :class:`ConfigError` for a name of several."""
        if not self._is_program(name):
            await self._strategy(name)

    def _is_program(self, name: str) -> bool:
        return any(view.hosted.name == name for view in self._programs.all())

    async def _strategy(self, name: str) -> int:
        found = [row for row in await self._made.find(words=name) if row.definition.name == name]
        if not found:
            raise StrategyNotFound(f"There is no strategy {name}.")
        if len(found) > 1:
            raise ConfigError(f"There are {len(found)} strategies of the name {name}.")
        return found[0].strategy_id

    async def run(self, name: str, mode: Mode, by: str, account: str) -> None:
        """Start it; its own rules for a mode hold."""
        program = self._is_program(name)
        number = 0 if program else await self._strategy(name)
        if mode is Mode.LIVE and (serving := self._serving(mode)) != account:
            raise RiskBlocked(
                f"Live orders go to the account {serving} now and it was to start {name} in "
                f"{account or 'one that it does not name'}; it was not started. Change the alert."
            )
        if program:
            await self._programs.start(name, mode, by)
        else:
            await self._made.start(number, mode, TriggerSource.SCHEDULER, by)

    async def stop(self, name: str, by: str) -> None:
        """Stop it, as its own settings say."""
        if self._is_program(name):
            await self._programs.stop(name, by)
        else:
            await self._made.stop(await self._strategy(name), by)

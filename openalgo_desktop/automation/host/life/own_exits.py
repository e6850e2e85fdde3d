"""Closing what a strategy itself holds, at its stop: by our own book, in its mode and account,
through the exits that everybody uses. Never more than the account holds on that side."""

from __future__ import annotations

import asyncio
import logging

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.trading.bound import BoundLane
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.own_part import OwnPart
from openalgo_desktop.trading.ownbook import PositionKey

log = logging.getLogger(__name__)

#: Seconds until what was sent must have filled, and between looks.
SETTLE, POLL = 20.0, 0.1
#: An order that the program sent in its last moment may fill while this goes on: look once more.
ROUNDS = 2


class OwnExits:
    """Works on the lane of a mode, wherever the switch stands."""

    def __init__(self, desk: OrderDesk, *, settle: float = SETTLE) -> None:
        self._desk = desk
        self._settle = settle

    async def close(self, name: str, mode: Mode, account_id: str) -> tuple[str, ...]:
        """Take back its working orders, close what it holds, wait until that is so. Sentences
        about what could not be confirmed."""
        lane = self._desk.bound(mode)
        now = lane.gateway.account_id
        if account_id not in ("", now):
            return (
                f"What it holds is in the account {account_id} and orders go to {now} now: nothing "
                "was sent. Look at its positions there.",
            )
        if not await self._known(mode):
            return ("The positions of the account are not known yet: nothing was sent.",)
        own, source = OwnPart(lane, name), f"stop:{name}"
        await own.until_read()
        told: list[str] = []
        failed: dict[PositionKey, str] = {}
        left: dict[PositionKey, int] = {}
        for _ in range(ROUNDS):
            await self._desk.quiet()
            told = await self._cancel(own, source)
            told += await self._delivered(own)
            units = own.units()
            if not units:
                left = {}
                break
            failed = await self._send(lane, own, source, account_id, units)
            left = await self._left(own, set(failed))
            if left:
                break  # what has not filled is under way: it is not sent again
        for key, held in left.items():
            why = failed.get(key, "its exit has not filled yet")
            told.append(f"{held:+,} {key[1]} ({key[2].value}) may still be open: {why}")
        told += [
            f"{units:+,} {key[1]} ({key[2].value}) of its book are set off by other positions of "
            "the account, which stands on the other side: nothing was sent for them."
            for key, units in own.set_off().items()
        ]
        return tuple(told)

    async def _known(self, mode: Mode) -> bool:
        """Whether the books of the account were read; soon after a start that takes a moment."""
        for _ in range(int(self._settle / POLL)):
            if self._desk.books.book(mode).day is not None:
                return True
            await asyncio.sleep(POLL)
        return False

    async def _cancel(self, own: OwnPart, source: str) -> list[str]:
        try:
            result = await own.cancel_all(source)
        except AppError as error:
            return [f"Its working orders could not be read: {error.message}"]
        return [f"Order {one} may still work: {why}" for one, why in result.failed]

    async def _delivered(self, own: OwnPart) -> list[str]:
        """Look for shares of earlier days."""
        try:
            await own.look_at_holdings()
        except AppError as error:
            return [f"What it holds of delivered shares could not be read: {error.message}"]
        return []

    async def _send(
        self,
        lane: BoundLane,
        own: OwnPart,
        source: str,
        account: str,
        units: dict[PositionKey, int],
    ) -> dict[PositionKey, str]:
        """Exits of all; why some were refused. They are standing ones: an exit waits for no
        human."""
        failed: dict[PositionKey, str] = {}
        for key, held in units.items():
            try:
                await lane.exits.close(
                    key,
                    source,
                    lane.mode,
                    at_most=abs(held),
                    strategy=own.strategy,
                    standing=True,
                    side=1 if held > 0 else -1,
                    account=account,
                    delivered=own.delivered(key),
                )
            except AppError as error:
                failed[key] = error.message
                log.error("%s: %s was not closed: %s", own.strategy, key[1], error.message)
        return failed

    async def _left(self, own: OwnPart, failed: set[PositionKey]) -> dict[PositionKey, int]:
        """What it still holds when all that was sent has had its time."""
        for _ in range(int(self._settle / POLL)):
            left = own.units()
            if set(left) <= failed:
                return left
            await asyncio.sleep(POLL)
        return own.units()

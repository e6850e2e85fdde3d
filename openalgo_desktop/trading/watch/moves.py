"""What a conversion does to watched exits: they move along with the units of their position.

A plan is marked on disk before the conversion leaves, and its mark names the row of the journal.
So whenever the program ends, the next start knows that the units may have either product, and the
journal and the position book say which. While that is not known its exits go where the book shows
the units, and the plan is never taken for one of a position that is closed.
"""

from __future__ import annotations

import asyncio

import msgspec

from openalgo_desktop.core import exit_rules as rules
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.errors import OrderError, StorageError
from openalgo_desktop.core.exits import ExitPlan, Move, PlanState
from openalgo_desktop.trading.watch.follow import Follower
from openalgo_desktop.trading.watch.shelf import Shelf


class Moves:
    """The exit plans of one desk, as its conversions see them."""

    def __init__(self, clock: Clock, shelf: Shelf, follower: Follower) -> None:
        self._clock = clock
        self._shelf = shelf
        self._follower = follower

    async def begin(self, account_id: str, request: ConvertRequest, tag: str, mode: Mode) -> None:
        """Mark the plans of a position before its conversion leaves; done when that is durable.
        Raises :class:`OrderError` while one of them is on its way out, and
        :class:`StorageError`."""
        plans = self._of(account_id, request, request.product, mode)
        if any(plan.state is PlanState.EXITING for plan in plans):
            raise OrderError(
                f"An exit of {request.symbol} is on its way: the position is not converted now."
            )
        move = Move(request.to, tag, self._clock.now(), alone=not request.there)
        marked = [msgspec.structs.replace(plan, moving=move) for plan in plans]
        done = await asyncio.gather(*map(self._shelf.keep, marked), return_exceptions=True)
        for error in done:
            if isinstance(error, BaseException):
                raise error if isinstance(error, StorageError) else StorageError(str(error))

    def end(
        self, account_id: str, request: ConvertRequest, tag: str, mode: Mode, *, done: bool
    ) -> None:
        """It is known what became of a conversion. Plans that were made meanwhile move, too."""
        if done and request.there:
            for plan in self._of(account_id, request, request.to, mode):
                if plan.whole and plan.held:  # what comes to its position has its own exits
                    self._shelf.put(msgspec.structs.replace(plan, quantity=plan.held))
        for plan in self._of(account_id, request, request.product, mode):
            marked = plan.moving is not None and plan.moving.tag == tag
            if done and (marked or plan.moving is None):
                moved = rules.converted(plan, request.to, alone=not request.there)
                self._follower.moved(self._shelf.put(moved))
            elif marked:
                self._follower.moved(self._shelf.put(msgspec.structs.replace(plan, moving=None)))

    def _of(
        self, account_id: str, request: ConvertRequest, product: Product, mode: Mode
    ) -> list[ExitPlan]:
        """Plans of units that are held; an entry that fills later has its own product."""
        return [
            plan
            for plan in self._shelf.of_position((*request.key, product), mode)
            if plan.account_id == account_id and plan.state is not PlanState.WAITING
        ]

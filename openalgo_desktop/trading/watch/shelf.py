"""The plans in memory, by instrument, and on disk: their one owner."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import OrderNotFound, StorageError
from openalgo_desktop.core.events import Bus, ExitPlanChanged, Notice
from openalgo_desktop.core.exits import AnyPlan, ExitPlan, PlanState, ResultExit, Trigger
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ports import PlanStore
from openalgo_desktop.trading.ownbook import PositionKey

log = logging.getLogger(__name__)
P = TypeVar("P", bound=AnyPlan)

#: Ended plans that are kept in memory, for the window.
ENDED = 200
#: Plans that are looked at before others get the loop; a millisecond at most.
TURN = 50
#: What leaves in any case waits so long for a disk that does not answer; seconds.
DISK_WAITS = 1.0


class Shelf:
    """Every change of a plan goes through :meth:`put`: memory, disk, bus."""

    def __init__(self, clock: Clock, bus: Bus, store: PlanStore) -> None:
        self._clock = clock
        self._bus = bus
        self._store = store
        self.exits: dict[str, ExitPlan] = {}
        self.triggers: dict[str, Trigger] = {}
        self.results: dict[str, ResultExit] = {}
        self._by_key: dict[Key, dict[str, None]] = {}
        self._by_under: dict[Key, dict[str, None]] = {}  # plans whose legs stand on another price
        self._ended: OrderedDict[str, AnyPlan] = OrderedDict()
        self._unsaved: dict[str, AnyPlan] = {}
        self._new: set[str] = set()  # made just now, not on disk yet: nothing acts on them
        self._keeping: set[asyncio.Future[Any]] = set()
        self._told = False  # that the disk does not take them
        #: Told when an instrument may be wanted, or not any more.
        self.on_key: Callable[[Key], None] = lambda key: None

    async def load(self) -> None:
        """The plans of earlier runs."""
        for plan in await self._store.recent(ENDED):
            if not plan.state.is_open:
                self._ended[plan.plan_id] = plan
        self._ended = OrderedDict(reversed(self._ended.items()))
        for plan in await self._store.unended():
            self._enter(plan)

    # -- asking -----------------------------------------------------------------------------
    def all(self, mode: Mode | None = None) -> list[AnyPlan]:
        """Open plans, then ended ones, newest first in each."""
        rows: list[AnyPlan] = [*self.exits.values(), *self.triggers.values()]
        rows += self.results.values()
        rows.sort(key=lambda plan: plan.created_at, reverse=True)
        rows += reversed(self._ended.values())
        return [plan for plan in rows if mode in (None, plan.mode)]

    def get(self, plan_id: str) -> AnyPlan:
        """Raises :class:`OrderNotFound`."""
        found = (
            self.exits.get(plan_id)
            or self.triggers.get(plan_id)
            or self.results.get(plan_id)
            or self._ended.get(plan_id)
        )
        if found is None:
            raise OrderNotFound(plan_id)
        return found

    def ended(self, plan_id: str) -> AnyPlan | None:
        """A plan that has ended lately."""
        return self._ended.get(plan_id)

    def of(self, key: Key, mode: Mode) -> list[AnyPlan]:
        """Open exit plans and triggers of an instrument in a mode, newest first."""
        rows: list[AnyPlan] = [*self.exits_of(key), *self.triggers_of(key)]
        rows.sort(key=lambda plan: plan.created_at, reverse=True)
        return [plan for plan in rows if plan.mode is mode]

    def exits_of(self, key: Key) -> list[ExitPlan]:
        """Open exit plans of an instrument."""
        return [self.exits[name] for name in self._by_key.get(key, ()) if name in self.exits]

    def unders_of(self, key: Key) -> list[ExitPlan]:
        """Open exit plans that look at the price of an instrument that is not their own."""
        return [self.exits[name] for name in self._by_under.get(key, ()) if name in self.exits]

    def of_position(self, position: PositionKey, mode: Mode) -> list[ExitPlan]:
        """Open exit plans of a position."""
        rows = self.exits_of(position[:2])
        return [plan for plan in rows if plan.position == position and plan.mode is mode]

    def triggers_of(self, key: Key) -> list[Trigger]:
        """Open triggers of an instrument."""
        return [self.triggers[name] for name in self._by_key.get(key, ()) if name in self.triggers]

    def wants(self, key: Key) -> bool:
        """Whether prices of an instrument matter to a plan."""
        rows = (*self.exits_of(key), *self.unders_of(key), *self.triggers_of(key))
        return any(plan.state.is_watched for plan in rows)

    def keys(self) -> list[Key]:
        """Instruments with open plans."""
        return list(self._by_key)

    # -- keeping ----------------------------------------------------------------------------
    def put(self, plan: P, *, quiet: bool = False) -> P:
        """Know a plan as it is now. A ``quiet`` change (a trailing stop) goes to the disk with
        the next :meth:`flush`."""
        plan = msgspec.structs.replace(plan, updated_at=self._clock.now())
        self._enter(plan)
        if quiet:
            self._unsaved[plan.plan_id] = plan
        else:
            self._unsaved.pop(plan.plan_id, None)
            self._save(plan)
        self._bus.publish(ExitPlanChanged(plan=plan))
        return plan

    async def keep(self, plan: P) -> P:
        """:meth:`put` that returns when it is durable. Raises :class:`StorageError`, and then the
        plan is what it was before: what was told as failed is not acted on."""
        before = self._known(plan.plan_id)
        if before is None:
            self._new.add(plan.plan_id)
        plan = self.put(plan, quiet=True)
        self._unsaved.pop(plan.plan_id, None)
        saving = self._store.save(plan)
        self._keeping.add(saving)
        if saving.done():
            self._kept(plan, before, saving)
        else:
            saving.add_done_callback(lambda done: self._kept(plan, before, done))
        try:
            await asyncio.shield(saving)  # a caller who goes away takes nothing back
        except StorageError as error:
            raise StorageError.unchanged(error) from error
        return plan

    async def secure(self, plan: AnyPlan) -> None:
        """:meth:`keep` for what leaves in any case: a full disk, and one that does not answer in
        :data:`DISK_WAITS`, keeps no exit in."""
        saving = asyncio.ensure_future(self.keep(plan))
        self._keeping.add(saving)
        saving.add_done_callback(self._keeping.discard)
        saving.add_done_callback(lambda done: done.cancelled() or done.exception())
        done, _ = await asyncio.wait({saving}, timeout=DISK_WAITS)
        error = saving.exception() if done else "the disk does not answer"
        if error is not None:
            log.error("exit plan %s leaves before it is stored: %s", plan.plan_id, error)

    def is_stored(self, plan: AnyPlan) -> bool:
        """Whether a plan was ever on disk; before that it may set off nothing."""
        return plan.plan_id not in self._new

    def flush(self) -> None:
        """Bring quiet changes to the disk, and what it did not take."""
        rows, self._unsaved = self._unsaved, {}
        for plan in rows.values():
            self._save(plan)

    def _known(self, plan_id: str) -> AnyPlan | None:
        try:
            return self.get(plan_id)
        except OrderNotFound:
            return None

    def _save(self, plan: AnyPlan) -> None:
        self._store.save(plan).add_done_callback(lambda done: self._saved(plan, done))

    def _saved(self, plan: AnyPlan, done: asyncio.Future[Any]) -> None:
        """What the disk did not take comes again with the next :meth:`flush`, unless the plan has
        moved on."""
        if self._stored(done):
            return
        if self._known(plan.plan_id) in (None, plan):
            self._unsaved.setdefault(plan.plan_id, plan)

    def _kept(self, plan: AnyPlan, before: AnyPlan | None, done: asyncio.Future[Any]) -> None:
        self._keeping.discard(done)
        self._new.discard(plan.plan_id)
        if done.cancelled() or done.exception() is None:
            self._stored(done)
            return
        now = self._known(plan.plan_id)
        if now is not plan:  # it went on meanwhile, and the disk has nothing of it
            if now is not None:
                self._stored(done)
                self._unsaved.setdefault(plan.plan_id, now)
            return
        if before is None:
            self._leave(plan)
            text = "it could not be stored"
            before = msgspec.structs.replace(plan, state=PlanState.CANCELLED, message=text)
        else:
            self._enter(before)
        self._unsaved[plan.plan_id] = before  # nobody knows what the disk has
        self._bus.publish(ExitPlanChanged(plan=before))

    def _stored(self, done: asyncio.Future[Any]) -> bool:
        """Whether a write was done; the first that was not is told."""
        error = None if done.cancelled() else done.exception()
        if error is None:
            if self._told and not done.cancelled():
                self._told = False
                self._tell("info", "Stops, targets and triggers are on disk again.")
            return True
        log.error("exit plans are not stored: %s", error)
        if not self._told:
            self._told = True
            self._tell(
                "error",
                f"Stops, targets and triggers cannot be stored: {error} They are watched as they "
                "are shown, but what changes now is lost if the program ends.",
            )
        return False

    def _tell(self, level: str, text: str) -> None:
        self._bus.publish(Notice(level=level, text=text, at=self._clock.now()))

    def _enter(self, plan: AnyPlan) -> None:
        if not plan.state.is_open:
            self._leave(plan)
            self._ended[plan.plan_id] = plan
            while len(self._ended) > ENDED:
                self._ended.popitem(last=False)
            return
        self._ended.pop(plan.plan_id, None)
        match plan:
            case ExitPlan():
                self.exits[plan.plan_id] = plan
            case Trigger():
                self.triggers[plan.plan_id] = plan
            case ResultExit():
                self.results[plan.plan_id] = plan
        self._index(self._by_key, plan.key if plan.symbol else None, plan.plan_id)
        self._index(self._by_under, _under(plan), plan.plan_id)

    def _index(self, index: dict[Key, dict[str, None]], key: Key | None, plan_id: str) -> None:
        if key is not None:
            index.setdefault(key, {})[plan_id] = None
            self.on_key(key)

    def _unindex(self, index: dict[Key, dict[str, None]], key: Key | None, plan_id: str) -> None:
        names = index.get(key) if key is not None else None
        if names is not None and key is not None:
            names.pop(plan_id, None)
            if not names:
                del index[key]
            self.on_key(key)

    def _leave(self, plan: AnyPlan) -> None:
        self.exits.pop(plan.plan_id, None)
        self.triggers.pop(plan.plan_id, None)
        self.results.pop(plan.plan_id, None)
        self._unindex(self._by_key, plan.key, plan.plan_id)
        self._unindex(self._by_under, _under(plan), plan.plan_id)

    def end(self, plan: P, message: str, state: PlanState = PlanState.DONE) -> P:
        """A plan is over."""
        return self.put(msgspec.structs.replace(plan, state=state, message=message))


def _under(plan: AnyPlan) -> Key | None:
    match plan:
        case ExitPlan():
            return plan.under_key
    return None

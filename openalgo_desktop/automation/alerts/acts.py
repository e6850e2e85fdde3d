"""What alerts do beside telling: a table of kinds.

Whatever moves money is written down before it leaves and done at most once. A row that a stopped
program left behind is settled by the journal at the next start: an order that has an intent there
was sent (its state says what became of it); without one nothing left, and nothing leaves any more.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from itertools import islice
from typing import NamedTuple

import msgspec

from openalgo_desktop.automation.alerts.ports import Corridor, DeedStore, Poster, Strategies
from openalgo_desktop.core.alert_acts import (
    Act,
    Deed,
    PostTo,
    RunStrategy,
    SendOrder,
    StopStrategy,
    act_name,
)
from openalgo_desktop.core.alert_deeds import DeedRow, DeedState
from openalgo_desktop.core.alerts import AlertWish, PriceAlert, ToldAlert
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import JournalState
from openalgo_desktop.core.errors import (
    AppError,
    InvalidOrder,
    OrderError,
    OrderStateUnknown,
    RiskBlocked,
    StorageError,
)
from openalgo_desktop.core.events import Bus, Notice

log = logging.getLogger(__name__)

#: An order that could not leave within this time of its price is not sent; seconds.
LATE = 5.0
#: Rows of deeds are kept so long; the journal and the log have them longer.
KEPT = timedelta(days=7)
#: The wall clock may have been put back since.
_SLACK = timedelta(days=1)
#: So often it is asked what became of an order that nobody knows; seconds.
AGAIN = 10.0
#: So many old rows are looked at each time.
TURN = 50
NO_STRATEGIES = "Action: strategies cannot be run from alerts here: the strategy host is not there."
STOPPED = "The program stopped before it was done; it was not done afterwards."


class Scene(NamedTuple):
    """The time that an alert told: ``kept`` is done when the alert is on disk as it is now, the
    ``doubt`` is why what moves money must not be done (empty: it may), ``at`` when it told by the
    monotonic clock, ``body`` fills a template with the facts of the moment."""

    alert: PriceAlert
    told: ToldAlert
    kept: Awaitable[object]
    doubt: str
    at: float
    body: Callable[[str], bytes]


class Actors:
    """Does what alerts ask. ``settled`` hears the log row, the name of the act, what became of it
    and whether it was done, where that is known only later."""

    def __init__(
        self,
        clock: Clock,
        bus: Bus,
        store: DeedStore,
        corridor: Corridor,
        poster: Poster,
        stands: Callable[[str], bool],
        settled: Callable[[str, str, str, bool], None],
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._store = store
        self._corridor = corridor
        self._poster = poster
        self._stands = stands
        self._settled = settled
        #: Set by whoever hosts strategies.
        self.strategies: Strategies | None = None
        self._rows: dict[str, DeedRow] = {}
        self._open: set[str] = set()  # those whose end is not known
        self._orders: dict[tuple[str, date], int] = {}  # sent by an alert on a day
        self._busy: set[str] = set()
        self._asked = float("-inf")
        self._earlier: dict[str, DeedRow] = {}  # of the run before, not settled yet

    async def start(self) -> None:
        """Take up what an earlier run left."""
        for row in await self._store.load():
            if row.state.is_open:
                self._earlier[row.deed_id] = row
            if self._clock.now() - row.at > KEPT and not row.state.is_open:
                self._store.forget(row.deed_id)
            else:
                self._count(row)
                self._put(row)

    def earlier(self) -> list[DeedRow]:
        """Those that the run before left open: their alerts told, whatever is kept of them."""
        return list(self._earlier.values())

    def ended(self) -> list[DeedRow]:
        """Those whose end is known."""
        return [row for row in self._rows.values() if not row.state.is_open]

    # -- checking ---------------------------------------------------------------------------
    async def check(self, wish: AlertWish) -> None:
        """Raises :class:`InvalidOrder` for what cannot be done here."""
        for act in wish.acts:
            if isinstance(act, RunStrategy | StopStrategy):
                if self.strategies is None:
                    raise InvalidOrder(NO_STRATEGIES, field="acts")
                try:
                    await self.strategies.check(act.name)
                except AppError as error:
                    raise InvalidOrder(f"Action: {error.message}", field="acts") from None

    # -- doing ------------------------------------------------------------------------------
    async def do(self, act: Act, scene: Scene) -> str:
        """Do one; returns what to note beside it. Raises :class:`AppError` with the reason why it
        was not done (or is not known to be)."""
        if isinstance(act, PostTo):
            # Who hears it may trade: an alert that a start would watch again has not told. A full
            # disk is waited for no longer than its refusal.
            with suppress(StorageError):
                await asyncio.shield(scene.kept)
            return await self._poster.post(act, scene.body(act.body), scene.told.told_id)
        if scene.doubt and not isinstance(act, StopStrategy):
            raise RiskBlocked(scene.doubt)
        if isinstance(act, SendOrder):
            self._check_order(act, scene.alert)
        row = self._made(act, scene)
        self._busy.add(row.deed_id)
        try:
            return await self._carry_out(row, scene)
        finally:
            self._busy.discard(row.deed_id)

    def _check_order(self, act: SendOrder, alert: PriceAlert) -> None:
        exchange = act.request.exchange
        if not self._corridor.trades(exchange):
            raise RiskBlocked(f"{exchange} is closed; the order was not sent.")
        if any(self._rows[name].alert_id == alert.alert_id for name in self._open - self._busy):
            raise RiskBlocked(
                "What became of its order before is not known yet; this one was not sent."
            )
        most = act.per_day if alert.wish.again else 0
        sent = self._orders.get((alert.alert_id, self._clock.now().date()), 0)
        if most and sent >= most * _orders(alert.wish):
            raise RiskBlocked(f"It sent {most} orders today already; this one was not sent.")

    def _count(self, row: DeedRow) -> None:
        if isinstance(row.act, SendOrder):
            place = (row.alert_id, row.at.date())
            self._orders[place] = self._orders.get(place, 0) + 1

    def _put(self, row: DeedRow) -> None:
        self._rows[row.deed_id] = row
        if row.state.is_open:
            self._open.add(row.deed_id)
        else:
            self._open.discard(row.deed_id)

    def _made(self, act: Deed, scene: Scene) -> DeedRow:
        alert, now = scene.alert, self._clock.now()
        row = DeedRow(
            f"{alert.alert_id}-{secrets.token_hex(3)}",
            alert.alert_id,
            scene.told.told_id,
            act_name(act),
            act,
            now,
        )
        self._count(row)
        self._put(row)
        return row

    async def _carry_out(self, row: DeedRow, scene: Scene) -> str:
        try:
            await self._store.save(row)  # before anything leaves
            await scene.kept
        except StorageError as error:
            self._end(row, DeedState.REFUSED, error.message)
            raise StorageError(f"It could not be stored, so it was not done: {error}") from error
        try:
            self._check_moment(scene)
            text = await self._perform(row)
        except OrderStateUnknown as error:
            self._end(row, DeedState.UNKNOWN, error.message)
            raise
        except AppError as error:
            sent = f" Sent before: {', '.join(error.sent)}." if error.sent else ""
            self._end(row, DeedState.REFUSED, error.message + sent)
            raise
        self._end(row, DeedState.DONE, text)
        return text

    def _check_moment(self, scene: Scene) -> None:
        if not self._stands(scene.alert.alert_id):
            raise OrderError("The alert was deleted meanwhile; it was not done.")
        late = self._clock.monotonic() - scene.at
        slept = abs((self._clock.now() - scene.told.at).total_seconds())  # or the clock was set
        if max(late, slept) > LATE:
            raise RiskBlocked(
                f"It could not be done within {LATE:.0f} s of its price; it was not done."
            )

    async def _perform(self, row: DeedRow) -> str:
        act = row.act
        if isinstance(act, SendOrder):
            return await self._corridor.place(act, row.source)
        if self.strategies is None:
            raise OrderError(NO_STRATEGIES)
        if isinstance(act, RunStrategy):
            await self.strategies.run(act.name, act.mode, row.source, act.account)
        else:
            await self.strategies.stop(act.name, row.source)
        return ""

    def _end(self, row: DeedRow, state: DeedState, text: str) -> DeedRow:
        row = msgspec.structs.replace(row, state=state, text=text)
        self._put(row)
        saved = asyncio.ensure_future(self._store.save(row))
        saved.add_done_callback(lambda done: done.cancelled() or done.exception())
        return row

    # -- what an earlier run, or a lost answer, left open --------------------------------------
    async def settle(self) -> None:
        """Find out what became of open rows; nothing is sent."""
        now = self._clock.monotonic()
        if now - self._asked < AGAIN:
            return
        self._asked = now
        for name in tuple(self._open):
            if name not in self._busy:
                row = self._rows[name]
                try:
                    await self._settle(row)
                except AppError as error:
                    log.info("%s of alert %s is not settled yet: %s", row.name, row.alert_id, error)
        self._tidy()

    async def _settle(self, row: DeedRow) -> None:
        if not isinstance(row.act, SendOrder):
            self._tell(row, DeedState.REFUSED, f"{STOPPED} Look whether it runs.")
            return
        entries = await self._corridor.sent(row.source, row.at - _SLACK)
        states = {entry.state for entry in entries}
        if not entries:
            # A request is on disk before its deed says so: the program may have ended between.
            if queued := await self._corridor.queued(row.source, row.at - _SLACK):
                self._tell(row, DeedState.DONE, queued)
            else:
                self._tell(row, DeedState.REFUSED, STOPPED)
        elif not states & {JournalState.INTENT, JournalState.UNKNOWN}:
            ids = [one.order_id for one in entries if one.state is JournalState.ACKNOWLEDGED]
            if ids:
                self._tell(row, DeedState.DONE, ", ".join(ids))
            else:
                self._tell(row, DeedState.REFUSED, entries[-1].message)

    def _tell(self, row: DeedRow, state: DeedState, text: str) -> None:
        self._earlier.pop(row.deed_id, None)
        self._end(row, state, text)
        done = state is DeedState.DONE
        level, what = ("info", "was done") if done else ("warning", "was not done")
        line = f"{row.name} of an alert {what}: {text}"
        log.warning("%s (%s)", line, row.alert_id)
        self._bus.publish(Notice(level=level, text=line, at=self._clock.now()))
        self._settled(row.told_id, row.name, text, done)

    def _tidy(self) -> None:
        """Forget what is old; the rows are by time."""
        first: datetime = self._clock.now() - KEPT
        for row in tuple(islice(self._rows.values(), TURN)):
            if row.at < first and not row.state.is_open:
                del self._rows[row.deed_id]
                self._orders.pop((row.alert_id, row.at.date()), None)
                self._store.forget(row.deed_id)


def _orders(wish: AlertWish) -> int:
    return sum(isinstance(act, SendOrder) for act in wish.acts)

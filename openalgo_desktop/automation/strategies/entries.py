"""Entries of runs: the intent is on disk before the order leaves, BUY legs go before SELL legs, and
what would net somebody else's position is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from openalgo_desktop.automation.strategies.live import LiveRun
from openalgo_desktop.automation.strategies.resolve import Resolver, Wanted
from openalgo_desktop.automation.strategies.runs import Runs
from openalgo_desktop.automation.strategies.state import Place
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, Product
from openalgo_desktop.core.errors import AppError, OrderStateUnknown, StorageError
from openalgo_desktop.core.exits import ExitSpec, PlanState
from openalgo_desktop.core.model import Key, OrderRequest
from openalgo_desktop.core.strategies.choice import product_of
from openalgo_desktop.core.strategies.leg_rules import exit_spec, way_of
from openalgo_desktop.core.strategies.rows import LegAnswer, RunOrder
from openalgo_desktop.core.strategies.words import EventKind, OrderKind, OrderState, Severity
from openalgo_desktop.trading.limits import one_request
from openalgo_desktop.trading.watch.brackets import new_id

#: How long the intent of an entry waits for the disk; seconds.
DISK_WAITS = 5.0


class Entries:
    """Enters legs."""

    def __init__(self, runs: Runs, resolver: Resolver) -> None:
        self._runs = runs
        self._ground = runs.ground
        self.resolver = resolver

    async def enter_all(self, live: LiveRun, rows: Sequence[Wanted]) -> list[LegAnswer]:
        """Enter legs together: those that are bought first, for the margin of the others counts on
        them. When one of them is refused, nothing is sold: it would stand without its hedge."""
        token = one_request.set(one_request.get() or object())  # equal legs are meant
        try:
            buys = [row for row in rows if row.side > 0]
            sells = [row for row in rows if row.side < 0]
            answers = list(await asyncio.gather(*(self.enter(live, row) for row in buys)))
            missing = [answer.leg_id for answer in answers if not answer.ok]
            if missing:
                why = f"It was not sent, because the BUY leg {missing[0]} was refused."
                answers += [self._refused(live, row, why) for row in sells]
            else:
                answers += await asyncio.gather(*(self.enter(live, row) for row in sells))
        finally:
            one_request.reset(token)
        order = {row.leg.leg_id: number for number, row in enumerate(rows)}
        return sorted(answers, key=lambda answer: order[answer.leg_id])

    async def enter(self, live: LiveRun, row: Wanted) -> LegAnswer:
        """Enter one leg; never raises for what a gate or a broker refuses."""
        key, leg_id = row.row.key, row.leg.leg_id
        product = product_of(live.definition.product, row.row.exchange)
        if live.state.leaving is not None or live.over:
            return self._refused(live, row, "The run is ending.")
        if not self._ground.is_open(key[0]):  # a broker may keep an order for tomorrow
            return self._refused(live, row, f"{key[0]} is closed now, so it was not sent.")
        if why := self.conflict(live, key, product, row.side):
            return self._refused(live, row, why)
        if row.fallback:
            self._runs.tell(
                live, EventKind.LEG_EXPIRY_FALLBACK, row.fallback, Severity.WARN, leg_id=leg_id
            )
        place = Place(
            ref=new_id(self._ground.clock),
            leg_id=leg_id,
            exchange=key[0],
            symbol=key[1],
            product=product,
            side=row.side,
            wanted=row.units,
        )
        self._runs.add(live, place)  # from here on it counts as held, for conflicts
        request = OrderRequest(
            symbol=key[1],
            exchange=key[0],
            action=Action.BUY if row.side > 0 else Action.SELL,
            quantity=row.units,
            product=product,
            strategy=live.definition.name,
        )
        spec = exit_spec(
            row.leg.rules,
            underlying=row.underlying,
            way=way_of(row.side, row.row.instrument_type),
        )
        if row.row.expiry is not None:
            expiries = {**live.run.expiries, leg_id: row.row.expiry}
            live.run = msgspec.structs.replace(live.run, expiries=expiries)
        return await self._send(live, place, request, spec)

    async def _send(
        self, live: LiveRun, place: Place, request: OrderRequest, spec: ExitSpec
    ) -> LegAnswer:
        run = live.run
        answer = LegAnswer(
            leg_id=place.leg_id, ok=True, symbol=place.symbol, position_ref=place.ref
        )
        intent = RunOrder(
            row_id=0,
            run_id=run.run_id,
            leg_id=place.leg_id,
            kind=OrderKind.ENTRY,
            position_ref=place.ref,
            broker_order_id="",
            symbol=request.symbol,
            exchange=request.exchange,
            action=request.action,
            quantity=request.quantity,
            product=request.product,
            status=OrderState.PENDING,
            placed_at=self._ground.clock.now(),
        )
        number = live.ledger.load(intent)
        try:
            await self._durable(live, place.ref, number, intent)
            plan, placed = await self._ground.legs.enter(
                request, spec, live.source, run.mode, plan_id=place.ref, account=run.account_id
            )
        except OrderStateUnknown as error:
            text = f"Nobody knows yet whether the entry arrived: {error.message}"
            self._runs.tell(
                live, EventKind.LEG_ENTRY_PLACED, text, Severity.WARN, leg_id=place.leg_id
            )
            self._runs.save(live)
            return msgspec.structs.replace(answer, acknowledged=False, error=error.message)
        except AppError as error:
            return self._failed(live, place, answer, error)
        for order_id in placed.ids:
            live.ledger.link(place.ref, order_id, entry=True)
        place.multiplier = plan.multiplier
        self._runs.tell(
            live,
            EventKind.LEG_ENTRY_PLACED,
            f"{request.action.value} {request.quantity} {request.symbol}",
            leg_id=place.leg_id,
            payload={"order_ids": list(placed.ids), "position_ref": place.ref},
        )
        self._runs.save(live)
        return msgspec.structs.replace(answer, order_id=placed.order_id)

    async def _durable(self, live: LiveRun, ref: str, number: int, intent: RunOrder) -> None:
        writing = self._runs.recorder.intent(live.strategy_id, ref, number, intent)
        try:
            await asyncio.wait_for(writing, DISK_WAITS)
        except TimeoutError:
            raise StorageError("The disk does not answer, so nothing was sent.") from None

    def _failed(self, live: LiveRun, place: Place, answer: LegAnswer, error: AppError) -> LegAnswer:
        """Refused; or sent, and its id could not be stored."""
        plan = self._ground.legs.plan(place.ref)
        ids = error.sent or tuple(plan.entries if plan is not None else ())
        if ids:
            for order_id in ids:
                live.ledger.link(place.ref, order_id, entry=True)
            self._runs.tell(
                live,
                EventKind.ORDER_ACK_UNRECORDED,
                f"The entry of {place.symbol} is at the broker ({', '.join(ids)}), but not all of "
                f"it went well: {error.message}",
                Severity.CRITICAL,
                leg_id=place.leg_id,
            )
            self._runs.save(live)
            return msgspec.structs.replace(
                answer, acknowledged=False, order_id=ids[0], error=error.message
            )
        if plan is None or plan.state is PlanState.CANCELLED:
            self.gone(live, place, error.message)
        return msgspec.structs.replace(answer, ok=False, error=error.message)

    def gone(self, live: LiveRun, place: Place, why: str) -> None:
        """Nothing came of an entry."""
        if place.closed:
            return
        place.closed, place.refused = True, why
        live.ledger.refuse(place.ref, why)
        self._runs.tell(
            live,
            EventKind.LEG_ENTRY_REJECTED,
            f"{place.symbol}: {why}",
            Severity.WARN,
            leg_id=place.leg_id,
            notice=True,
        )
        live.count(place)
        self._runs.reindex(live)
        self._runs.save(live)
        live.news()

    def _refused(self, live: LiveRun, row: Wanted, why: str) -> LegAnswer:
        symbol = row.row.symbol
        self._runs.tell(
            live,
            EventKind.LEG_ENTRY_REJECTED,
            f"{symbol}: {why}",
            Severity.WARN,
            leg_id=row.leg.leg_id,
            notice=True,
        )
        return LegAnswer(leg_id=row.leg.leg_id, ok=False, symbol=symbol, error=why)

    def conflict(self, live: LiveRun, key: Key, product: Product, side: int) -> str:
        """Who holds the other side of the same position: in one account they would net, and each
        would close what is the other's. Empty when nobody does."""
        ours = 0
        for name, place in self._runs.holders(live.run.account_id, key, product):
            if place.side == side:
                ours += place.held * place.side
                continue
            who = f"leg {place.leg_id}" if live.place(place.ref) else f"the strategy {name}"
            return (
                f"{who[0].upper()}{who[1:]} holds the other side of {key[1]} {product.value} in "
                "this account; the two would net, so it was not sent."
            )
        book = self._ground.desk.books.book(live.run.mode)
        if book.day != self._ground.clock.now().astimezone(IST).date():
            return (
                "The positions of the account were not read yet today, so nobody knows whether it "
                "would net one of them. Try again in a moment."
            )
        row = book.positions.get((*key, product))
        delivers = product is Product.CNC and side > 0  # earlier shares of ours may be holdings
        if row is not None and not delivers and (row.quantity - ours) * side < 0:
            return (
                f"The account holds {row.quantity:+,} {key[1]} {product.value} that are not of "
                "this strategy; the two would net, so it was not sent."
            )
        return ""

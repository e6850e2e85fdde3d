"""Runs one recorded case against the sandbox and compares it, step by step.

Speaks the file's operations and field names. Recorded *stored columns* that are only written when
a book is read (unrealised profit in funds, profit and per cent of a position row, profit of a
holding) are kept here as of that reading; the sandbox itself computes them live.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from openalgo_desktop.config.settings import SETTINGS
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import (
    DERIVATIVE_EXCHANGES,
    Action,
    FeedMode,
    GttType,
    OrderStatus,
    PriceType,
    Product,
)
from openalgo_desktop.core.errors import AppError, InvalidOrder
from openalgo_desktop.core.gtt import GttRequest
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import (
    Instrument,
    Key,
    ModifyRequest,
    Order,
    OrderRequest,
    OrderUpdate,
    closing_order,
)
from openalgo_desktop.core.symbols import parse
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.exchange.checks import parse_order
from openalgo_desktop.exchange.host import PaperGateway
from openalgo_desktop.exchange.ledger import ZERO, decimal, paise
from openalgo_desktop.exchange.records import PaperOrder
from openalgo_desktop.sandbox.account import Sandbox
from openalgo_desktop.trading.position_view import View
from openalgo_desktop.trading.smart import smart_order
from tests.unit.sandbox.helpers import Market, MemoryStore, settings
from tests.unit.sandbox.vector_rules import Case, Rule

NEAR = 0.005
#: Settings of the reference that change nothing here, and why.
NOT_OURS = {
    "gtt_claim_timeout_sec": "a GTT and its order are stored in one batch: nothing is stranded",
    "order_rate_limit": "stored but unused by the reference; ours are limits.*",
    "api_rate_limit": "as above",
    "smart_order_rate_limit": "as above",
    "smart_order_delay": "as above",
}


class Snapshot(NamedTuple):
    """An order around a change."""

    needed: Decimal
    quantity: int
    filled: int
    marketable: bool


def quote_tick(key: Key, fields: dict[str, Any], mode: FeedMode = FeedMode.QUOTE) -> Tick:
    """A tick of recorded quote fields; numbers stay as written (texts show them)."""
    if mode is FeedMode.LTP:
        fields = {"ltp": fields["ltp"]}
    return Tick(key[1], key[0], mode=mode, **fields)


def split_key(text: str) -> Key:
    exchange, _, symbol = text.partition(":")
    return (exchange, symbol)


class Run:
    """One case on a sandbox of its own."""

    def __init__(
        self, case: Case, instruments: dict[str, Any], rule: Rule | None, **changes: Any
    ) -> None:
        given = case["given"]
        assert not given.get("positions"), "given positions are not in the format"
        self.rule = rule
        self.case = case
        self.listing = instruments
        self.clock = ManualClock(_moment(given["time"]))
        self.values = settings(
            hours="market",
            starting_capital=float(given["cash"]),
            mtm_update_interval=0,
            **changes,
        )
        for key, value in case.get("config", {}).items():
            if key in NOT_OURS:
                continue
            name = f"sandbox.{key}"
            row = SETTINGS[name]
            self.values[name] = row.parse(value) if not row.choices else row.kind(value)
        self.market = Market()
        self.table = InstrumentTable()
        self.table.load(_instrument(name, row) for name, row in instruments.items())
        self.box = Sandbox(
            "sandbox:vector", self.clock, self.table, self.market, MemoryStore(), self.values
        )
        self.box.set_listener(self._on_update)
        self.ids: dict[str, str] = {}
        self.last_result: dict[str, Any] = {}
        self.refusals: list[AppError] = []
        self.modifications: list[tuple[Snapshot, Snapshot, AppError | None, Decimal]] = []
        self.limit_fills: list[tuple[Order, Tick]] = []
        self._ranges: dict[Key, tuple[float, float]] = {}
        self._unrealised = 0.0
        self._marked: dict[tuple[str, str, str], tuple[float, float]] = {}
        self._held: dict[Key, tuple[float, float]] = {}
        self._set_quotes(given.get("quotes", {}))

    async def start(self) -> None:
        """Open the account; its clock task stays off: the case says when jobs run."""
        await PaperGateway.start(self.box, decimal(self.case["given"]["cash"]))
        self.box.gtts.load()
        await self.box.lifecycle.run_due(self.clock.now())

    async def stop(self) -> None:
        await PaperGateway.stop(self.box)

    # -- running ----------------------------------------------------------------------------
    async def run(self) -> None:
        """All steps and the end state."""
        for number, step in enumerate(self.case["steps"]):
            where = f"step {number} ({step['op']})"
            if step["op"] != "tick":
                self._set_quotes(step.get("quotes", {}))
            result = await getattr(self, f"op_{step['op']}")(step)
            await self.box.stored()
            self.last_result = result or {}
            self._compare_result(where, step)
            if "funds_after" in step:
                self._compare_funds(where, step["funds_after"])
            self.count_money()
        self._compare_end(self.case["expect"])
        if self.rule is not None:
            verdict = self.rule.check(self, self.case)
            if verdict is not None:
                await verdict

    def _set_quotes(self, quotes: dict[str, Any]) -> None:
        for name, fields in quotes.items():
            key = split_key(name)
            if fields:
                self.market.quotes[key] = quote_tick(key, fields)
            else:
                self.market.quotes.pop(key, None)

    def _on_update(self, update: OrderUpdate) -> None:
        tick = self.market.quotes.get(update.order.key)
        filled = update.trade is not None and tick is not None
        if filled and update.order.price_type is PriceType.LIMIT:
            self.limit_fills.append((update.order, tick))

    async def _tried(self, call: Any) -> dict[str, Any]:
        """The answer of a call in the file's words."""
        try:
            answer = await call
        except AppError as error:
            self.refusals.append(error)
            return {
                "ok": False,
                "code": error.http_status,
                "message": error.message,
                "orderid_returned": bool(getattr(error, "order_id", "")),
            }
        return {"ok": True, "code": 200, "orderid_returned": True, **(answer or {})}

    # -- orders -----------------------------------------------------------------------------
    async def op_place(self, step: dict[str, Any]) -> dict[str, Any]:
        async def call() -> None:
            await self._send(step["ref"], parse_order(step))

        return await self._tried(call())

    async def _send(self, ref: str, request: OrderRequest) -> None:
        known = set(self.box.state.orders)
        try:
            await self.box.place(request, "")
        finally:
            for order_id in self.box.state.orders:
                if order_id not in known:
                    self.ids.setdefault(ref, order_id)

    async def op_modify(self, step: dict[str, Any]) -> dict[str, Any]:
        order_id = self.ids.get(step["ref"], step["ref"])
        known = order_id in self.box.state.orders
        before = self._snapshot(order_id) if known else None
        free = self.box.state.ledger.cash
        request = ModifyRequest(
            order_id,
            quantity=step.get("quantity"),
            price=step.get("price"),
            trigger_price=step.get("trigger_price"),
        )

        async def call() -> dict[str, Any]:
            return {"message": (await self.box.modify(request)).message}

        refused = len(self.refusals)
        result = await self._tried(call())
        refusal = self.refusals[-1] if len(self.refusals) > refused else None
        if before is not None:
            self.modifications.append((before, self._snapshot(order_id), refusal, free))
        return result

    def _snapshot(self, order_id: str) -> Snapshot:
        row = self.box.book.find(order_id)
        order, tick = row.order, self.market.quotes.get(row.order.key)
        marketable = False
        if tick is not None and order.price_type is PriceType.LIMIT:
            quote = (tick.ask if order.action is Action.BUY else tick.bid) or tick.ltp
            sign = order.action.sign
            marketable = (order.price - tick.ltp) * sign >= 0 and (order.price - quote) * sign >= 0
        return Snapshot(row.margin, order.quantity, order.filled_quantity, marketable)

    async def op_cancel(self, step: dict[str, Any]) -> dict[str, Any]:
        async def call() -> dict[str, Any]:
            order_id = self.ids.get(step["ref"], step["ref"])
            return {"message": (await self.box.cancel(order_id)).message}

        return await self._tried(call())

    async def op_cancel_all(self, step: dict[str, Any]) -> dict[str, Any]:
        working = [row.order.order_id for row in self.box.book.all_working()]
        for order_id in working:
            await self.box.cancel(order_id)
        return {
            "ok": True,
            "code": 200,
            "message": f"Canceled {len(working)} orders. Failed to cancel 0 orders.",
        }

    async def op_smart(self, step: dict[str, Any]) -> dict[str, Any]:
        current = sum(
            row.quantity
            for row in self.box.state.positions.values()
            if row.position_key == (step["exchange"], step["symbol"], step["product"])
        )
        request = OrderRequest(
            symbol=step["symbol"],
            exchange=step["exchange"],
            action=Action(step["action"]),
            quantity=step["quantity"],
            price_type=PriceType(step.get("pricetype") or step["price_type"]),
            product=Product(step["product"]),
            price=step.get("price", 0.0),
        )
        order = smart_order(request, step["position_size"], View(current))
        if isinstance(order, str):
            return {"ok": True, "code": 200, "message": order}
        return await self._tried(self._send(step["ref"], order))

    async def op_close_position(self, step: dict[str, Any]) -> dict[str, Any]:
        symbol = step["symbol"]
        key = (step["exchange"], symbol, step["product"])
        row = self.box.state.positions.get(key)
        if row is None:
            text = f"No open position found for {symbol}"
            return {"ok": False, "code": 404, "message": text}

        async def call() -> dict[str, Any]:
            assert row is not None
            await self._send("auto", closing_order(row))
            return {"message": f"Position close order placed for {symbol}"}

        return await self._tried(call())

    async def op_close_all(self, step: dict[str, Any]) -> dict[str, Any]:
        rows = [row for row in self.box.state.positions.values() if row.quantity]
        for row in rows:
            await self._send("auto", closing_order(row))
        return {
            "ok": True,
            "code": 200,
            "message": f"Closed {len(rows)} positions",
            "closed_positions": len(rows),
            "failed_closures": 0,
        }

    op_close_all_positions = op_close_all

    # -- market and time --------------------------------------------------------------------
    async def op_tick(self, step: dict[str, Any]) -> None:
        self.box.lifecycle.expire_orders(self.clock.now())
        self._set_quotes(step["quotes"])
        for name, fields in step["quotes"].items():
            key = split_key(name)
            if fields.get("ltp"):
                low, high = self._ranges.get(key, (fields["ltp"], fields["ltp"]))
                self._ranges[key] = (min(low, fields["ltp"]), max(high, fields["ltp"]))
        if step["engine"] == "ws":
            for name, fields in step["quotes"].items():
                if fields.get("ltp"):
                    self.market.send(quote_tick(split_key(name), fields, FeedMode.LTP))
            return
        for tick in list(self.market.quotes.values()):
            self.market.send(tick)

    async def op_quote(self, step: dict[str, Any]) -> None:
        pass  # quotes were set

    async def op_time(self, step: dict[str, Any]) -> None:
        self.clock.jump(_moment(step["at"]))

    async def op_job(self, step: dict[str, Any]) -> None:
        life, now = self.box.lifecycle, self.clock.now()
        name = step["id"]
        if name.startswith("squareoff"):
            life.expire_orders(now)
            await life.settle_expired(now, now)
            await life.square_off(now)
        elif name == "t1_settlement":
            life.deliver(now)
        elif name == "daily_pnl_snapshot":
            life.snapshot(now.date())
        elif name == "daily_pnl_reset":
            life.boundary()
        else:
            pytest.fail(f"unknown job {name}")
        self.box.publish()

    async def op_catch_up(self, step: dict[str, Any]) -> None:
        await self.box.catch_up()

    op_analyzer_on_catchup = op_catch_up

    async def op_reset_all(self, step: dict[str, Any]) -> None:
        self.box.lifecycle.reset(self.clock.now())
        self.box.publish()
        self._unrealised = 0.0

    # -- good till triggered ----------------------------------------------------------------
    async def op_gtt_place(self, step: dict[str, Any]) -> dict[str, Any]:
        async def call() -> None:
            self.ids[step["ref"]] = (await self.box.gtt_place(_gtt(step), "")).order_id

        return await self._tried(call())

    async def op_gtt_modify(self, step: dict[str, Any]) -> dict[str, Any]:
        async def call() -> None:
            await self.box.gtt_modify(self.ids.get(step["ref"], step["ref"]), _gtt(step))

        return await self._tried(call())

    async def op_gtt_cancel(self, step: dict[str, Any]) -> dict[str, Any]:
        async def call() -> None:
            await self.box.gtt_cancel(self.ids.get(step["ref"], step["ref"]))

        return await self._tried(call())

    async def op_gtt_expire(self, step: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True, "expired": self.box.lifecycle.expire_gtts(self.clock.now())}

    def range_since_start(self, key: Key) -> tuple[float, float]:
        """Lowest and highest price ticked; one that reaches nothing when none was."""
        return self._ranges.get(key, (float("inf"), float("-inf")))

    # -- books ------------------------------------------------------------------------------
    async def op_mtm(self, step: dict[str, Any]) -> dict[str, Any]:
        data = []
        for row in await self.box.positions():
            cost = row.average_price * abs(row.quantity) * row.multiplier
            self._marked[(row.exchange, row.symbol, row.product.value)] = (
                row.unrealised,
                100.0 * row.unrealised / cost if cost else 0.0,
            )
            data.append(
                {
                    "symbol": row.symbol,
                    "exchange": row.exchange,
                    "product": row.product.value,
                    "quantity": row.quantity,
                    "average_price": row.average_price,
                    "ltp": row.ltp,
                    "pnl": row.pnl,
                    "pnlpercent": 100.0 * row.pnl / cost if cost else 0.0,
                    "unrealized_pnl": row.unrealised,
                    "today_realized_pnl": row.realised_today,
                    "total_pnl_today": row.pnl,
                    "lot_size": row.multiplier,
                }
            )
        self._unrealised = float(self.box.unrealised())
        return {"ok": True, "data": data, "total_pnl": sum(row["pnl"] for row in data)}

    async def op_orderbook(self, step: dict[str, Any]) -> dict[str, Any]:
        orders = await self.box.orders()
        count = {status: sum(o.status is status for o in orders) for status in OrderStatus}
        return {
            "ok": True,
            "count": len(orders),
            "statistics": {
                "total_buy_orders": sum(o.action is Action.BUY for o in orders),
                "total_sell_orders": sum(o.action is Action.SELL for o in orders),
                "total_completed_orders": count[OrderStatus.COMPLETE],
                "total_open_orders": count[OrderStatus.OPEN],
                "total_rejected_orders": count[OrderStatus.REJECTED],
                "total_trigger_pending_orders": count[OrderStatus.TRIGGER_PENDING],
            },
        }

    async def op_tradebook(self, step: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True, "count": len(await self.box.trades())}

    async def op_holdings(self, step: dict[str, Any]) -> dict[str, Any]:
        self.box.mark()
        rows = await self.box.holdings()
        data = [
            {
                "symbol": row.symbol,
                "exchange": row.exchange,
                "product": row.product.value,
                "quantity": row.quantity,
                "average_price": row.average_price,
                "ltp": row.ltp,
                "pnl": row.pnl,
                "pnlpercent": round(row.pnl_percent, 4),
                "current_value": row.ltp * row.quantity,
                "settlement_date": str(row.settlement_date),
            }
            for row in rows
        ]
        self._held = {row.key: (row.pnl, row.pnl_percent) for row in rows}
        value = sum(row.ltp * row.quantity for row in rows)
        cost = sum(row.average_price * row.quantity for row in rows)
        statistics = {
            "totalholdingvalue": value,
            "totalinvvalue": cost,
            "totalprofitandloss": value - cost,
            "totalpnlpercentage": 100.0 * (value - cost) / cost if cost else 0.0,
        }
        return {"ok": True, "data": {"holdings": data, "statistics": statistics}}

    async def op_get_funds(self, step: dict[str, Any]) -> dict[str, Any]:
        resets = self.box.state.meta.reset_count
        funds = await self.box.funds()
        if funds.reset_count != resets:
            self._unrealised = 0.0
        return {
            "ok": True,
            "availablecash": funds.available_cash,
            "collateral": funds.collateral,
            "m2munrealized": self._unrealised,
            "m2mrealized": funds.m2m_realised,
            "total_realized_pnl": funds.realised_total,
            "today_realized_pnl": funds.m2m_realised,
            "utiliseddebits": funds.utilised,
            "grossexposure": funds.utilised,
            "totalpnl": funds.realised_total + self._unrealised,
            "reset_count": funds.reset_count,
        }

    # -- comparing --------------------------------------------------------------------------
    def _spoiled(self, *names: str) -> bool:
        return self.rule is not None and not self.rule.spoils.isdisjoint(names)

    def _compare_result(self, where: str, step: dict[str, Any]) -> None:
        expected = step.get("result")
        if not expected or self._spoiled("results"):
            return
        for name, value in expected.items():
            assert _same(self.last_result.get(name), value), (
                f"{where}: {name} is {self.last_result.get(name)!r}, recorded {value!r}"
            )

    def _compare_funds(self, where: str, expected: dict[str, Any]) -> None:
        meta, ledger = self.box.state.meta, self.box.state.ledger
        actual = {
            "total_capital": float(meta.capital),
            "available": float(ledger.cash),
            "used_margin": float(ledger.reserved),
            "realized_pnl": float(meta.realised),
            "today_realized_pnl": float(meta.realised_today),
            "unrealized_pnl": self._unrealised,
            "total_pnl": float(meta.realised) + self._unrealised,
            "reset_count": meta.reset_count,
        }
        for name, value in expected.items():
            if self._spoiled("funds", f"funds.{name}"):
                continue
            assert _same(actual[name], value), (
                f"{where}: {name} is {actual[name]}, recorded {value}"
            )

    def _compare_end(self, expected: dict[str, Any]) -> None:
        views = {
            "orders": self._orders,
            "trades": self._trades,
            "positions": self._positions,
            "holdings": self._holdings,
            "gtts": self._gtts,
            "daily_pnl": self._days,
        }
        for name, value in expected.items():
            if name == "funds":
                self._compare_funds("end", value)
            elif not self._spoiled(name):
                self._compare_rows(name, list(views[name]()), value)

    def _compare_rows(
        self, name: str, actual: list[dict[str, Any]], expected: list[dict[str, Any]]
    ) -> None:
        assert len(actual) == len(expected), f"{name}: {actual} recorded {expected}"
        for ours, recorded in zip(actual, expected, strict=True):
            for field, value in recorded.items():
                if self._spoiled(f"{name}.{field}"):
                    continue
                if field == "settlement_date":  # ours is the day it was due, not the job's
                    assert ours[field] <= value
                    continue
                assert _same(ours[field], value), (
                    f"{name}: {field} is {ours[field]!r}, recorded {value!r}, in {recorded}"
                )

    def _ref(self, order_id: str) -> str:
        return next((ref for ref, known in self.ids.items() if known == order_id), "auto")

    def _orders(self) -> Iterable[dict[str, Any]]:
        for row in self.box.state.orders.values():
            order = row.order
            yield {
                "ref": self._ref(order.order_id),
                "symbol": order.symbol,
                "action": order.action.value,
                "quantity": order.quantity,
                "price_type": order.price_type.value,
                "product": order.product.value,
                "status": order.status.value,
                "price": order.price or None,
                "trigger_price": order.trigger_price or None,
                "average_price": order.average_price or None,
                "filled": order.filled_quantity,
                "pending": order.pending_quantity,
                "margin_blocked": float(row.blocked),
                "rejection_reason": order.rejection_reason or None,
                "strategy": order.strategy,
            }

    def _trades(self) -> Iterable[dict[str, Any]]:
        for trade in self.box.state.trades.values():
            yield {
                "ref": self._ref(trade.order_id),
                "symbol": trade.symbol,
                "action": trade.action.value,
                "quantity": trade.quantity,
                "price": trade.price,
                "product": trade.product.value,
            }

    def _positions(self) -> Iterable[dict[str, Any]]:
        for key, row in self.box.state.positions.items():
            profit, percent = self._marked.get(key, (0.0, 0.0))
            yield {
                "symbol": row.symbol,
                "exchange": row.exchange,
                "product": row.product.value,
                "quantity": row.quantity,
                "average_price": float(row.average),
                "ltp": row.mark,
                "pnl": profit if row.quantity else float(row.realised),
                "pnl_percent": percent,
                "accumulated_realized_pnl": float(row.realised),
                "today_realized_pnl": float(row.realised_today),
                "margin_blocked": float(row.margin),
            }

    def _holdings(self) -> Iterable[dict[str, Any]]:
        for row in self.box.state.holdings.values():
            profit, percent = self._held.get(row.key, (0.0, 0.0))
            yield {
                "symbol": row.symbol,
                "exchange": row.exchange,
                "quantity": row.quantity,
                "average_price": float(row.average),
                "ltp": row.mark,
                "pnl": profit,
                "pnl_percent": percent,
                "settlement_date": str(row.settled),
            }

    def _gtts(self) -> Iterable[dict[str, Any]]:
        for gtt in self.box.state.gtts.values():
            yield {
                "trigger_type": gtt.trigger_type.book_text,
                "symbol": gtt.symbol,
                "status": gtt.status.value,
                "margin_blocked": gtt.margin,
                "legs": [
                    {
                        "trigger": leg.trigger_price,
                        "direction": "below" if leg.below else "above",
                        "price": leg.price,
                        "status": leg.status.value,
                        "leg_margin": leg.margin,
                    }
                    for leg in gtt.legs
                ],
            }

    def _days(self) -> Iterable[dict[str, Any]]:
        for row in self.box.state.days.values():
            yield {
                "date": row.day.isoformat(),
                "realized": row.realised,
                "positions_unrealized": row.positions_unrealised,
                "holdings_unrealized": row.holdings_unrealised,
                "total_mtm": row.total_mtm,
                "available": row.available,
                "used_margin": row.used_margin,
                "portfolio_value": row.portfolio_value,
            }

    # -- an independent count of the money --------------------------------------------------
    def count_money(self) -> None:
        """Reserve and cash from orders, trades and the margin table of the spec alone."""
        state = self.box.state
        margins = self._margins()
        for key, row in state.positions.items():
            if key in margins:
                assert abs(margins[key] - row.margin) <= Decimal("0.02"), f"margin of {row}"
            assert row.margin >= 0
        for order in self.box.book.all_working():
            assert order.margin == paise(self._needed(order, order.uncovered)), f"margin of {order}"
        assert state.ledger.reserved == self.box.book.justified()
        shares = sum((row.cost for row in state.holdings.values()), ZERO)
        total = state.ledger.cash + state.ledger.reserved + shares
        assert total == state.meta.capital + state.meta.realised

    def _needed(self, row: PaperOrder, quantity: int) -> Decimal:
        order = row.order
        if order.product is Product.CNC and order.action is Action.SELL:
            return ZERO
        return row.basis * quantity / decimal(self._leverage(order))

    def _leverage(self, order: Order) -> float:
        name = ""
        if order.exchange in ("NSE", "BSE"):
            name = "equity_mis" if order.product is Product.MIS else "equity_cnc"
        elif order.symbol.endswith(("CE", "PE")):
            name = "option_buy" if order.action is Action.BUY else "option_sell"
        elif order.symbol.endswith("FUT"):
            name = "futures"
        return float(self.values[f"sandbox.{name}_leverage"]) if name else 1.0

    def _margins(self) -> dict[tuple[str, str, str], Decimal]:
        """Margin of each position whose quantity is the sum of its trades."""
        held: dict[tuple[str, str, str], tuple[int, Decimal]] = {}
        for trade in self.box.state.trades.values():
            key = (trade.exchange, trade.symbol, trade.product.value)
            quantity, margin = held.get(key, (0, ZERO))
            sign = trade.action.sign
            closing = min(trade.quantity, abs(quantity)) if quantity * sign < 0 else 0
            if closing:
                margin -= margin * closing / abs(quantity)
                quantity += sign * closing
            opening = trade.quantity - closing
            order = self.box.book.find(trade.order_id)
            margin += self._needed(order, opening)
            held[key] = (quantity + sign * opening, margin)
        return {
            key: margin
            for key, (quantity, margin) in held.items()
            if key in self.box.state.positions
            and self.box.state.positions[key].quantity == quantity
        }

    def profit_of_trades(self) -> Decimal:
        """What sales brought more than purchases, plus the cost of what is still there."""
        state = self.box.state
        profit = ZERO
        for trade in state.trades.values():
            profit -= decimal(trade.price) * trade.quantity * trade.action.sign
        for position in state.positions.values():
            if position.from_holdings:
                profit -= position.delivered
            else:
                profit += position.cost * (1 if position.quantity > 0 else -1)
        return profit + sum((row.cost for row in state.holdings.values()), ZERO)

    async def used_under_span(self) -> float:
        """What the same orders reserve with the span model, rupees."""
        other = Run(self.case, self.listing, None, margin_model="span")
        await other.start()
        try:
            for step in self.case["steps"]:
                if step["op"] == "place":
                    result = await other.op_place(step)
                    assert result["ok"], result
            return float(other.box.state.ledger.reserved)
        finally:
            await other.stop()


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=IST)


def _instrument(name: str, row: dict[str, Any]) -> Instrument:
    exchange, symbol = split_key(name)
    expiry = row.get("expiry")
    parts = parse(symbol)
    return Instrument(
        symbol=symbol,
        exchange=exchange,
        name=parts.base,
        strike=parts.strike,
        instrument_type=row["type"],
        lot_size=row["lot"] if exchange in DERIVATIVE_EXCHANGES else 1,
        tick_size=0.01,
        expiry=datetime.strptime(expiry, "%d-%b-%y").date() if expiry else None,
    )


def _gtt(step: dict[str, Any]) -> GttRequest:
    try:
        return GttRequest(
            trigger_type=GttType(step["trigger_type"]),
            symbol=step["symbol"],
            exchange=step["exchange"],
            action=Action(step["action"]),
            quantity=step["quantity"],
            product=Product(step["product"]),
            price_type=PriceType(step.get("pricetype", "LIMIT")),
            price=step.get("price") or 0.0,
            trigger_below=step.get("triggerprice_sl") or 0.0,
            trigger_above=step.get("triggerprice_tg") or 0.0,
            stoploss=step.get("stoploss") or 0.0,
            target=step.get("target") or 0.0,
            last_price=step.get("last_price") or 0.0,
        )
    except ValueError as error:
        raise InvalidOrder(str(error)) from None


#: Ids that differ from run to run, inside texts.
_IDS = re.compile(r"GTT-\d{6}-[0-9a-f]{8}|\b\d{14}\b")


def _same(actual: Any, expected: Any) -> bool:
    if isinstance(expected, str):
        return isinstance(actual, str) and _IDS.sub("*", actual) == _IDS.sub("*", expected)
    if isinstance(expected, bool) or expected is None:
        return bool(actual == expected)
    if isinstance(expected, int | float):
        return isinstance(actual, int | float) and abs(actual - expected) <= NEAR
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(
            _same(actual.get(name), value) for name, value in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(actual, list)
            and len(actual) == len(expected)
            and all(map(_same, actual, expected))
        )
    return bool(actual == expected)

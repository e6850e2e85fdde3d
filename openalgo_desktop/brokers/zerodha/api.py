"""What Kite does that tables cannot say: varieties, funds from three answers, baskets, GTT."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.books.rows import as_rows, whole
from openalgo_desktop.brokers.kit.books.times import moment
from openalgo_desktop.brokers.kit.rest.values import absent, count, number, pick, render
from openalgo_desktop.brokers.kit.spec import Gives, IntervalRule
from openalgo_desktop.brokers.zerodha.spec import LEG
from openalgo_desktop.brokers.zerodha.ticker import kite_token
from openalgo_desktop.core.conversion import ConvertRequest, all_carried
from openalgo_desktop.core.enums import (
    Action,
    Exchange,
    GttStatus,
    GttType,
    Interval,
    PriceType,
    Product,
)
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.gtt import Gtt, GttLeg, GttRequest
from openalgo_desktop.core.model import (
    Funds,
    Instrument,
    ModifyRequest,
    Order,
    OrderRequest,
    Position,
)
from openalgo_desktop.core.protection import ALWAYS


def _told(segments: Iterable[Any], path: str) -> float | None:
    """The sum over the segments that tell it; None where none does."""
    found = [value for row in segments if not absent(value := pick(row, path))]
    return sum(map(number, found)) if found else None


class KiteApi(BrokerApi):
    """Kite Connect v3."""

    gives: ClassVar[Gives] = {
        "place": ("variety",),
        "modify": ("market_protection",),
        "convert": ("position_type",),
        "margin_basket": ("legs",),
        "gtt_place": ("gtt_type", "condition", "orders"),
        "gtt_modify": ("gtt_type", "condition", "orders"),
        "ltp": ("keys",),
        "history": ("instrument_token", "from_time", "to_time"),
    }

    # -- orders -----------------------------------------------------------------------------
    def order_context(self, request: OrderRequest, row: Instrument) -> dict[str, Any]:
        """Every order is placed as variety regular."""
        return super().order_context(request, row) | {"variety": "regular"}

    def modify_context(self, request: ModifyRequest, known: Order | None) -> dict[str, Any]:
        """A change to a market order carries the protection that a new one does: Kite refuses the
        change without it (kite.trade/forum, comment 52331, April 2026)."""
        context = super().modify_context(request, known)
        if request.price_type in (PriceType.MARKET, PriceType.SLM):
            context["market_protection"] = "-1"  # what becomes a market order is protected as one
        return context

    async def convert_context(self, request: ConvertRequest, row: Instrument) -> dict[str, Any]:
        """Kite wants to be told whether the units are of today or were carried over: one
        conversion moves units of one kind."""
        found = await self.held_row(request)
        now, before = count(found.get("quantity")), count(found.get("overnight_quantity"))
        carried = all_carried(request, now, before, self.spec.title)
        return {"position_type": "overnight" if carried else "day"}

    # -- money ------------------------------------------------------------------------------
    async def funds(self) -> Funds:
        """Both segments together; profit of the day from the positions and fresh prices. Raises
        :class:`DataError` when a position cannot be read.

        The opening balance less what is used and the collateral is what Kite calls ``net``.
        """
        told = await self.rest.op("funds") or {}
        segments = told.values()
        used = sum(number(pick(s, "utilised.debits", 0)) for s in segments)
        collateral = sum(number(pick(s, "available.collateral", 0)) for s in segments)
        net = sum(number(pick(s, "net", 0)) for s in segments)
        held = self.rows.book("position", as_rows(await self.rest.op("positions")), self._result)
        whole(held, self.spec.title)
        realised = sum(result for _, _, result in held)
        open_rows = [row for row in held if row[0].quantity]
        return Funds(
            available_cash=net + used - collateral,
            collateral=collateral,
            m2m_realised=realised,
            m2m_unrealised=await self._unrealised(open_rows),
            utilised=used,
            account_id=self.rows.account_id,
            payin=_told(segments, "available.intraday_payin"),
            payout=_told(segments, "utilised.payout"),
            used_by={
                name.capitalize(): number(pick(row, "utilised.debits", 0))
                for name, row in told.items()
            },
        )

    def _result(self, row: Mapping[str, Any]) -> tuple[Position, str, float]:
        """A position, its name for a price request, and what it realised when it is flat."""
        position = self.rows.position(row)
        flat = number(row.get("sell_value")) - number(row.get("buy_value"))
        name = f"{row['exchange']}:{row['tradingsymbol']}"
        return position, name, 0.0 if position.quantity else flat

    async def _unrealised(self, positions: Sequence[tuple[Position, str, float]]) -> float:
        """Open profit at fresh prices, with the contract size (``multiplier``) of each."""
        if not positions:
            return 0.0
        prices = await self.rest.op("ltp", {"keys": [name for _, name, _ in positions]}) or {}
        for position, name, _ in positions:
            if price := pick(prices.get(name), "last_price"):
                position.ltp = number(price)
        return sum(position.unrealised for position, _, _ in positions)

    async def margin_call(self, items: Sequence[dict[str, Any]]) -> Any:
        """One leg is asked alone; several as a basket, with what is already held."""
        name = "margin" if len(items) == 1 else "margin_basket"
        return await self.rest.op(name, {"legs": [render(LEG, item) for item in items]})

    # -- good till triggered ----------------------------------------------------------------
    async def gtt_context(self, request: GttRequest) -> dict[str, Any]:
        """Kite takes limit legs only: a market leg gets a protected limit. It also wants the
        last price; a request without one costs a quote."""
        row = self.index.require(request.symbol, request.exchange)
        last = request.last_price
        if not last:
            answer = (await self.quotes([request.key]))[request.key]
            if isinstance(answer, AppError):
                raise answer
            last = answer.ltp
        triggers = [t for t in (request.trigger_below, request.trigger_above) if t]
        if request.trigger_type is GttType.OCO:
            limits = [request.stoploss, request.target]
        else:
            limits = [request.price]
        wire = self.spec.exchanges.send[Exchange(row.exchange)]
        quantity = {"quantity": self.wire_quantities(row, request.quantity)["quantity"]}
        legs = [
            {
                "exchange": wire,
                "tradingsymbol": row.brsymbol,
                "transaction_type": self.spec.actions.send[request.action],
                **quantity,
                "order_type": "LIMIT",
                "product": self.spec.products.send[request.product],
                "price": float(self.gtt_leg(request, row, trigger, limit, ALWAYS).price),
            }
            for trigger, limit in zip(triggers, limits, strict=True)
        ]
        condition = {
            "exchange": wire,
            "tradingsymbol": row.brsymbol,
            "trigger_values": [float(trigger) for trigger in triggers],
            "last_price": float(last),
        }
        return {
            "gtt_type": request.trigger_type.book_text,
            "condition": condition,
            "orders": legs,
        }

    def read_gtt(self, row: Mapping[str, Any]) -> Gtt | None:
        """Active triggers only; others are history."""
        if row.get("status") != "active":
            return None
        condition, orders = row["condition"], row["orders"]
        exchange = Exchange(condition["exchange"])
        triggers = condition["trigger_values"]
        last = number(condition.get("last_price"))
        first = orders[0]
        kind = GttType.OCO if row["type"] == "two-leg" else GttType.SINGLE
        brsymbol = condition["tradingsymbol"]
        known = self.index.found(brsymbol, "", exchange)
        return Gtt(
            trigger_id=str(row["id"]),
            trigger_type=kind,
            symbol=known.symbol if known is not None else brsymbol,
            exchange=exchange,
            action=Action(first["transaction_type"]),
            quantity=count(first["quantity"]) * self.size_of(known, exchange, brsymbol),
            product=self.spec.products.read.get(first["product"], Product.CNC),
            price_type=PriceType(first["order_type"]),
            legs=[
                GttLeg(
                    trigger_price=number(trigger),
                    below=(position == 0) if kind is GttType.OCO else number(trigger) <= last,
                    price=number(order.get("price")),
                )
                for position, (trigger, order) in enumerate(zip(triggers, orders, strict=False))
            ],
            status=GttStatus.ACTIVE,
            last_price=last,
            created_at=moment(row.get("created_at"), self.clock),
            updated_at=moment(row.get("updated_at"), self.clock),
            expires_at=moment(row.get("expires_at"), self.clock),
            account_id=self.rows.account_id,
        )

    # -- history ----------------------------------------------------------------------------
    def history_context(
        self, row: Instrument, interval: Interval, rule: IntervalRule, first: date, last: date
    ) -> dict[str, Any]:
        """Whole days by the first part of the token."""
        return super().history_context(row, interval, rule, first, last) | {
            "instrument_token": kite_token(row.token, row.symbol, row.exchange),
            "from_time": f"{first.isoformat()} 00:00:00",
            "to_time": f"{last.isoformat()} 23:59:59",
        }

"""What Upstox does that tables cannot say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from math import isclose
from typing import Any, ClassVar

from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.books.rows import as_rows
from openalgo_desktop.brokers.kit.books.times import moment
from openalgo_desktop.brokers.kit.master.contracts import contract_size, unit_value
from openalgo_desktop.brokers.kit.rest.values import (
    OddValue,
    absent,
    amount,
    count,
    number,
    pick,
    render,
)
from openalgo_desktop.brokers.kit.spec import Gives, IntervalRule
from openalgo_desktop.brokers.upstox.master import INDICATORS
from openalgo_desktop.brokers.upstox.spec import LEG
from openalgo_desktop.core.enums import (
    Action,
    GttType,
    Interval,
    PriceType,
    Product,
    surfaced,
)
from openalgo_desktop.core.errors import DataError, GttNotFound, InvalidOrder
from openalgo_desktop.core.gtt import Gtt, GttLeg, GttRequest
from openalgo_desktop.core.model import (
    Funds,
    Instrument,
    Key,
    ModifyRequest,
    Order,
    OrderAck,
    OrderRequest,
)

#: Quantities of a position.
_COUNTS = ("quantity", "day_buy_quantity", "day_sell_quantity")
#: Where a row has the broker's symbol.
_SYMBOL = "trading_symbol|tradingsymbol"
#: States of a rule that still waits for its price.
_WAITING = frozenset({"SCHEDULED", "PENDING"})
#: States of one that does not: over, or (an exit) not begun. The documentation has no whole list.
_RESTING = frozenset(
    {"INACTIVE", "TRIGGERED", "COMPLETED", "CANCELLED", "REJECTED", "FAILED", "EXPIRED"}
)


class UpstoxApi(BrokerApi):
    """REST of Upstox."""

    gives: ClassVar[Gives] = {
        "place": ("protection",),
        "modify": ("protection",),
        "gtt_place": ("@order", "trigger_type"),
        "gtt_modify": ("@order", "trigger_type"),
        "ltp": ("keys",),
        "history": ("unit", "step"),
        "history_today": ("@instrument", "unit", "step"),
    }

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._brackets: set[str] = set()  # triggers with exits of their own

    # -- orders -----------------------------------------------------------------------------
    def order_context(self, request: OrderRequest, row: Instrument) -> dict[str, Any]:
        """Market orders are protected by the broker's own rule."""
        return super().order_context(request, row) | _protection(request.price_type)

    def modify_context(self, request: ModifyRequest, known: Order | None) -> dict[str, Any]:
        """What becomes a market order is protected as one."""
        return super().modify_context(request, known) | _protection(request.price_type)

    # -- rows -------------------------------------------------------------------------------
    def source_row(self, kind: str, raw: Any) -> Any:
        """Rows with what their fields are made of. The segment in the instrument's key says the
        exchange: the row's own word is not that of the master."""
        match kind:
            case "quote":
                return raw
            case "margin":  # the total after the benefit of a spread, the parts before it
                legs = as_rows(pick(raw, "margins"))
                parts = ("span", "exposure")
                return {**raw, **{p: sum(amount(r, f"{p}_margin") for r in legs) for p in parts}}
            case "candle" | "funds":
                return raw
        key = str(pick(raw, "instrument_token|instrument_key", ""))
        row = {**raw, "segment": key.partition("|")[0]}
        if kind == "position":
            row |= {"average_price": _average(raw), **self._lots(row, key)}
        elif kind == "holding" and not absent(raw.get("quantity")):
            # "the total holding qty", those that come tomorrow included
            row["quantity"] = count(raw["quantity"]) - count(raw.get("t1_quantity"))
        return row

    def _lots(self, raw: Mapping[str, Any], key: str) -> dict[str, Any]:
        """A position in the lots that orders are counted in. That is documented of orders only;
        the row's multiplier, which its result is worked out with, tells whether it is of a lot or
        of a unit. Raises :class:`OddValue` where it is neither: a wrong guess would close another
        quantity."""
        exchange = self.spec.exchanges.read.get(raw["segment"], "")
        value = number(raw.get("multiplier"))
        if exchange not in self.spec.in_contracts or not value:
            return {}
        text, known = str(pick(raw, _SYMBOL, "")), self.index.by_token(key, exchange)
        lot = contract_size(known, exchange, text)
        unit = known.contract_value if known is not None else unit_value(exchange, lot, text)
        if isclose(value, unit * lot) or (known is None and lot == 1):
            return {}
        counts = {name: count(raw.get(name)) for name in _COUNTS}
        if not isclose(value, unit) or any(n % lot for n in counts.values()):
            raise OddValue(f"multiplier {value:g} is neither that of a lot nor of a unit")
        return {"multiplier": value * lot, **{name: n // lot for name, n in counts.items()}}

    # -- money ------------------------------------------------------------------------------
    async def funds(self) -> Funds:
        """Cash of both segments together; the result of the day from the positions."""
        money = pick(await self.rest.op("funds"), "available_to_trade", {})
        if absent(pick(money, "cash_available_to_trade.total")):
            raise DataError("Upstox does not tell what cash there is.")
        held = as_rows(await self.rest.op("positions"))
        used = amount(money, "pledge_available_to_trade.margin_used.total")
        pledged = amount(money, "pledge_available_to_trade.margin_from_pledge.total")
        return Funds(
            available_cash=amount(money, "cash_available_to_trade.total"),
            collateral=pledged - used,
            m2m_realised=sum(amount(row, "realised") for row in held),
            m2m_unrealised=sum(amount(row, "unrealised") for row in held),
            utilised=used + amount(money, "cash_available_to_trade.margin_used.total"),
            account_id=self.rows.account_id,
        )

    async def margin_call(self, items: Sequence[dict[str, Any]]) -> Any:
        """All legs in one request, so that a spread counts as one."""
        return await self.rest.op("margin", {"legs": [render(LEG, item) for item in items]})

    # -- good till triggered ----------------------------------------------------------------
    async def gtt_context(self, request: GttRequest) -> dict[str, Any]:
        """One entry rule. "A GTT order is always placed as a LIMIT order upon execution"
        (documentation of Place GTT Order), and a rule has no price but its trigger."""
        row = self.index.require(request.symbol, request.exchange)
        trigger = request.trigger_below or request.trigger_above
        if request.price_type is not PriceType.LIMIT or request.price != trigger:
            raise InvalidOrder(
                "Upstox sends a limit order at the trigger price when a trigger fires: give LIMIT "
                "with the trigger as its price.",
                field="price",
            )
        side = "BELOW" if request.trigger_below else "ABOVE"
        context = self.order_context(self.gtt_leg(request, row, trigger, trigger), row)
        return context | {"trigger_type": side, "trigger_price": trigger}

    async def gtt_modify(self, trigger_id: str, request: GttRequest) -> OrderAck:
        """A trigger with exits of its own is left alone: the change would take them away. So is
        one that cannot be read. The request has no word for the product."""
        known = [gtt.trigger_id for gtt in await self.gtt_orders()]
        if trigger_id in self._brackets:
            raise InvalidOrder("This trigger has a target or a stop-loss: change it at Upstox.")
        if trigger_id not in known:
            raise GttNotFound(trigger_id)
        self.same_product(trigger_id, request)
        return await super().gtt_modify(trigger_id, request)

    def read_gtt(self, row: Mapping[str, Any]) -> Gtt | None:
        """What still waits: an entry, or the exits that follow it; None where nothing does. Raises
        :class:`OddValue` for a state that nobody knows: it may be waiting."""
        if len(row["rules"]) > 1:
            self._brackets.add(str(row["gtt_order_id"]))
        for rule in row["rules"]:
            if rule["status"] not in _WAITING | _RESTING:
                raise OddValue(f"status {rule['status']!r} of {rule['strategy']} is not known")
        rules = {rule["strategy"]: rule for rule in row["rules"] if rule["status"] in _WAITING}
        waiting = [r for name in ("ENTRY", "STOPLOSS", "TARGET") if (r := rules.get(name))]
        if "ENTRY" in rules:
            waiting = waiting[:1]  # the others are nothing before it fired
        if not waiting:
            return None
        exchange = self.spec.exchanges.read[row["segment"]]
        brsymbol = str(row["trading_symbol"])
        known = self.index.found(brsymbol, row["instrument_token"], exchange)
        size = self.size_of(known, exchange, brsymbol)
        created, expires = (
            moment(int(row.get(name) or 0) // 1000, self.clock)  # microseconds
            for name in ("created_at", "expires_at")
        )
        return Gtt(
            trigger_id=str(row["gtt_order_id"]),
            trigger_type=GttType.OCO if len(waiting) > 1 else GttType.SINGLE,
            symbol=known.symbol if known is not None else brsymbol,
            exchange=exchange,
            action=Action(waiting[0]["transaction_type"]),
            quantity=count(row["quantity"]) * size,
            product=self.spec.products.of(exchange).read.get(row["product"])
            or surfaced(Product, row["product"]),
            price_type=PriceType.LIMIT,
            legs=[
                GttLeg(number(r["trigger_price"]), _falls(r), price=number(r["trigger_price"]))
                for r in waiting
            ],
            created_at=created,
            expires_at=expires,
            account_id=self.rows.account_id,
        )

    # -- market data ------------------------------------------------------------------------
    async def quote_call(self, batch: Sequence[Instrument]) -> Mapping[Key, Mapping[str, Any]]:
        """Rows are found by the key inside them. World indicators have a last price only."""
        found: dict[Key, Mapping[str, Any]] = {}
        for op, alone in (("quotes", False), ("ltp", True)):
            rows = {r.token: r.key for r in batch if (r.brexchange == INDICATORS) is alone}
            if rows:
                data = await self.rest.op(op, {"keys": ",".join(rows)})
                for raw in (data or {}).values():
                    if (key := rows.get(str(pick(raw, "instrument_token")))) is not None:
                        found[key] = raw
        return found

    def history_context(
        self, row: Instrument, interval: Interval, rule: IntervalRule, first: date, last: date
    ) -> dict[str, Any]:
        """The interval as the unit and how many of it."""
        unit, _, step = rule.wire.partition("/")
        context = super().history_context(row, interval, rule, first, last)
        return context | {"unit": unit, "step": step}

    async def history_call(
        self, row: Instrument, interval: Interval, rule: IntervalRule, first: date, last: date
    ) -> Any:
        """Bars of today come from a request of their own."""
        today = self.clock.now().date()
        if not interval.is_intraday or not first <= today <= last:
            return await super().history_call(row, interval, rule, first, last)
        context = self.history_context(row, interval, rule, first, today - timedelta(days=1))
        past = await self.rest.op("history", context) if first < today else {}
        new = as_rows(pick(await self.rest.op("history_today", context), "candles"))
        # What has no time goes on to the reader of candles, which says so.
        rows = [b for b in new if str(pick(b, "0", today)).startswith(today.isoformat())]
        return [*as_rows(pick(past, "candles")), *rows]


def _protection(kind: PriceType | None) -> dict[str, int]:
    """Automatic (-1) where the price is the market's; others take none (announcement "Market
    Price Protection" of March 2026)."""
    return {"protection": -1 if kind in (PriceType.MARKET, PriceType.SLM) else 0}


def _average(row: Mapping[str, Any]) -> Any:
    """The average of an open position; it may be told as that of its side only. None where it is
    not told at all."""
    held = count(row.get("quantity"))
    side = "buy" if held > 0 else "sell"
    names = ("average_price", f"{side}_price", f"day_{side}_price")
    told = [row[name] for name in names if not absent(row.get(name))]
    return next((price for price in told if price), told[0] if told else None) if held else 0


def _falls(rule: Mapping[str, Any]) -> bool:
    """Whether a rule fires on a fall; that of an exit follows from its side."""
    if rule["strategy"] == "ENTRY":
        return bool(rule["trigger_type"] == "BELOW")
    return bool((rule["strategy"] == "STOPLOSS") == (rule["transaction_type"] == "SELL"))

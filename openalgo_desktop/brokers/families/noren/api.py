"""What the family does that tables cannot say: rows that need arithmetic, quotes one by one,
candles as texts, triggers with requests of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

import msgspec

from openalgo_desktop.brokers.families.noren import triggers
from openalgo_desktop.brokers.families.noren.feed import wire_exchange
from openalgo_desktop.brokers.families.noren.member import Member
from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.account.marketdata import Candle
from openalgo_desktop.brokers.kit.books.rows import as_rows
from openalgo_desktop.brokers.kit.rest.values import absent, number, render
from openalgo_desktop.brokers.kit.spec import IntervalRule
from openalgo_desktop.core.enums import Exchange, GttType, Interval
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.model import (
    Funds,
    Gtt,
    GttRequest,
    Instrument,
    Key,
    Margin,
    OrderAck,
)

_DAY = 86_400
_LEVELS = range(1, 6)
#: Names of indices in daily charts, where they are not the trading symbol.
_CHART_NAMES = {
    "NIFTY": "Nifty 50",
    "BANKNIFTY": "Nifty Bank",
    "FINNIFTY": "Nifty Financial Services",
    "MIDCPNIFTY": "Nifty Midcap Select",
    "NIFTYNXT50": "Nifty Next 50",
    "INDIAVIX": "India VIX",
}
#: Reports that end an order whose status is none of the known ones.
_ENDS = {"Rejected": "REJECTED", "Canceled": "CANCELED"}
_candle = msgspec.json.Decoder(dict[str, Any])


class NorenApi(BrokerApi):
    """REST of a member; see :class:`Member` for what they differ in."""

    member: ClassVar[Member]

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._pairs: set[str] = set()  # triggers that are OCO

    def instrument_values(self, row: Instrument) -> dict[str, Any]:
        """An index is asked for on the exchange of its shares."""
        return super().instrument_values(row) | {"wire_exchange": wire_exchange(row)}

    # -- books ------------------------------------------------------------------------------
    def source_row(self, kind: str, raw: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """One row with what its fields are made of."""
        match kind:
            case "order":
                return self._order(raw)
            case "position":
                return _position(raw)
            case "holding":
                return _holding(raw)
            case "quote":
                return _quote(raw)
        return raw

    def _order(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        """The status with blanks; one that nobody knows gives way to an ending report."""
        status = str(raw.get("status", "")).strip().upper().replace("_", " ")
        if status not in self.spec.statuses.read:
            status = _ENDS.get(str(raw.get("reporttype")), status)
        return {**raw, "status": status}

    async def funds(self) -> Funds:
        """Cash and money paid in today less what is used; results of the day by the member."""
        money = await self.rest.op("funds") or {}
        used = number(money.get("marginused"))
        if self.member.book_results:
            book = as_rows(await self.rest.op("positions"))
            rows = self.rows.book("position", book, _position)
            realised = sum(number(row.get("rpnl")) for row in rows)
            unrealised = sum(number(row.get("urmtom")) for row in rows)
        else:
            # The limits count a realised loss as a positive use of money.
            realised, unrealised = -number(money.get("rpnl")), number(money.get("unmtom"))
        return Funds(
            available_cash=number(money.get("cash")) + number(money.get("payin")) - used,
            collateral=number(money.get("brkcollamt")),
            m2m_realised=realised,
            m2m_unrealised=unrealised,
            utilised=used,
            account_id=self.rows.account_id,
        )

    async def margin_call(self, items: Sequence[dict[str, Any]]) -> Any:
        """The first leg flat, the others as a list; or leg by leg, where baskets are not taken."""
        if not self.member.basket:
            return [await self.rest.op("margin", item) for item in items]
        head, *rest = items
        leg = {
            name: word
            for name, word in self.spec.ops["margin"].body.items()  # type: ignore[union-attr]
            if name not in ("uid", "actid", "basketlists")
        }
        return await self.rest.op(
            "margin", {**head, "basketlists": [render(leg, item) for item in rest]}
        )

    def read_margin(self, data: Any) -> Margin:
        """``marginused`` of a basket is its margin, of a single leg what is used already."""
        if isinstance(data, list):
            return Margin(
                sum(number(row.get("ordermargin", row.get("marginused"))) for row in data)
            )
        return super().read_margin(data)

    # -- triggers ---------------------------------------------------------------------------
    async def gtt_context(self, request: GttRequest) -> dict[str, Any]:
        """Names, sides, quantity and prices of a trigger."""
        triggers.check(request)
        row = self.index.require(request.symbol, request.exchange)
        price_types = self.spec.price_types.send
        return {
            **self.instrument_values(row),
            **self.wire_quantities(row, request.quantity),
            "wire_action": self.spec.actions.send[request.action],
            "wire_product": self.spec.products.send[request.product],
            "wire_price_type": price_types[triggers.LEG_TYPE],
            **triggers.prices(request, row),
        }

    async def gtt_place(self, request: GttRequest, tag: str) -> OrderAck:
        context = await self.gtt_context(request) | {"tag": tag}
        pair = request.trigger_type is GttType.OCO
        data = await self.rest.op("oco_place" if pair else "gtt_place", context)
        ack = self._ack(data, tag, "trigger_id")
        if pair:
            self._pairs.add(ack.order_id)
        return ack

    async def gtt_modify(self, trigger_id: str, request: GttRequest) -> OrderAck:
        context = await self.gtt_context(request) | {"trigger_id": trigger_id}
        pair = request.trigger_type is GttType.OCO
        data = await self.rest.op("oco_modify" if pair else "gtt_modify", context)
        return self._ack(data, trigger_id, "trigger_id", known=trigger_id)

    async def gtt_cancel(self, trigger_id: str) -> OrderAck:
        """Pairs have a request of their own; which ones are pairs is in the book."""
        if trigger_id not in self._pairs:
            await self.gtt_orders()
        pair = trigger_id in self._pairs
        data = await self.rest.op(
            "oco_cancel" if pair else "gtt_cancel", {"trigger_id": trigger_id}
        )
        return self._ack(data, trigger_id, "trigger_id", known=trigger_id)

    def read_gtt(self, row: Mapping[str, Any]) -> Gtt | None:
        """An active trigger; pairs are remembered."""
        gtt = triggers.read(row, self.spec, self.index, self.clock)
        if gtt is not None:
            gtt.account_id = self.rows.account_id
            if gtt.trigger_type is GttType.OCO:
                self._pairs.add(gtt.trigger_id)
        return gtt

    # -- quotes -----------------------------------------------------------------------------
    async def quote_call(self, batch: Sequence[Instrument]) -> Mapping[Key, Mapping[str, Any]]:
        """One request per instrument, a batch of them at once. What the broker does not have is
        the error of its instrument alone."""

        async def ask(row: Instrument) -> Any:
            try:
                return await self.rest.op("quotes", self.instrument_values(row))
            except DataError as error:
                if len(batch) == 1:
                    raise
                return error

        answers = await asyncio.gather(*(ask(row) for row in batch))
        return {row.key: answer for row, answer in zip(batch, answers, strict=True) if answer}

    # -- history ----------------------------------------------------------------------------
    def history_context(
        self, row: Instrument, interval: Interval, rule: IntervalRule, first: date, last: date
    ) -> dict[str, Any]:
        """Daily charts are asked for by name."""
        names = self.instrument_values(row)
        name = _CHART_NAMES.get(row.symbol, names["brsymbol"]) if row.is_index else row.brsymbol
        context = super().history_context(row, interval, rule, first, last)
        context["chart_symbol"] = f"{names['wire_exchange']}:{name}"
        if self.member.chart_key:
            context["jkey"] = self.rest.session.get("access_token")
        return context

    def read_candles(self, data: Any, interval: Interval) -> Iterable[Candle]:
        """Rows of texts, newest first; those of days are JSON inside a text. Rows of zeros are
        minutes without a price."""

        def read(raw: Any) -> Candle | None:
            row = _candle.decode(raw) if isinstance(raw, str) else raw
            start = int(row["ssboe"])
            open_, high, low, close = (number(row[n]) for n in ("into", "inth", "intl", "intc"))
            if not (open_ or high or low or close):
                return None
            volume, oi = number(row.get("intv")), number(row.get("oi"))
            if not interval.is_intraday:  # midnight of the trading day, in UTC already
                start -= start % _DAY
            return (start, open_, high, low, close, int(volume), int(oi))

        return self.rows.book("candle", as_rows(data), read)


# -- rows -----------------------------------------------------------------------------------
def _position(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The open result where the book has none, by the contract's factor; of a flat row the price
    that was paid today; what was bought today and before."""
    row = dict(raw)
    quantity, average = number(raw.get("netqty")), number(raw.get("netavgprc"))
    last = number(raw.get("lp"))
    if quantity and last and not number(raw.get("urmtom")):
        factor = number(raw.get("prcftr")) or 1.0
        row["urmtom"] = (last - average) * quantity * factor
    if not average:
        paid = (raw.get(name) for name in ("daybuyavgprc", "totbuyavgprc"))
        row["netavgprc"] = next((price for price in paid if number(price)), 0.0)
    for side in ("buy", "sell"):
        row[f"{side}qty"] = sum(number(raw.get(f"{when}{side}qty")) for when in ("day", "cf"))
    return row


def _holding(raw: Mapping[str, Any]) -> dict[str, Any] | None:
    """The shares by the documented formula, under the name on NSE where there is one. Those
    bought yesterday are counted apart (``t1_quantity``)."""
    names = {str(name.get("exch")): name for name in raw.get("exch_tsym") or ()}
    name = names.get(Exchange.NSE) or names.get(Exchange.BSE)
    if name is None:
        return None
    held = sum(number(raw.get(n)) for n in ("holdqty", "brkcolqty", "unplgdqty", "benqty"))
    other = max(number(raw.get("npoadqty", raw.get("npoadt1qty"))), number(raw.get("dpqty")))
    quantity = held + other - number(raw.get("usedqty"))
    return {**raw, **name, "quantity": quantity}


def _quote(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The book as levels, and the time of the last trade with its date."""
    row = dict(raw)
    for side, letter in (("buy", "b"), ("sell", "s")):
        row[side] = [
            {"price": raw.get(f"{letter}p{n}"), "quantity": raw.get(f"{letter}q{n}"),
             "orders": raw.get(f"{letter}o{n}")}
            for n in _LEVELS
            if not absent(raw.get(f"{letter}p{n}"))
        ]  # fmt: skip
    if not absent(raw.get("ltd")) and not absent(raw.get("ltt")):
        row["traded_at"] = f"{raw['ltd']} {raw['ltt']}"
    return row

"""What Firstock does that tables cannot say."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from openalgo_desktop.brokers.families.noren import rows, triggers
from openalgo_desktop.brokers.families.noren.feed import wire_exchange
from openalgo_desktop.brokers.kit.books.rows import as_rows
from openalgo_desktop.brokers.kit.rest.values import count, number, pick, render
from openalgo_desktop.brokers.kit.spec import Gives, IntervalRule
from openalgo_desktop.core.enums import Action, GttStatus, GttType, Interval, PriceType
from openalgo_desktop.core.errors import OrderNotWorking
from openalgo_desktop.core.gtt import Gtt, GttLeg, GttRequest
from openalgo_desktop.core.model import (
    BookRows,
    Instrument,
    Key,
    ModifyRequest,
    Order,
    OrderAck,
    OrderRequest,
)

log = logging.getLogger(__name__)

#: Noren's names of the fields of a holding by Firstock's.
_HELD = {
    "holdQuantity": "holdqty",
    "brokerCollateralQuantity": "brkcolqty",
    "unPledgeQuantity": "unplgdqty",
    "beneficiaryQuantity": "benqty",
    "dpQuantity": "dpqty",
    "usedQuantity": "usedqty",
}
_BOOK = {
    "buy": ("bestBuyPrice", "bestBuyQuantity", "bestBuyOrders"),
    "sell": ("bestSellPrice", "bestSellQuantity", "bestSellOrders"),
}


class FirstockApi(triggers.PairedTriggers):
    """REST of Firstock."""

    gives: ClassVar[Gives] = {
        **{
            name: (*values, "order_symbol")
            for name, values in triggers.PairedTriggers.gives.items()
        },
        "place": ("order_symbol", "protection"),
        "modify": ("order_symbol", "protection"),
        "margin": ("order_symbol",),
        "margin_basket": ("@order", "order_symbol", "others"),
        "quotes": ("@instrument",),
        "quotes_many": ("names",),
        "history": ("from_time", "to_time"),
    }

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        #: Single triggers by id and price: whether they wait for a fall.
        self._below: dict[tuple[str, float], bool] = {}

    def instrument_values(self, row: Instrument) -> dict[str, Any]:
        """An index is on the exchange of its shares; orders name their symbol in their own way."""
        values = super().instrument_values(row) | {"wire_exchange": wire_exchange(row)}
        return values | {"order_symbol": values["brsymbol"].replace("&", "%26")}

    # -- orders -----------------------------------------------------------------------------
    def order_context(self, request: OrderRequest, row: Instrument) -> dict[str, Any]:
        return super().order_context(request, row) | _protection(request.price_type)

    def modify_context(self, request: ModifyRequest, known: Order | None) -> dict[str, Any]:
        return super().modify_context(request, known) | _protection(request.price_type)

    def _ack(self, data: Any, tag: str, field: str, *, known: str = "") -> OrderAck:
        """A cancellation that came too late is answered as a success with a reason."""
        if reason := pick(data, "rejreason"):
            raise OrderNotWorking(str(reason))
        return super()._ack(data, tag, field, known=known)

    # -- books ------------------------------------------------------------------------------
    def source_row(self, kind: str, raw: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """One row with what its fields are made of."""
        match kind:
            case "order":
                return rows.order(raw)
            case "holding":
                return _holding(raw)
            case "funds":
                return {**raw, "available": rows.free_cash(raw)}
            case "quote":
                return {**raw, **rows.levels(raw, _BOOK)}
        return raw

    async def margin_call(self, items: Sequence[dict[str, Any]]) -> Any:
        """One leg is asked alone; of several the first is flat, the others are a list."""
        head, *rest = items
        if not rest:
            return await self.rest.op("margin", head)
        body = self.spec.ops["margin_basket"].body
        assert isinstance(body, Mapping)
        leg = {n: w for n, w in body.items() if n not in ("userId", "jKey", "BasketList_Params")}
        others = [render(leg, item) for item in rest]
        return await self.rest.op("margin_basket", {**head, "others": others})

    # -- triggers ---------------------------------------------------------------------------
    async def gtt_place(self, request: GttRequest, tag: str) -> OrderAck:
        """Place a trigger; the side of a single one is remembered: the book does not tell it."""
        ack = await super().gtt_place(request, tag)
        self._placed(ack.order_id, request)
        return ack

    async def gtt_modify(self, trigger_id: str, request: GttRequest) -> OrderAck:
        """Replace triggers, prices and quantity."""
        ack = await super().gtt_modify(trigger_id, request)
        self._placed(trigger_id, request)
        return ack

    def _placed(self, trigger_id: str, request: GttRequest) -> None:
        below = bool(request.trigger_below)
        self._below[trigger_id, request.trigger_below or request.trigger_above] = below

    async def gtt_orders(self) -> BookRows[Gtt]:
        """Active triggers. One that waits and was not placed here is below the last price, or
        above it; without a price it counts as a stop."""
        found = await super().gtt_orders()
        new = [
            gtt
            for gtt in found
            if gtt.trigger_type is GttType.SINGLE
            and (gtt.trigger_id, gtt.legs[0].trigger_price) not in self._below
        ]
        for gtt in await self.sides_by_price(new):
            (leg,) = gtt.legs
            self._below[gtt.trigger_id, leg.trigger_price] = leg.below
        return found

    async def gtt_context(self, request: GttRequest) -> dict[str, Any]:
        """A single trigger is a stop order that waits at the broker; on which side of the price
        it is follows from its value."""
        context = await super().gtt_context(request)
        if request.trigger_type is GttType.SINGLE:
            context["wire_price_type"] = self.spec.price_types.send[PriceType.SL]
            context["trigger_price"] = context["alert_price"]
        return context

    def read_gtt(self, row: Mapping[str, Any]) -> Gtt | None:
        """A trigger of the book. Its row is not documented: it is read as it was placed."""
        first = pick(row, "OrderParams|OrderParamsLeg1") or row
        second = pick(row, "OrderParamsLeg2")
        action = self.spec.actions.read[pick(first, "transactionType")]
        exchange = self.spec.exchanges.read[pick(row, "exchange")]
        brsymbol = triggers.needed(row, "tradingSymbol").replace("%26", "&")
        known = self.index.found(brsymbol, str(row.get("token", "")), exchange)
        trigger_id = triggers.needed(row, "GTTid|gttId|OCOid|ocoId|Al_id|al_id")
        falls = True  # the stop-loss is the first leg of a pair
        if second:
            self.pairs.add(trigger_id)
        else:
            place = trigger_id, number(pick(first, "triggerPrice"))
            falls = self._below.get(place, action is Action.SELL)
        return Gtt(
            trigger_id=trigger_id,
            trigger_type=GttType.OCO if second else GttType.SINGLE,
            symbol=known.symbol if known is not None else brsymbol,
            exchange=exchange,
            action=action,
            quantity=count(pick(first, "quantity")),
            product=self.spec.products.read[pick(first, "product")],
            price_type=PriceType.LIMIT,
            legs=[
                GttLeg(
                    trigger_price=number(pick(leg, "triggerPrice")),
                    below=below,
                    price=number(pick(leg, "price|targetPrice")),
                )
                for leg, below in ((first, falls), (second, False))
                if leg
            ],
            status=GttStatus.ACTIVE,
            account_id=self.rows.account_id,
        )

    # -- quotes -----------------------------------------------------------------------------
    async def quote_call(self, batch: Sequence[Instrument]) -> Mapping[Key, Mapping[str, Any]]:
        """One instrument is asked alone; several are found by their names."""
        if len(batch) == 1:
            raw = await self.rest.op("quotes", self.instrument_values(batch[0]))
            return {batch[0].key: raw} if raw else {}
        names = {(wire_exchange(row), row.brsymbol): row.key for row in batch}
        wanted = [{"exchange": exchange, "tradingSymbol": name} for exchange, name in names]
        found: dict[Key, Mapping[str, Any]] = {}
        for item in as_rows(await self.rest.op("quotes_many", {"names": wanted})):
            raw = item.get("result") or item
            key = names.get((str(raw.get("exchange")), str(raw.get("tradingSymbol"))))
            if key is not None:
                found[key] = raw
        return found

    # -- history ----------------------------------------------------------------------------
    def history_context(
        self, row: Instrument, interval: Interval, rule: IntervalRule, first: date, last: date
    ) -> dict[str, Any]:
        """Whole days; those of daily bars end at midnight."""
        end = "23:59:59" if interval.is_intraday else "00:00:00"
        return super().history_context(row, interval, rule, first, last) | {
            "from_time": f"00:00:00 {first:%d-%m-%Y}",
            "to_time": f"{end} {last:%d-%m-%Y}",
        }


def _protection(kind: PriceType | None) -> dict[str, str]:
    """Per cent of a market order; a limit has its own."""
    return {"protection": "1" if kind in (PriceType.MARKET, PriceType.SLM) else "0"}


def _holding(raw: Mapping[str, Any]) -> dict[str, Any] | None:
    """Under Noren's names; the symbol is one of several."""
    names = [
        {"exch": name.get("exchange"), **name} for name in raw.get("exchangeTradingSymbol") or ()
    ]
    return rows.holding(
        {**raw, **{theirs: raw.get(ours) for ours, theirs in _HELD.items()}, "exch_tsym": names}
    )

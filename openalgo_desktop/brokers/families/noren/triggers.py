"""Good-till-triggered orders of the family: single triggers, and pairs (OCO) that have requests of
their own. Source: https://pi.flattrade.in/docs (GTT, OCO)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.books.times import moment
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.values import OddValue, absent, count, number, pick
from openalgo_desktop.brokers.kit.spec import BrokerSpec, Gives
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import GttStatus, GttType, PriceType
from openalgo_desktop.core.gtt import Gtt, GttLeg, GttRequest
from openalgo_desktop.core.model import Instrument, OrderAck
from openalgo_desktop.core.protection import ALWAYS

#: Kinds of alerts that place an order: last price above, below, or two bounds of it.
ABOVE, BELOW, PAIR = "LTP_A_O", "LTP_B_O", "LMT_BOS_O"
#: All that a trigger places: there are no market orders over an API.
LEG_TYPE = PriceType.LIMIT


class PairedTriggers(BrokerApi):
    """For brokers with requests of their own for pairs: operations ``oco_place``, ``oco_modify``,
    ``oco_cancel`` beside those of single triggers."""

    gives: ClassVar[Gives] = {
        "gtt_place": ("@order", "alert", "alert_price"),
        "gtt_modify": ("@order", "alert", "alert_price"),
        "oco_place": ("@order", "above", "below", "target", "stoploss", "tag"),
        "oco_modify": ("@order", "above", "below", "target", "stoploss", "tag", "trigger_id"),
        "oco_cancel": ("trigger_id",),
    }

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.pairs: set[str] = set()  # triggers that are known to be pairs

    async def gtt_context(self, request: GttRequest) -> dict[str, Any]:
        """Names, sides, quantity and prices of a trigger."""
        self.check_triggers(request)
        row = self.index.require(request.symbol, request.exchange)
        return {
            **self.instrument_values(row),
            **self.wire_quantities(row, request.quantity),
            "wire_action": self.spec.actions.send[request.action],
            "wire_product": self.spec.products.send[request.product],
            "wire_price_type": self.spec.price_types.send[LEG_TYPE],
            **self._prices(request, row),
        }

    def _prices(self, request: GttRequest, row: Instrument) -> dict[str, Any]:
        """Values of triggers and limits. A leg without a limit gets a protected one: a price of 0
        is refused."""

        def limit(price: float, trigger: float) -> float:
            return self.gtt_leg(request, row, trigger, price, ALWAYS).price

        above, below = request.trigger_above, request.trigger_below
        if request.trigger_type is GttType.OCO:
            return {
                "above": above,
                "below": below,
                "target": limit(request.target, above),
                "stoploss": limit(request.stoploss, below),
            }
        return {
            "alert": ABOVE if above else BELOW,
            "alert_price": above or below,
            "price": limit(request.price, above or below),
            "trigger_price": 0.0,
        }

    async def gtt_place(self, request: GttRequest, tag: str) -> OrderAck:
        """Place a trigger; pairs are remembered."""
        context = await self.gtt_context(request) | {"tag": tag}
        pair = request.trigger_type is GttType.OCO
        data = await self.rest.op("oco_place" if pair else "gtt_place", context)
        ack = self._ack(data, tag, "trigger_id")
        if pair:
            self.pairs.add(ack.order_id)
        return ack

    async def gtt_modify(self, trigger_id: str, request: GttRequest) -> OrderAck:
        """Replace triggers, prices and quantity."""
        context = await self.gtt_context(request) | {"trigger_id": trigger_id}
        pair = request.trigger_type is GttType.OCO
        data = await self.rest.op("oco_modify" if pair else "gtt_modify", context)
        return self._ack(data, trigger_id, "trigger_id", known=trigger_id)

    async def gtt_cancel(self, trigger_id: str) -> OrderAck:
        """Cancel a trigger; the book says which ones are pairs."""
        if trigger_id not in self.pairs:
            await self.gtt_orders()
        pair = trigger_id in self.pairs
        context = {"trigger_id": trigger_id}
        data = await self.rest.op("oco_cancel" if pair else "gtt_cancel", context)
        return self._ack(data, trigger_id, "trigger_id", known=trigger_id)


def read(raw: Mapping[str, Any], spec: BrokerSpec, index: BrokerIndex, clock: Clock) -> Gtt | None:
    """An active trigger of the book; None for an alert that places no order. The book spells some
    names in two ways, and has the order flat or in a table of its own."""
    kind = str(raw.get("ai_t", ""))
    if kind not in (ABOVE, BELOW, PAIR):
        return None
    order = pick(raw, "place_order_params") or raw
    exchange = spec.exchanges.read[pick(raw, "exch")]
    brsymbol = needed(raw, "tsym")
    known = index.found(brsymbol, str(pick(raw, "token|Token", "")), exchange)
    pair = kind == PAIR
    return Gtt(
        trigger_id=needed(raw, "al_id|Al_id"),
        trigger_type=GttType.OCO if pair else GttType.SINGLE,
        symbol=known.symbol if known is not None else brsymbol,
        exchange=exchange,
        action=spec.actions.read[pick(order, "trantype")],
        quantity=count(pick(order, "qty|Qty")),
        product=spec.products.read[pick(order, "prd")],
        price_type=spec.price_types.read[pick(order, "prctyp")],
        legs=_pair(raw) if pair else [_single(raw, order, kind)],
        status=GttStatus.ACTIVE,
        created_at=moment(raw.get("norentm"), clock),
    )


def needed(raw: Mapping[str, Any], path: str) -> str:
    """The text at a path of a trigger's row, without which the row means nothing. Raises
    :class:`OddValue`."""
    value = pick(raw, path)
    if absent(value):
        raise OddValue(f"{path} is missing")
    return str(value)


def _variables(raw: Mapping[str, Any]) -> dict[str, float]:
    return {row["var_name"]: number(row["d"]) for row in raw.get("oivariable") or ()}


def _single(raw: Mapping[str, Any], order: Mapping[str, Any], kind: str) -> GttLeg:
    trigger = number(raw.get("d")) or _variables(raw).get("x", 0.0)
    return GttLeg(trigger, below=kind == BELOW, price=number(pick(order, "prc|Prc")))


def _pair(raw: Mapping[str, Any]) -> list[GttLeg]:
    """Stop-loss first. Which order belongs to which value is told by the values: the lower one
    is the stop-loss."""
    values = _variables(raw)
    legs = [
        (values["x"], number(pick(raw, "place_order_params.prc"))),
        (values["y"], number(pick(raw, "place_order_params_leg2.prc"))),
    ]
    return [
        GttLeg(trigger, below=position == 0, price=price)
        for position, (trigger, price) in enumerate(sorted(legs))
    ]

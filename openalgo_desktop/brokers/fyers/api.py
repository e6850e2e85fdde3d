"""What Fyers does that tables cannot say: claims of its token, states of orders, two kinds of
quotes, triggers. Source: myapi.fyers.in/docsv3."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any, ClassVar

import msgspec

from openalgo_desktop.brokers.fyers.spec import LEG
from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.books.rows import as_rows, whole
from openalgo_desktop.brokers.kit.books.times import moment
from openalgo_desktop.brokers.kit.rest.values import OddValue, count, number, pick, render
from openalgo_desktop.brokers.kit.spec import Gives, IntervalRule
from openalgo_desktop.core.conversion import ConvertRequest, all_carried
from openalgo_desktop.core.enums import (
    DERIVATIVE_EXCHANGES,
    Action,
    GttType,
    Interval,
    PriceType,
    Product,
    surfaced,
)
from openalgo_desktop.core.errors import AppError, DataError, InvalidOrder, OrderStateUnknown
from openalgo_desktop.core.gtt import Gtt, GttLeg, GttRequest
from openalgo_desktop.core.model import (
    BookRows,
    Funds,
    Instrument,
    Key,
    ModifyRequest,
    Order,
    OrderAck,
)
from openalgo_desktop.core.protection import ALWAYS

#: So many derivatives of one request get their open interest, by one more request each.
_MOST_INTEREST = 5
_PENDING, _TRANSIT = 6, 4
_STOPS = (3, 4)  # order types with a trigger


class FyersApi(BrokerApi):
    """Fyers API v3."""

    gives: ClassVar[Gives] = {
        "claims": ("client_id", "hsm_key"),
        "convert": ("position_id", "overnight"),
        "margin": ("legs",),
        "gtt_place": ("legs", "@instrument", "wire_action", "wire_product"),
        "gtt_modify": ("legs",),
        "quotes": ("symbols",),
        "depth": ("@instrument",),
        "history": ("oi_flag",),
    }

    async def claims(self, known: Mapping[str, Any]) -> Mapping[str, str]:
        """Login step: who logged in and the key of the market feed, out of the access token."""
        parts = known["access_token"].split(".")
        try:
            claims = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "==="))
        except (IndexError, ValueError):
            return {}
        names = {"client_id": "fy_id", "hsm_key": "hsm_key"}
        return {ours: str(claims[name]) for ours, name in names.items() if name in claims}

    # -- orders -----------------------------------------------------------------------------
    def _ack(self, data: Any, tag: str, field: str, *, known: str = "") -> OrderAck:
        """Code 201: the request was made and nobody has acknowledged it."""
        if str(pick(data, "code")) == "201":
            raise OrderStateUnknown(str(pick(data, "message") or "Fyers: in transit"), tag=tag)
        return super()._ack(data, tag, field, known=known)

    def modify_context(self, request: ModifyRequest, known: Order | None) -> dict[str, Any]:
        """A disclosed quantity that a change leaves out stays as it was: of an order that has one
        0 is said too, which as a number would be left out."""
        context = super().modify_context(request, known)
        if known is not None and known.disclosed_quantity:
            context["disclosed_quantity"] = str(context["disclosed_quantity"])
        return context

    async def convert_context(self, request: ConvertRequest, row: Instrument) -> dict[str, Any]:
        """A position is named by symbol and product; units of today and those of before apart."""
        name = f"{row.brsymbol}-{self.spec.products.send[request.product]}"
        held = await self.held_row(request)
        before = count(held.get("cfBuyQty")) - count(held.get("cfSellQty"))
        carried = all_carried(request, count(held.get("netQty")), before, self.spec.title)
        return {"position_id": name, "overnight": int(carried)}

    # -- books ------------------------------------------------------------------------------
    def source_row(self, kind: str, raw: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """One row with what its fields are made of."""
        if kind == "order":
            state = pick(raw, "status|org_ord_status")
            stop = number(pick(raw, "stopPrice|price_stop")) > 0
            waits = stop and not number(pick(raw, "filledQty|qty_filled"))  # what fills has fired
            if state == _PENDING and waits and pick(raw, "type|ord_type") in _STOPS:
                state = "STOP"
            tag = str(pick(raw, "orderTag|ordertag", ""))
            return {**raw, "state": state, "tag": tag[2:] if tag.startswith("1:") else ""}
        if kind == "holding" and raw.get("holdingType") == "T1":  # bought, not delivered yet
            return {**raw, "quantity": 0, "t1": raw.get("quantity")}
        return raw

    async def funds(self) -> Funds:
        """Both ledgers together; the results of the day are those of the positions. Raises
        :class:`DataError` when a position cannot be read, or nothing is said of the balance."""
        table = {row.get("title"): row for row in as_rows(await self.rest.op("funds"))}
        if "Clear Balance" not in table:
            raise DataError(f"{self.spec.title}: the funds do not say the balance.")
        held = await self.positions()
        whole(held, self.spec.title)

        def both(title: str) -> float:
            row = table.get(title) or {}
            return number(row.get("equityAmount")) + number(row.get("commodityAmount"))

        used = table.get("Utilized Amount") or {}
        return Funds(
            available_cash=both("Clear Balance"),
            collateral=both("Collaterals"),
            m2m_realised=sum(row.realised for row in held),
            m2m_unrealised=sum(row.unrealised for row in held),
            utilised=both("Utilized Amount"),
            account_id=self.rows.account_id,
            used_by={
                name: number(used.get(field))
                for name, field in (("Equity", "equityAmount"), ("Commodity", "commodityAmount"))
            },
        )

    async def margin_call(self, items: Sequence[dict[str, Any]]) -> Any:
        """All legs in one list."""
        return await self.rest.op("margin", {"legs": [render(LEG, item) for item in items]})

    # -- good till triggered ----------------------------------------------------------------
    async def gtt_context(self, request: GttRequest) -> dict[str, Any]:
        """Legs are limits: one without a limit is protected from its trigger. Of a pair the leg
        above the price is the first."""
        row = self.index.require(request.symbol, request.exchange)
        if request.product is Product.MIS:
            raise InvalidOrder("Fyers takes no intraday triggers.", field="product")
        pair = request.trigger_type is GttType.OCO
        if pair:
            wanted = [
                (request.trigger_above, request.target),
                (request.trigger_below, request.stoploss),
            ]
        else:
            wanted = [(request.trigger_above or request.trigger_below, request.price)]
        quantity = self.wire_quantities(row, request.quantity)["quantity"]
        legs = {
            f"leg{place}": {
                "price": float(self.gtt_leg(request, row, trigger, limit, ALWAYS).price),
                "triggerPrice": float(trigger),
                "qty": quantity,
            }
            for place, (trigger, limit) in enumerate(wanted, 1)
        }
        return {
            **self.instrument_values(row),
            "wire_action": self.spec.actions.send[request.action],
            "wire_product": self.spec.products.send[request.product],
            "legs": legs,
        }

    async def gtt_orders(self) -> BookRows[Gtt]:
        """Active triggers; a single one whose row has no price gets its side by a quote."""
        found = await super().gtt_orders()
        await self.sides_by_price([gtt for gtt in found if not gtt.last_price])
        return found

    def read_gtt(self, row: Mapping[str, Any]) -> Gtt | None:
        """Pending triggers only; others are history."""
        if row.get("ord_status") not in (_PENDING, _TRANSIT):
            return None
        exchange = self.spec.exchanges.read[str(row["exchange"]), str(row["segment"])]
        brsymbol, action = row["symbol"], self.spec.actions.read[row["tran_side"]]
        product = str(row["product_type"])
        known = self.index.found(brsymbol, str(row.get("fy_token", "")), exchange)
        first = GttLeg(number(row["price_trigger"]), below=False, price=number(row["price_limit"]))
        legs, last = [first], number(row.get("ltp"))
        if pair := row.get("gtt_oco_ind") == 2:
            if count(row["qty"]) != count(row["qty2"]):
                raise OddValue("the quantities of its legs differ: change or cancel it at Fyers")
            stop = GttLeg(
                number(row["price2_trigger"]), below=True, price=number(row["price2_limit"])
            )
            legs = [stop, first]
        else:
            first.below = first.trigger_price <= last or (not last and action is Action.SELL)
        return Gtt(
            trigger_id=str(row["id"]),
            trigger_type=GttType.OCO if pair else GttType.SINGLE,
            symbol=known.symbol if known is not None else brsymbol,
            exchange=exchange,
            action=action,
            quantity=count(row["qty"]) * self.size_of(known, exchange, brsymbol),
            product=self.spec.products.read.get(product) or surfaced(Product, product),
            price_type=PriceType.LIMIT,
            legs=legs,
            last_price=last,
            created_at=moment(row.get("create_time"), self.clock),
            account_id=self.rows.account_id,
        )

    # -- market data ------------------------------------------------------------------------
    async def quote_call(
        self, batch: Sequence[Instrument]
    ) -> Mapping[Key, Mapping[str, Any] | AppError]:
        """One instrument is asked with its book. Several are not, and without open interest: a
        few derivatives are asked for it one by one, more would cost the minute's requests."""
        if len(batch) == 1:
            try:
                return {batch[0].key: await self._with_book(batch[0])}
            except DataError as error:
                return {batch[0].key: error}
        names = {row.brsymbol: row.key for row in batch}
        data = await self.rest.op("quotes", {"symbols": ",".join(names)})
        found: dict[Key, Mapping[str, Any] | AppError] = {}
        for item in as_rows(data):
            if key := names.get(str(item.get("n"))):
                raw = item.get("v") or {}
                bad = item.get("s") == "error" or not raw
                found[key] = DataError(str(raw.get("errmsg") or "no quote")) if bad else raw
        contracts = [row for row in batch if row.exchange in DERIVATIVE_EXCHANGES]
        for row in contracts if len(contracts) <= _MOST_INTEREST else ():
            if isinstance(raw := found.get(row.key), Mapping):
                with suppress(AppError):  # the price is known all the same
                    found[row.key] = {**raw, "oi": (await self._with_book(row)).get("oi")}
        return found

    async def _with_book(self, row: Instrument) -> Mapping[str, Any]:
        data = await self.rest.op("depth", self.instrument_values(row))
        raw = (data or {}).get(row.brsymbol)
        if not raw:
            raise DataError(f"{self.spec.title} has no quote of {row.symbol}.")
        return {**raw, "asks": raw.get("ask"), "ask": None}

    def history_context(
        self, row: Instrument, interval: Interval, rule: IntervalRule, first: date, last: date
    ) -> dict[str, Any]:
        """Open interest, where there is any."""
        interest = "1" if row.exchange in DERIVATIVE_EXCHANGES else ""
        return super().history_context(row, interval, rule, first, last) | {"oi_flag": interest}

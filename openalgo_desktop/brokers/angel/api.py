"""What SmartAPI does that tables cannot say: varieties, funds of two answers, open interest beside
candles, triggers."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, ClassVar

from openalgo_desktop.brokers.angel.spec import HELD, LEG, RENEW, TOKENS
from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.books.rows import as_rows, whole
from openalgo_desktop.brokers.kit.books.times import moment
from openalgo_desktop.brokers.kit.rest.values import OddValue, absent, count, number, pick, render
from openalgo_desktop.brokers.kit.spec import Gives, IntervalRule
from openalgo_desktop.core import enums as e
from openalgo_desktop.core import errors as x
from openalgo_desktop.core import gtt as g
from openalgo_desktop.core import model as m
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.conversion import ConvertRequest, all_carried
from openalgo_desktop.core.protection import ALWAYS

log = logging.getLogger(__name__)

SELL = e.Action.SELL
_DAYS = 365  # of a trigger, unless it is told
_OVER = ("CANCELLED", "SENTTOEXCHANGE")  # triggers that wait no more
_CANDLE = 6  # time, four prices, volume


class AngelApi(BrokerApi):
    """SmartAPI."""

    gives: ClassVar[Gives] = {
        "bare": ("access_token",),
        "renewed": tuple(TOKENS),
        "place": ("variety",),
        "convert": HELD,
        "margin": ("legs",),
        "quotes": ("tokens",),
        "history": ("from_time", "to_time"),
        "history_oi": ("@instrument", "wire_interval", "from_time", "to_time"),
        "gtt_place": ("@order", "days", "gtt_type", "stop_price", "stop_trigger"),
        "gtt_modify": ("@order", "days"),
        "gtt_cancel": ("@instrument",),
        "orders_rule": ("trigger_id",),
    }

    async def bare(self, known: Mapping[str, Any]) -> Mapping[str, str]:
        """Login step: some answers have the token with the word that goes before it in headers."""
        return {"access_token": str(known.get("access_token", "")).removeprefix("Bearer ")}

    async def renewed(self, known: Mapping[str, Any]) -> Mapping[str, str]:
        """Login step: tokens for the refresh token of the last session."""
        last = self.rest.session.get("access_token") or known["refresh_token"]
        try:
            data = await self.rest.call(RENEW, {**known, "access_token": last}, "login")
        except (x.SessionExpired, x.DataError) as error:
            raise x.BadCredentials(error.message, field="refresh_token") from None
        return {ours: str(v) for ours, theirs in TOKENS.items() if (v := pick(data, theirs))}

    # -- orders -----------------------------------------------------------------------------
    def order_context(self, request: m.OrderRequest, row: m.Instrument) -> dict[str, Any]:
        """Orders with a trigger have a variety of their own."""
        variety = "STOPLOSS" if request.price_type.has_trigger else "NORMAL"
        return super().order_context(request, row) | {"variety": variety}

    def source_row(self, kind: str, raw: Any) -> Any:
        """Of a changed order ``status`` tells the change and ``orderstatus`` the state (forum,
        "Difference between status and orderstatus", the administrator)."""
        if kind == "order":
            return {**raw, "status": raw.get("orderstatus") or raw.get("status")}
        return raw

    async def convert_context(self, request: ConvertRequest, row: m.Instrument) -> dict[str, Any]:
        """A conversion repeats the row of the position. Only those of today's units are
        documented."""
        held = await self.held_row(request)
        carried = count(held.get("cfbuyqty")) - count(held.get("cfsellqty"))
        if all_carried(request, count(held.get("netqty")), carried, self.spec.title):
            raise x.NotSupported(
                f"{self.spec.title}: {request.symbol} was carried over; convert it in their app."
            )
        return {name: held.get(name, "") for name in HELD}

    # -- money ------------------------------------------------------------------------------
    async def funds(self) -> m.Funds:
        """``availablecash`` is what is left, collateral included; ``utilisedpayout`` the part of
        it that is money. The results come from the positions: their own fields stay 0."""
        told = await self.rest.op("funds") or {}
        if absent(told.get("availablecash")):
            raise OddValue(f"{self.spec.title}: the funds lack availablecash")
        left, used = number(told["availablecash"]), number(told.get("utiliseddebits"))
        payout = told.get("utilisedpayout")
        pledged = number(told.get("collateral")) if absent(payout) else left - number(payout)
        held = whole(await self.positions(), self.spec.title)
        return m.Funds(
            available_cash=left + used - pledged,
            collateral=pledged,
            m2m_realised=sum(row.pnl for row in held if not row.quantity),
            m2m_unrealised=sum(row.pnl for row in held if row.quantity),
            utilised=used,
            account_id=self.rows.account_id,
        )

    async def margin_call(self, items: Sequence[dict[str, Any]]) -> Any:
        """All legs in one request."""
        return await self.rest.op("margin", {"legs": [render(LEG, item) for item in items]})

    # -- good till triggered ----------------------------------------------------------------
    async def gtt_context(self, request: g.GttRequest) -> dict[str, Any]:
        """Rules become limits, a leg without one a protected limit. Of an OCO the rule is the
        target and the stop-loss is beside it (topic/5155, the administrator): for a seller the
        upper and the lower trigger, for a buyer the other way round."""
        row = self.index.require(request.symbol, request.exchange)
        oco = request.trigger_type is e.GttType.OCO
        below = request.trigger_below, request.stoploss if oco else request.price
        above = request.trigger_above, request.target if oco else request.price
        first, *second = [
            (trigger, self.gtt_leg(request, row, trigger, limit, ALWAYS).price)
            for trigger, limit in ((above, below) if request.action is SELL else (below, above))
            if trigger
        ]
        days = (request.expires_at - self.clock.now()).days if request.expires_at else _DAYS
        stop = second[0] if second else (0.0, 0.0)
        return {
            **self.instrument_values(row),
            **self.wire_quantities(row, request.quantity),
            "wire_action": self.spec.actions.send[request.action],
            "wire_product": self.spec.products.send[request.product],
            "trigger_price": first[0],
            "price": first[1],
            "stop_trigger": stop[0],
            "stop_price": stop[1],
            "gtt_type": "OCO" if oco else "",
            "days": max(1, days),
        }

    async def gtt_modify(self, trigger_id: str, request: g.GttRequest) -> m.OrderAck:
        """Replace trigger, price and quantity of a single one."""
        if request.trigger_type is e.GttType.OCO:
            raise x.NotSupported(
                f"{self.spec.title} documents no change of an OCO: cancel it and place it anew."
            )
        return await super().gtt_modify(trigger_id, request)

    async def gtt_cancel(self, trigger_id: str) -> m.OrderAck:
        """Cancel a trigger, which is named with its instrument."""
        rule = await self.rest.op("orders_rule", {"trigger_id": trigger_id})
        if not rule:
            raise x.GttNotFound(trigger_id)
        names = {"token": pick(rule, "symboltoken"), "wire_exchange": pick(rule, "exchange")}
        data = await self.rest.op("gtt_cancel", {"trigger_id": trigger_id, **names})
        return self._ack(data, trigger_id, "trigger_id", known=trigger_id)

    async def gtt_orders(self) -> m.BookRows[g.Gtt]:
        """Active triggers; the book does not tell on which side of the price a single one waits."""
        found = await super().gtt_orders()
        await self.sides_by_price(found)
        return found

    def read_gtt(self, row: Mapping[str, Any]) -> g.Gtt | None:
        """A rule of the list; the fields of an OCO are those that it is made with."""
        if row.get("status") in _OVER:
            return None
        if absent(row.get("triggerprice")):
            raise OddValue(f"rule {row['id']}: the trigger price is missing")
        action = self.spec.actions.read[row["transactiontype"]]
        exchange = self.spec.exchanges.read[row["exchange"]]
        known = self.index.found(row["tradingsymbol"], str(row["symboltoken"]), exchange)
        size = self.size_of(known, exchange, row["tradingsymbol"])
        falls = action is SELL
        legs = [g.GttLeg(number(row["triggerprice"]), falls, number(row["price"]))]
        if stop := number(row.get("stoplosstriggerprice")):
            legs[0].below = not falls
            legs.append(g.GttLeg(stop, falls, number(row.get("stoplossprice"))))
            legs.sort(key=lambda leg: not leg.below)
        return g.Gtt(
            trigger_id=str(row["id"]),
            trigger_type=e.GttType.OCO if stop else e.GttType.SINGLE,
            symbol=known.symbol if known is not None else row["tradingsymbol"],
            exchange=exchange,
            action=action,
            quantity=count(row["qty"]) * size,
            product=self.spec.products.read.get(row["producttype"])
            or e.surfaced(e.Product, str(row["producttype"])),
            price_type=e.PriceType.LIMIT,
            legs=legs,
            status=e.GttStatus.ACTIVE,
            created_at=moment(row.get("createddate"), self.clock),
            updated_at=moment(row.get("updateddate"), self.clock),
            expires_at=moment(row.get("expirydate"), self.clock),
            account_id=self.rows.account_id,
        )

    # -- market data ------------------------------------------------------------------------
    async def quote_call(
        self, batch: Sequence[m.Instrument]
    ) -> Mapping[m.Key, Mapping[str, Any] | x.AppError]:
        """Tokens by exchange; an index is on that of its shares."""
        keys = {(row.brexchange, row.token): row.key for row in batch}
        tokens: dict[str, list[str]] = {}
        for exchange, token in keys:
            tokens.setdefault(exchange, []).append(token)
        data = await self.rest.op("quotes", {"tokens": tokens})
        found: dict[m.Key, Mapping[str, Any] | x.AppError] = {}
        for name in ("fetched", "unfetched"):
            for raw in as_rows(pick(data, name)):
                key = keys.get((str(pick(raw, "exchange")), str(pick(raw, "symbolToken"))))
                if key is not None:
                    found[key] = raw if name == "fetched" else x.DataError(str(raw.get("message")))
        return found

    def history_context(
        self, row: m.Instrument, interval: e.Interval, rule: IntervalRule, first: date, last: date
    ) -> dict[str, Any]:
        """Whole days, as far as they have come."""
        end = min(datetime.combine(last, time(23, 59), IST), self.clock.now().astimezone(IST))
        return super().history_context(row, interval, rule, first, last) | {
            "from_time": f"{first} 00:00",
            "to_time": f"{end:%Y-%m-%d %H:%M}",
        }

    async def history_call(
        self, row: m.Instrument, interval: e.Interval, rule: IntervalRule, first: date, last: date
    ) -> Any:
        """Open interest of derivatives is a request of its own, by the same times; contracts that
        are over have none."""
        if first > self.clock.now().astimezone(IST).date():
            return ()  # an end before its beginning is AB1004
        candles = as_rows(await super().history_call(row, interval, rule, first, last))
        if row.exchange not in e.DERIVATIVE_EXCHANGES or not candles:
            return candles
        context = self.history_context(row, interval, rule, first, last)
        try:
            told = as_rows(await self.rest.op("history_oi", context))
        except x.DataError as error:
            log.info("%s: no open interest of %s: %s", self.spec.title, row.symbol, error.message)
            return candles
        interest = {str(pick(each, "time")): pick(each, "oi") for each in told}
        return [  # an odd candle stays one: its reader says so
            [*candle[:_CANDLE], interest.get(str(candle[0]), 0)]
            if isinstance(candle, list) and len(candle) >= _CANDLE
            else candle
            for candle in candles
        ]

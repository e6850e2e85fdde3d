"""What DhanHQ does that tables cannot say: prices for books that have none, margins of baskets,
forever orders whose legs are rows and are changed one by one, candles in columns."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, ClassVar, TypeVar

from openalgo_desktop.brokers.families.dhanhq.spec import LEG, RENEW
from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.books.rows import as_rows, whole
from openalgo_desktop.brokers.kit.books.times import moment
from openalgo_desktop.brokers.kit.rest.values import OddValue, absent, count, number, pick, render
from openalgo_desktop.brokers.kit.spec import Gives, IntervalRule
from openalgo_desktop.core import enums as e
from openalgo_desktop.core import errors as err
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.gtt import Gtt, GttLeg, GttRequest
from openalgo_desktop.core.model import (
    BookRows,
    Funds,
    Holding,
    Instrument,
    Key,
    OrderAck,
    Position,
)
from openalgo_desktop.core.protection import ALWAYS
from openalgo_desktop.core.symbols import parse
from openalgo_desktop.core.ticks import Tick

Held = TypeVar("Held", Position, Holding)

_TIMES = ("createTime", "updateTime", "exchangeTime")
_ACTIVE = frozenset({"TRANSIT", "PENDING", "CONFIRM"})
_SINGLE, _STOP, _TARGET = "ENTRY_LEG", "STOP_LOSS_LEG", "TARGET_LEG"
#: A book waits so long for its prices; seconds.
_PATIENCE = 3.0
#: Without a data plan it asks for none so long; seconds.
_NO_PLAN = 600.0
_COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")


class DhanApi(BrokerApi):
    """DhanHQ v2."""

    gives: ClassVar[Gives] = {
        "*": ("basket", "instruments", "instrument", "from_time", "to_time"),
        "renew_token": ("access_token", "client_id"),
        "convert": ("position_type",),
        "gtt_place": ("@order", "flag", "price1", "trigger_price1", "quantity1"),
        "gtt_modify": ("@order", "flag", "leg"),
    }

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._live = "quotes" in self.spec.ops
        self._unpriced = float("-inf")  # until then books ask for no prices, monotonic
        self._below: dict[str, bool] = {}  # triggers placed here: whether they fire on a fall

    async def renew_token(self, known: Mapping[str, Any]) -> Mapping[str, str]:
        """A login step: the token of the session for one of another day."""
        session = self.rest.session
        told = {name: session.get(name) for name in ("access_token", "client_id")}
        if not all(told.values()):
            raise err.BadCredentials("There is no token to renew: paste one.", field="access_token")
        data = await self.rest.call(RENEW.op, told, "login")
        # The former token has ended with this: it never stands in for one that did not come.
        found = {name: str(pick(data, path) or "") for name, path in RENEW.gives.items()}
        return {"client_id": told["client_id"], **{n: text for n, text in found.items() if text}}

    # -- rows -------------------------------------------------------------------------------
    def source_rows(self, kind: str, data: Any) -> Iterable[Any]:
        """Candles come as columns, the two legs of a pair as two rows of one trigger."""
        if kind == "candle":
            if isinstance(data, Mapping) and "timestamp" not in data:
                why = pick(data, "errorMessage|internalErrorMessage|message", "no candles came")
                raise err.ProtocolError(f"{self.spec.title}: {why}")
            columns = [as_rows(pick(data, name)) for name in _COLUMNS]
            columns.append(as_rows(pick(data, "open_interest")) or [0] * len(columns[0]))
            if len(set(map(len, columns))) > 1:
                raise err.ProtocolError(f"{self.spec.title} sent candles with values missing.")
            return zip(*columns, strict=True)
        rows = super().source_rows(kind, data)
        if kind != "gtt":
            return rows
        triggers: dict[str, list[Any]] = {}
        odd = []  # what has no id is the leg of nothing else
        for row in rows:
            if isinstance(row, Mapping) and not absent(row.get("orderId")):
                triggers.setdefault(str(row["orderId"]), []).append(row)
            else:
                odd.append(row)
        return [*({**legs[0], "legs": legs} for legs in triggers.values()), *odd]

    def source_row(self, kind: str, raw: Any) -> Any:
        """Rows in the words of the tables."""
        if kind == "order" and str(raw.get("orderType")).startswith("STOP_LOSS"):
            # There is no other word for it; what is filled in part has been triggered.
            waits = raw.get("orderStatus") == "PENDING" and not count(raw.get("filledQty"))
            raw = {**raw, "orderStatus": "TRIGGER_PENDING"} if waits else raw
        if kind in ("order", "trade") and not self._live:  # the sandbox has UTC
            raw = {**raw, **{name: f"{raw[name]}+00:00" for name in _TIMES if raw.get(name)}}
        if kind in ("order", "trade", "position"):
            exchange = self.spec.exchanges.read.get(raw.get("exchangeSegment"), "")
            name, token = str(raw.get("tradingSymbol", "")), str(raw.get("securityId", ""))
            if "-" in name and self.index.by_token(token, exchange) is None:
                # weekly options of a month share their name: it must find none of the others
                raw = {**raw, "tradingSymbol": f"{name} {token}"}
        if kind == "holding":
            return self._holding_row(raw)
        if kind == "funds" and absent(pick(raw, "availabelBalance")):
            raise err.DataError(f"{self.spec.title} did not say what money there is.")
        if kind == "quote" and str(raw.get("last_trade_time")).startswith("01/01/1980"):
            return {**raw, "last_trade_time": None}  # never
        return raw

    def _holding_row(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Shares are held at both exchanges ("ALL"): the one whose id and name both are those of
        the row, as an id may be another share's at the other exchange; else the one that knows
        either. What is not delivered yet is part of the total."""
        token, name = str(raw.get("securityId", "")), str(raw.get("tradingSymbol", ""))
        told = str(raw.get("exchange")).partition("_")[0]
        markets = [x for x in (e.Exchange.NSE, e.Exchange.BSE) if x == told] or [
            e.Exchange.NSE, e.Exchange.BSE,
        ]  # fmt: skip
        ids = {x: row for x in markets if (row := self.index.by_token(token, x)) is not None}
        known = [
            *(x for x, row in ids.items() if row.brsymbol == name),
            *ids,
            *(x for x in markets if self.index.by_brsymbol(name, x)),
            markets[0],
        ][0]
        if absent(raw.get("totalQty")):
            raise OddValue("the quantity is missing")
        quantity = count(raw["totalQty"]) - count(raw.get("t1Qty"))
        return {**raw, "exchange": self.spec.exchanges.send[known], "quantity": quantity}

    # -- books ------------------------------------------------------------------------------
    async def positions(self) -> BookRows[Position]:
        """A row tells its open result and no price: one of nothing has to be quoted."""
        return await self._priced(await super().positions())

    async def holdings(self) -> BookRows[Holding]:
        """Not every row has its price."""
        return await self._priced(await super().holdings())

    async def _priced(self, rows: BookRows[Held]) -> BookRows[Held]:
        """The rows, those without a price quoted in one batch; a book does without (no data plan,
        too many requests, others that wait for quotes: an exit must not wait behind them)."""
        missing = [row for row in rows if row.quantity and not row.ltp]
        keys = list(dict.fromkeys((row.exchange, row.symbol) for row in missing))
        now = self.clock.monotonic()
        try:
            async with asyncio.timeout(_PATIENCE):
                asks = self._live and now >= self._unpriced
                found = await self.quotes(keys) if keys and asks else {}
        except err.AuthError:
            raise
        except (err.AppError, TimeoutError) as error:
            if isinstance(error, err.NotSupported):
                self._unpriced = now + _NO_PLAN
            return rows
        for row in missing:
            if isinstance(tick := found.get((row.exchange, row.symbol)), Tick):
                if isinstance(row, Position):  # the broker's result stays what it is
                    row.realised -= (tick.ltp - row.average_price) * row.quantity * row.multiplier
                    row.realised_today = row.realised = round(row.realised, 4)
                row.ltp = tick.ltp
        return rows

    async def convert_context(self, request: ConvertRequest, row: Instrument) -> dict[str, Any]:
        """The side of the position."""
        return {"position_type": "LONG" if request.action is e.Action.BUY else "SHORT"}

    # -- money ------------------------------------------------------------------------------
    async def funds(self) -> Funds:
        """Cash without the collateral; the results of the day from the positions. Raises
        :class:`DataError` when one of them cannot be read."""
        funds = await super().funds()
        funds.available_cash -= funds.collateral
        held = whole(await super().positions(), self.spec.title)
        funds.m2m_realised = sum(row.realised for row in held)
        funds.m2m_unrealised = sum(row.unrealised for row in held)
        return funds

    async def margin_call(self, items: Sequence[dict[str, Any]]) -> Any:
        """One leg alone, several as a basket with what is held and ordered. The sandbox has
        baskets only, whose names are those of the documentation; the account takes the SDK's."""
        legs = [render(LEG, {"trigger_price": 0, **item}) for item in items]
        if not self._live:
            client = {"dhanClientId": self.rest.session.get("client_id")}
            legs = [{**client, **leg} for leg in legs]
            basket = {"includePosition": True, "includeOrders": True, "scripts": legs}
            return await self.rest.op("margin", {"basket": basket})
        if len(items) == 1:
            return await self.rest.op("margin", items[0])
        basket = {"dhanClientId": self.rest.session.get("client_id"), "includePosition": True,
                  "includeOrder": True, "scripList": legs}  # fmt: skip
        return await self.rest.op("margin_multi", {"basket": basket})

    # -- forever orders -----------------------------------------------------------------------
    async def gtt_place(self, request: GttRequest, tag: str) -> OrderAck:
        """A single trigger, or a pair whose first leg is the stop-loss."""
        legs = self._legs(request)
        context = {**legs[0], "tag": tag, "price1": 0.0, "trigger_price1": 0.0, "quantity1": 0}
        if len(legs) == 2:
            names = ("price", "trigger_price", "quantity")
            context |= {f"{name}1": legs[1][name] for name in names}
        ack = self._ack(await self.rest.op("gtt_place", context), tag, "trigger_id")
        self._below[ack.order_id] = bool(request.trigger_below)
        return ack

    async def gtt_modify(self, trigger_id: str, request: GttRequest) -> OrderAck:
        """One request per leg, the stop-loss first; raises with what was done when the target
        could not be changed. The request has no word for the product."""
        self.same_product(trigger_id, request)
        done = None
        for leg in self._legs(request):
            context = {**leg, "trigger_id": trigger_id, "tag": ""}
            try:
                done = await self.rest.op("gtt_modify", context)
            except err.OrderStateUnknown as error:
                if done is None:
                    raise
                text = f"The stop-loss leg was changed, of the target leg: {error.message}"
                raise err.OrderStateUnknown(text, tag=error.tag) from error
            except err.AppError as error:
                if done is None:
                    raise
                text = f"The stop-loss leg was changed, the target leg was not: {error.message}"
                raise err.RejectedByBroker(text) from error
        self._below[trigger_id] = bool(request.trigger_below)
        return self._ack(done, trigger_id, "trigger_id", known=trigger_id)

    async def gtt_orders(self) -> BookRows[Gtt]:
        """Active triggers; of single ones that were not placed here a quote tells the side."""
        found = await super().gtt_orders()
        await self.sides_by_price([gtt for gtt in found if gtt.trigger_id not in self._below])
        return found

    def _legs(self, request: GttRequest) -> list[dict[str, Any]]:
        """Values of each leg. Raises :class:`InvalidOrder` for what is no trigger or pair."""
        row = self.index.require(request.symbol, request.exchange)
        below, above = request.trigger_below, request.trigger_above
        pair = request.trigger_type is e.GttType.OCO
        self.check_triggers(request)
        wanted = [(_STOP, below, request.stoploss), (_TARGET, above, request.target)]
        if not pair:
            wanted = [(_SINGLE, below or above, request.price)]
        found = []
        for name, trigger, limit in wanted:
            order = self.gtt_leg(request, row, trigger, limit, ALWAYS)
            flag = "OCO" if pair else "SINGLE"
            values = {"flag": flag, "leg": name, "trigger_price": trigger}
            found.append({**self.order_context(order, row), **values})
        return found

    def read_gtt(self, row: Mapping[str, Any]) -> Gtt | None:
        """An active trigger; ``orderType`` holds the flag in the list."""
        rows = {str(leg.get("legName")): leg for leg in row["legs"]}
        if not any(str(leg.get("orderStatus")).upper() in _ACTIVE for leg in row["legs"]):
            return None
        trigger_id = str(row["orderId"])
        pair = pick(row, "orderFlag|orderType") == "OCO"
        exchange = self.spec.exchanges.read[row["exchangeSegment"]]
        brsymbol = str(row.get("tradingSymbol", ""))
        known = self.index.by_token(str(row.get("securityId", "")), exchange)
        action = self.spec.actions.read[row["transactionType"]]
        falls = self._below.get(trigger_id, action is e.Action.SELL)
        legs = [(rows[_STOP], True), (rows[_TARGET], False)] if pair else [(row, falls)]
        for leg, _ in legs:
            if absent(leg.get("triggerPrice")):
                raise OddValue("the trigger price is missing")
        return Gtt(
            trigger_id=trigger_id,
            trigger_type=e.GttType.OCO if pair else e.GttType.SINGLE,
            symbol=known.symbol if known is not None else brsymbol,
            exchange=exchange,
            action=action,
            quantity=count(row["quantity"]) * self.size_of(known, exchange, brsymbol),
            product=self.spec.products.read.get(row["productType"], row["productType"]),
            price_type=e.PriceType.LIMIT,
            legs=[
                GttLeg(number(leg["triggerPrice"]), below, number(leg.get("price")))
                for leg, below in legs
            ],
            created_at=moment(row.get("createTime"), self.clock),
            updated_at=moment(row.get("updateTime"), self.clock),
            account_id=self.rows.account_id,
        )

    # -- market data ------------------------------------------------------------------------
    async def quote_call(
        self, batch: Sequence[Instrument]
    ) -> Mapping[Key, Mapping[str, Any] | err.AppError]:
        """Ids by segment; answers lie under the same names."""
        wanted: dict[str, list[int]] = {}
        for row in batch:
            wanted.setdefault(row.brexchange, []).append(int(row.token))
        data = await self.rest.op("quotes", {"instruments": wanted}) or {}
        found = {row.key: (data.get(row.brexchange) or {}).get(row.token) for row in batch}
        return {key: raw for key, raw in found.items() if raw}

    def history_context(
        self, row: Instrument, interval: e.Interval, rule: IntervalRule, first: date, last: date
    ) -> dict[str, Any]:
        """Daily candles end before their last date; shorter ones have times."""
        if interval.is_intraday:
            times = f"{first} 00:00:00", f"{last} 23:59:59"
        else:
            times = str(first), str(last + timedelta(days=1))
        return super().history_context(row, interval, rule, first, last) | {
            "instrument": self._kind(row), "from_time": times[0], "to_time": times[1],
        }  # fmt: skip

    def _kind(self, row: Instrument) -> str:
        """Dhan's word for the kind of an instrument."""
        if row.expiry is None and parse(row.symbol).expiry is None:
            return "INDEX" if row.is_index else "EQUITY"
        name, kind = parse(row.symbol)[:2]
        future = kind == "FUT"
        if row.exchange in (e.Exchange.CDS, e.Exchange.BCD):
            return "FUTCUR" if future else "OPTCUR"
        if row.exchange == e.Exchange.MCX:
            return "FUTCOM" if future else "OPTFUT"
        spot = f"{'BSE' if row.exchange == e.Exchange.BFO else 'NSE'}_INDEX"
        of_index = self.index.get((spot, name)) is not None
        return ("FUT" if future else "OPT") + ("IDX" if of_index else "STK")

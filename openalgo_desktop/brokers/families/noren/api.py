"""What the family does that tables cannot say: rows that need arithmetic, quotes one by one,
candles as texts, triggers with requests of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from openalgo_desktop.brokers.families.noren import rows, triggers
from openalgo_desktop.brokers.families.noren.feed import wire_exchange
from openalgo_desktop.brokers.families.noren.member import Member
from openalgo_desktop.brokers.kit.books.rows import as_rows, whole
from openalgo_desktop.brokers.kit.rest.values import absent, count, number, render, told_amount
from openalgo_desktop.brokers.kit.spec import Gives, IntervalRule
from openalgo_desktop.core.conversion import ConvertRequest, all_carried
from openalgo_desktop.core.enums import GttType, Interval
from openalgo_desktop.core.errors import AppError, DataError
from openalgo_desktop.core.gtt import Gtt
from openalgo_desktop.core.model import Funds, Instrument, Key, OrderRequest

#: Names of indices in daily charts, where they are not the trading symbol.
_CHART_NAMES = {
    "NIFTY": "Nifty 50",
    "BANKNIFTY": "Nifty Bank",
    "FINNIFTY": "Nifty Financial Services",
    "MIDCPNIFTY": "Nifty Midcap Select",
    "NIFTYNXT50": "Nifty Next 50",
    "INDIAVIX": "India VIX",
}


class NorenApi(triggers.PairedTriggers):
    """REST of a member; see :class:`Member` for what they differ in."""

    member: ClassVar[Member]
    gives: ClassVar[Gives] = {
        **triggers.PairedTriggers.gives,
        "margin": ("basketlists",),
        "convert": ("position_type",),
        "quotes": ("@instrument",),
        "history_day": ("chart_symbol",),
    }

    def instrument_values(self, row: Instrument) -> dict[str, Any]:
        """An index is asked for on the exchange of its shares."""
        return super().instrument_values(row) | {"wire_exchange": wire_exchange(row)}

    # -- conversions ------------------------------------------------------------------------
    async def convert_context(self, request: ConvertRequest, row: Instrument) -> dict[str, Any]:
        """The server wants to be told whether the units are of today or were carried over."""
        held = await self.held_row(request)
        before = count(held.get("cfbuyqty")) - count(held.get("cfsellqty"))
        carried = all_carried(request, count(held.get("netqty")), before, self.spec.title)
        return {"position_type": "CF" if carried else "DAY"}

    # -- books ------------------------------------------------------------------------------
    def source_row(self, kind: str, raw: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """One row with what its fields are made of."""
        match kind:
            case "order":
                return rows.order(raw)
            case "position":
                return rows.position(raw)
            case "holding":
                return rows.holding(raw)
            case "quote":
                return rows.quote(raw)
            case "candle":
                return rows.candle(raw)
        return raw

    async def funds(self) -> Funds:
        """Cash and money paid in today less what is used; results of the day by the member."""
        limits = await self.rest.op("funds") or {}
        if self.member.book_results:
            realised, unrealised = await self._results()
        else:
            # The limits count a realised loss as a positive use of money.
            realised, unrealised = -number(limits.get("rpnl")), number(limits.get("unmtom"))
        return Funds(
            available_cash=rows.free_cash(limits),
            collateral=number(limits.get("brkcollamt")),
            m2m_realised=realised,
            m2m_unrealised=unrealised,
            utilised=number(limits.get("marginused")),
            account_id=self.rows.account_id,
            payin=told_amount(limits.get("payin")),
            payout=told_amount(limits.get("payout")),
        )

    async def _results(self) -> tuple[float, float]:
        """The day's closed and open result over the position book. Raises :class:`DataError` when
        a row of it cannot be read."""

        def read(row: Mapping[str, Any]) -> tuple[float, float]:
            position = self.rows.position(row)
            opened = row.get("urmtom")
            return number(row.get("rpnl")), position.unrealised if absent(opened) else number(
                opened
            )

        book = as_rows(await self.rest.op("positions"))
        results = whole(self.read_rows("position", book, read), self.spec.title)
        return sum(row[0] for row in results), sum(row[1] for row in results)

    async def protected(
        self, legs: Sequence[OrderRequest], rows: Sequence[Instrument]
    ) -> list[OrderRequest]:
        """The calculator of single legs takes market orders as they are."""
        return await super().protected(legs, rows) if self.member.basket else list(legs)

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

    # -- triggers ---------------------------------------------------------------------------
    def read_gtt(self, row: Mapping[str, Any]) -> Gtt | None:
        """An active trigger; pairs are remembered."""
        gtt = triggers.read(row, self.spec, self.index, self.clock)
        if gtt is not None:
            gtt.account_id = self.rows.account_id
            if gtt.trigger_type is GttType.OCO:
                self.pairs.add(gtt.trigger_id)
        return gtt

    # -- quotes -----------------------------------------------------------------------------
    async def quote_call(
        self, batch: Sequence[Instrument]
    ) -> Mapping[Key, Mapping[str, Any] | AppError]:
        """One request per instrument, a batch of them at once. What the broker does not have is
        the error of its instrument alone; any other error ends them all."""

        async def ask(row: Instrument) -> Any:
            try:
                return await self.rest.op("quotes", self.instrument_values(row))
            except DataError as error:
                return error

        try:
            async with asyncio.TaskGroup() as group:
                tasks = {row.key: group.create_task(ask(row)) for row in batch}
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return {key: task.result() for key, task in tasks.items() if task.result()}

    # -- history ----------------------------------------------------------------------------
    def history_context(
        self, row: Instrument, interval: Interval, rule: IntervalRule, first: date, last: date
    ) -> dict[str, Any]:
        """Daily charts are asked for by name."""
        names = self.instrument_values(row)
        name = names["brsymbol"]
        if self.member.chart_names and row.is_index:
            name = _CHART_NAMES.get(row.symbol, name)
        context = super().history_context(row, interval, rule, first, last)
        context["chart_symbol"] = f"{names['wire_exchange']}:{name}"
        if self.member.chart_key:
            context["jkey"] = self.rest.session.get("access_token")
        return context

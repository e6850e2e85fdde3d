"""What a trade costs besides its price: brokerage, STT/CTT, exchange, SEBI, stamp, GST, DP.

Rates are data (``resources/charges/rates.json``), dated and with their source; the text is handed
in, so this module stays pure. Amounts are rupees in unrounded Decimal; round at the edge.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

import msgspec

from openalgo_desktop.core.enums import CASH_EXCHANGES, Action, Product
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.exchange.ledger import ZERO, paise

_HUNDRED = Decimal(100)
_RUPEE = Decimal(1)


class Segment(StrEnum):
    """What rates depend on first; ``mcx`` stands for commodities, ``cds`` for currencies."""

    EQ_DELIVERY = "eq_delivery"
    EQ_INTRADAY = "eq_intraday"
    FUT = "fut"
    OPT = "opt"
    MCX_FUT = "mcx_fut"
    MCX_OPT = "mcx_opt"
    CDS_FUT = "cds_fut"
    CDS_OPT = "cds_opt"

    @property
    def note(self) -> str:
        """Which contract note the trade is on: STT is rounded once per note."""
        if self in (Segment.EQ_DELIVERY, Segment.EQ_INTRADAY):
            return "equity"
        return "derivatives" if self in (Segment.FUT, Segment.OPT) else self.value[:3]


#: Exchange -> segments of its futures and its options.
_DERIVATIVES = {
    "NFO": (Segment.FUT, Segment.OPT),
    "BFO": (Segment.FUT, Segment.OPT),
    "MCX": (Segment.MCX_FUT, Segment.MCX_OPT),
    "NCDEX": (Segment.MCX_FUT, Segment.MCX_OPT),
    "NCO": (Segment.MCX_FUT, Segment.MCX_OPT),
    "CDS": (Segment.CDS_FUT, Segment.CDS_OPT),
    "BCD": (Segment.CDS_FUT, Segment.CDS_OPT),
}


def segment_of(instrument: Instrument, product: Product) -> Segment | None:
    """The charge segment; None where nothing is charged (CRYPTO, indices)."""
    if instrument.exchange in CASH_EXCHANGES:
        return Segment.EQ_DELIVERY if product is Product.CNC else Segment.EQ_INTRADAY
    pair = _DERIVATIVES.get(instrument.exchange)
    return None if pair is None else pair[1 if instrument.is_option else 0]


class Charges(msgspec.Struct, frozen=True):
    """The lines of a contract note, rupees, unrounded. ``stt`` is CTT for commodities."""

    brokerage: Decimal = ZERO
    stt: Decimal = ZERO
    exchange: Decimal = ZERO
    sebi: Decimal = ZERO
    stamp: Decimal = ZERO
    gst: Decimal = ZERO
    ipft: Decimal = ZERO
    dp: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """Sum of all lines, unrounded."""
        return sum((getattr(self, name) for name in self.__struct_fields__), ZERO)

    def __add__(self, other: Charges) -> Charges:
        return Charges(
            *(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__)
        )

    def rounded(self) -> Charges:
        """Each line rounded to the paisa."""
        return Charges(*(paise(getattr(self, name)) for name in self.__struct_fields__))


NO_CHARGES = Charges()


class Fill(msgspec.Struct, frozen=True):
    """What charges need to know of a trade. ``turnover`` in rupees (options: of premium),
    ``name`` the underlying, ``day`` the IST trading date."""

    order_id: str
    symbol: str
    exchange: str
    segment: Segment | None
    name: str
    action: Action
    turnover: Decimal
    day: date

    @classmethod
    def of(
        cls,
        instrument: Instrument,
        product: Product,
        action: Action,
        quantity: int,
        price: Decimal,
        day: date,
        order_id: str = "",
    ) -> Fill:
        """From a trade of ``quantity`` units at ``price`` rupees."""
        return cls(
            order_id=order_id,
            symbol=instrument.symbol,
            exchange=instrument.exchange,
            segment=segment_of(instrument, product),
            name=instrument.name,
            action=action,
            turnover=price * quantity * Decimal(repr(instrument.contract_value)),
            day=day,
        )


class _Rate(msgspec.Struct, frozen=True):
    charge: str
    side: str
    percent: Decimal
    source: str
    start: date = msgspec.field(name="from")
    segment: Segment | None = None
    exchanges: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def fits(self, segment: Segment, exchange: str, name: str) -> bool:
        return (
            self.segment in (None, segment)
            and (not self.exchanges or exchange in self.exchanges)
            and (not self.names or name in self.names)
        )

    @property
    def weight(self) -> int:
        """The more a row names, the more it counts."""
        return bool(self.segment) + 2 * bool(self.exchanges) + 4 * bool(self.names)


class _Fee(msgspec.Struct, frozen=True):
    """Brokerage of one order: flat, or a per cent of its turnover up to ``cap``."""

    flat: Decimal = ZERO
    percent: Decimal = ZERO
    cap: Decimal | None = None

    def of(self, turnover: Decimal) -> Decimal:
        if turnover <= 0:
            return ZERO
        fee = self.flat + turnover * self.percent / _HUNDRED
        return fee if self.cap is None else min(fee, self.cap)


class Plan(msgspec.Struct, frozen=True):
    """A brokerage plan. ``dp_fee``: rupees per scrip and day of a delivery sale, before GST."""

    title: str
    dp_fee: Decimal
    fees: dict[Segment, _Fee]


class _File(msgspec.Struct):
    sources: dict[str, str]
    gst_percent: Decimal
    gst_source: str
    rates: list[_Rate]
    plans: dict[str, Plan]


class ChargeTable:
    """All rates and plans. Look-ups are remembered: a rate is asked for on every trade."""

    def __init__(self, text: str | bytes) -> None:
        """From the text of ``charges/rates.json``; raises :class:`ConfigError`."""
        try:
            self._file = msgspec.json.decode(text, type=_File)
        except msgspec.DecodeError as error:
            raise ConfigError("The charge table cannot be read.", detail=str(error)) from None
        for rate in self._file.rates:
            if rate.source not in self._file.sources:
                raise ConfigError(f"The charge table names an unknown source: {rate.source}.")
        self._known: dict[tuple[str, Segment, str, str, date], _Rate | None] = {}

    @property
    def plans(self) -> dict[str, Plan]:
        """Brokerage plans by id."""
        return self._file.plans

    def plan(self, plan_id: str) -> Plan:
        """The plan, or :class:`ConfigError`."""
        try:
            return self._file.plans[plan_id]
        except KeyError:
            names = ", ".join(self._file.plans)
            raise ConfigError(
                f"Brokerage plan {plan_id!r} is unknown; there are: {names}."
            ) from None

    def source(self, charge: str, segment: Segment, exchange: str, name: str, day: date) -> str:
        """Where the rate was taken from, for people; empty when there is no such charge."""
        rate = self._rate(charge, segment, exchange, name, day)
        return "" if rate is None else self._file.sources[rate.source]

    def levy(self, charge: str, fill: Fill) -> Decimal:
        """One percentage charge of a fill (``stt``, ``exchange``, ``ipft``, ``sebi``, ``stamp``,
        ``exercise``)."""
        if fill.segment is None:
            return ZERO
        rate = self._rate(charge, fill.segment, fill.exchange, fill.name, fill.day)
        if rate is None or rate.side not in ("both", fill.action.value.lower()):
            return ZERO
        return fill.turnover * rate.percent / _HUNDRED

    def gst(self, base: Decimal) -> Decimal:
        """GST on services of that amount."""
        return base * self._file.gst_percent / _HUNDRED

    def exercise(
        self, instrument: Instrument, quantity: int, intrinsic: Decimal, day: date
    ) -> Charges:
        """STT that the holder of an exercised option pays; ``intrinsic`` in rupees per unit."""
        fill = Fill.of(instrument, Product.NRML, Action.BUY, abs(quantity), intrinsic, day)
        return Charges(stt=self.levy("exercise", fill))

    def _rate(
        self, charge: str, segment: Segment, exchange: str, name: str, day: date
    ) -> _Rate | None:
        key = (charge, segment, exchange, name, day)
        if key not in self._known:
            fits = [
                r
                for r in self._file.rates
                if r.charge == charge and r.fits(segment, exchange, name)
            ]
            top = max((r.weight for r in fits), default=0)
            dated = sorted((r for r in fits if r.weight == top), key=lambda r: r.start)
            valid = [r for r in dated if r.start <= day]
            self._known[key] = valid[-1] if valid else dated[0] if dated else None
        return self._known[key]


class ChargeDay:
    """The charges of one account on one trading day, fill by fill.

    What a fill adds depends on the day before it: brokerage is capped per order, the depository
    fee is due once per scrip, and STT is rounded to the rupee per contract note (:meth:`close`).
    The state is rebuilt by adding the day's fills again.
    """

    def __init__(self, table: ChargeTable, plan_id: str) -> None:
        self._table = table
        self._plan = table.plan(plan_id)
        self._orders: dict[str, Decimal] = {}
        self._delivered: set[tuple[str, str]] = set()
        self._stt: dict[str, Decimal] = {}

    def copy(self) -> ChargeDay:
        """The same state, apart."""
        other = ChargeDay.__new__(ChargeDay)
        other._table, other._plan = self._table, self._plan
        other._orders, other._stt = dict(self._orders), dict(self._stt)
        other._delivered = set(self._delivered)
        return other

    def add(self, fill: Fill) -> Charges:
        """What this fill adds. Fills without an order id count as orders of their own."""
        segment = fill.segment
        if segment is None:
            return NO_CHARGES
        levy = self._table.levy
        stt, exchange, ipft = levy("stt", fill), levy("exchange", fill), levy("ipft", fill)
        sebi = levy("sebi", fill)
        brokerage = self._brokerage(segment, fill)
        dp = self._depository(segment, fill)
        self._stt[segment.note] = self._stt.get(segment.note, ZERO) + stt
        return Charges(
            brokerage=brokerage,
            stt=stt,
            exchange=exchange,
            sebi=sebi,
            stamp=levy("stamp", fill),
            gst=self._table.gst(brokerage + exchange + ipft + sebi + dp),
            ipft=ipft,
            dp=dp,
        )

    def close(self) -> Charges:
        """What rounding STT to the rupee per contract note adds (or, negative, takes)."""
        rounding = sum(
            (stt.quantize(_RUPEE, ROUND_HALF_UP) - stt for stt in self._stt.values()), ZERO
        )
        return Charges(stt=rounding)

    def _brokerage(self, segment: Segment, fill: Fill) -> Decimal:
        fee = self._plan.fees.get(segment)
        if fee is None:
            return ZERO
        before = self._orders.get(fill.order_id, ZERO) if fill.order_id else ZERO
        after = before + fill.turnover
        if fill.order_id:
            self._orders[fill.order_id] = after
        return fee.of(after) - fee.of(before)

    def _depository(self, segment: Segment, fill: Fill) -> Decimal:
        scrip = (fill.exchange, fill.symbol)
        if segment is not Segment.EQ_DELIVERY or fill.action is Action.BUY:
            return ZERO
        if scrip in self._delivered:
            return ZERO
        self._delivered.add(scrip)
        return self._plan.dp_fee


def contract_note(table: ChargeTable, plan_id: str, fills: Iterable[Fill]) -> Charges:
    """All charges of one account's fills of one day, STT rounded."""
    day = ChargeDay(table, plan_id)
    total = sum((day.add(fill) for fill in fills), NO_CHARGES)
    return total + day.close()

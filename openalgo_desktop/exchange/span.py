"""A SPAN-like margin for futures and options: what a portfolio could lose in a day, plus exposure.

Per underlying, sixteen scenarios move the price (up to the price scan range, twice that as an
extreme with 35 % cover) and the volatility, and reprice every leg with Black-76. Parameters and
their sources: ``resources/charges/span.json``; method and limits: ``docs/sandbox-margin.md``.
Pure: the parameter text and the moment are handed in.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from openalgo_desktop.core import options_math
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.exchange.ledger import paise

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_TRADING_DAYS = 252.0
_LONG_DATED_DAYS = 274  # nine months
_EXPIRY_TIME = time(15, 30)
_VOLATILITY_SHARE = 0.25
_MIN_VOLATILITY = 0.02
_MAX_VOLATILITY = 5.0
#: Price moves in thirds of the scan range; each comes with volatility up and down.
_THIRDS: Final = (0, 1, -1, 2, -2, 3, -3)
#: Futures of a calendar spread carry exposure on a third of the far month.
_CALENDAR_EXPOSURE = 1.0 / 3.0
#: Volatilities tried first when a price is inverted, then between the two nearest.
_GRID: Final = np.geomspace(_MIN_VOLATILITY, _MAX_VOLATILITY, 24)
_REFINED: Final = np.linspace(0.0, 1.0, 9)


class SpanLeg(msgspec.Struct, frozen=True, gc=False):
    """One position. ``quantity`` in units, signed; prices in rupees.

    ``price`` is the last price of the contract, ``underlying_price`` that of its underlying (spot
    or nearest future). ``instrument_type`` is FUT, CE or PE.
    """

    symbol: str
    exchange: str
    name: str
    instrument_type: str
    expiry: date
    quantity: int
    price: float
    underlying_price: float
    strike: float = 0.0
    multiplier: float = 1.0


class SpanMargin(msgspec.Struct, frozen=True):
    """What is to be blocked, rupees rounded to the paisa.

    ``premium`` is the value of net bought options, ``span`` the rest of the scanned risk
    (``calendar`` of it for spreads over expiries), ``exposure`` the buffer on top. ``standalone``
    is the sum of the legs taken one by one, ``benefit`` what the hedge saves.
    """

    span: Decimal
    exposure: Decimal
    premium: Decimal
    calendar: Decimal
    standalone: Decimal

    @property
    def total(self) -> Decimal:
        return self.span + self.exposure + self.premium

    @property
    def benefit(self) -> Decimal:
        """Never negative: a portfolio never costs more than its legs."""
        return self.standalone - self.total


NO_MARGIN = SpanMargin(*(Decimal(0) for _ in range(5)))


class _Extreme(msgspec.Struct, frozen=True):
    moves: float
    cover: float


class _Class(msgspec.Struct, frozen=True):
    exchanges: tuple[str, ...]
    price_scan: float
    long_dated_price_scan: float
    sigmas: float
    volatility_scan: float
    calendar: float
    short_option_minimum: float
    exposure: float
    exposure_sigmas: float
    expiry_day: float
    volatility: float
    expiry_day_from: date = date.min
    names: dict[str, float] = {}
    named_only: bool = False


class SpanParameters(msgspec.Struct, frozen=True):
    """Scan ranges and charges per class of underlying."""

    extreme: _Extreme
    classes: dict[str, _Class]

    @classmethod
    def from_json(cls, text: str | bytes) -> SpanParameters:
        """From the text of ``charges/span.json``; raises :class:`ConfigError`."""
        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.DecodeError as error:
            raise ConfigError("The margin parameters cannot be read.", detail=str(error)) from None

    def of(self, exchange: str, name: str) -> _Class:
        """The class of an underlying; raises :class:`ConfigError` for a segment without one."""
        for row in self.classes.values():
            if exchange in row.exchanges and (not row.named_only or name in row.names):
                return row
        raise ConfigError(f"No margin parameters for exchange {exchange}.")


class _Columns(NamedTuple):
    """The legs of one underlying in columns; a future has itself as price and no strike."""

    units: Array  # signed quantity times multiplier
    price: Array
    spot: Array
    strike: Array
    years: Array
    option: Flags
    call: Flags
    scan: Array  # price scan range, rupees
    sigma: Array


class _Part(NamedTuple):
    """Margin of one underlying, rupees. ``risk`` contains premium and calendar charge."""

    risk: float
    exposure: float
    premium: float
    calendar: float
    singles: float


def portfolio_margin(
    legs: Sequence[SpanLeg],
    now: datetime,
    parameters: SpanParameters,
    volatility: Mapping[str, float] | None = None,
) -> SpanMargin:
    """The margin of all legs together; underlyings do not offset each other.

    ``volatility`` gives annual volatilities of underlyings by name (0.14 is 14 %), where the
    caller knows better than the floor of the scan range. Raises :class:`ConfigError` for legs
    that are no derivatives or lack the price of the underlying.
    """
    parts = [part for _, part, _ in _groups(legs, now, parameters, volatility or {})]
    if not parts:
        return NO_MARGIN
    return _rounded(_Part(*(sum(column) for column in zip(*parts, strict=True))))


def margin_shares(
    legs: Sequence[SpanLeg],
    now: datetime,
    parameters: SpanParameters,
    volatility: Mapping[str, float] | None = None,
) -> list[Decimal]:
    """:func:`portfolio_margin` divided among the legs, in the proportion of what each would cost
    alone; the shares of an underlying add up to its margin to the paisa."""
    shares = [Decimal(0)] * len(legs)
    for places, part, singles in _groups(legs, now, parameters, volatility or {}):
        total, whole = _rounded(part).total, float(singles.sum())
        if not whole:
            continue
        for place, single in zip(places, singles.tolist(), strict=True):
            shares[place] = paise(total * Decimal(repr(single / whole)))
        # What rounding left over goes to the largest, so that no share falls below zero.
        largest = max(places, key=lambda place: shares[place])
        shares[largest] += total - sum((shares[place] for place in places), Decimal(0))
    return shares


def _groups(
    legs: Sequence[SpanLeg],
    now: datetime,
    parameters: SpanParameters,
    volatility: Mapping[str, float],
) -> Iterator[tuple[list[int], _Part, Array]]:
    """Places of the legs of each underlying, its margin, and what each leg would cost alone."""
    today = now.astimezone(IST).date()
    groups: dict[tuple[str, str, bool], list[int]] = {}
    for place, leg in enumerate(legs):
        if leg.quantity == 0:
            continue
        if leg.instrument_type not in ("FUT", "CE", "PE") or leg.underlying_price <= 0:
            raise ConfigError(
                f"{leg.symbol}: margin needs a derivative and its underlying's price."
            )
        # The exchange gives no calendar benefit for contracts that expire today.
        groups.setdefault((leg.exchange, leg.name, leg.expiry <= today), []).append(place)
    for (_, name, expires), places in groups.items():
        group = [legs[place] for place in places]
        yield places, *_group(group, now, parameters, volatility.get(name), expires)


def _rounded(part: _Part) -> SpanMargin:
    def rupees(value: float) -> Decimal:
        return paise(Decimal(repr(float(value))))

    span, exposure, premium = (
        rupees(x) for x in (part.risk - part.premium, part.exposure, part.premium)
    )
    # Three parts and one sum rounded apart must not make a benefit of minus a paisa.
    singles = max(rupees(part.singles), span + exposure + premium)
    return SpanMargin(span, exposure, premium, rupees(part.calendar), singles)


def _group(
    legs: Sequence[SpanLeg],
    now: datetime,
    parameters: SpanParameters,
    volatility: float | None,
    expires: bool,
) -> tuple[_Part, Array]:
    row = parameters.of(legs[0].exchange, legs[0].name)
    table = _columns(legs, now, row, volatility)
    losses = _losses(table, row, parameters.extreme)
    value = np.where(table.option, table.units * table.price, 0.0)
    minimum = np.where(table.option, table.units * table.spot * row.short_option_minimum, 0.0)
    uncovered = -min(minimum[table.call].sum(), minimum[~table.call].sum())
    calendar = row.calendar * _matched(legs, _deltas(table) * table.spot)
    # Bought options are paid for: the premium is the floor of the requirement.
    net_premium = float(value.sum())
    risk = max(float(losses.sum(axis=0).max()), net_premium, uncovered, 0.0) + calendar

    extra = expires and now.astimezone(IST).date() >= row.expiry_day_from
    rates = _exposure_rates(table, row, volatility, row.expiry_day if extra else 0.0)
    exposed = np.abs(table.units) * table.spot * rates
    exposure = float(exposed.sum())
    futures = np.where(table.option, 0.0, table.units * table.spot * rates)
    exposure -= (2.0 - _CALENDAR_EXPOSURE) * _matched(legs, futures) + _netted(legs, futures)
    alone = np.maximum.reduce([losses.max(axis=1), value, -minimum, np.zeros(len(legs))]) + exposed
    singles = float(alone.sum())

    premium = max(0.0, net_premium)
    # A charge for imperfect hedges may not make the hedge dearer than its legs.
    risk = max(premium, min(risk, singles - exposure))
    return _Part(risk, exposure, premium, min(calendar, risk - premium), singles), alone


def _columns(
    legs: Sequence[SpanLeg], now: datetime, row: _Class, volatility: float | None
) -> _Columns:
    moment = now.timestamp()
    numbers = np.array(
        [
            (
                leg.quantity * leg.multiplier,
                leg.price,
                leg.underlying_price,
                leg.strike or leg.underlying_price,
                datetime.combine(leg.expiry, _EXPIRY_TIME, IST).timestamp() - moment,
            )
            for leg in legs
        ],
        dtype=np.float64,
    )
    units, price, spot, strike, seconds = numbers.T
    years = np.maximum(seconds / options_math.SECONDS_PER_YEAR, options_math.MIN_YEARS)
    option = np.array([leg.instrument_type != "FUT" for leg in legs])
    call = np.array([leg.instrument_type == "CE" for leg in legs])
    floor = row.names.get(legs[0].name, row.price_scan)
    far = option & (options_math.DAYS_PER_YEAR * years > _LONG_DATED_DAYS)
    swing = row.sigmas * math.sqrt(2.0 / _TRADING_DAYS) * (volatility or 0.0)
    scan = np.maximum(np.where(far, row.long_dated_price_scan, floor), swing) * spot
    sigma = np.full(len(legs), volatility or row.volatility)
    table = _Columns(units, price, spot, strike, years, option, call, scan, sigma)
    return table._replace(sigma=_implied(table))


def _implied(table: _Columns) -> Array:
    """Volatility of each option from its price, good to a per cent of itself; the class's where
    the price says nothing. Bracketed on two grids: far quicker than bisection to full precision."""
    known = table.option & (table.price > 0.0)
    if not known.any():
        return table.sigma
    f, k, t, price = (
        column[known, None] for column in (table.spot, table.strike, table.years, table.price)
    )
    c = table.call[known, None]
    grid = np.asarray(options_math.price(f, k, t, _GRID[None, :], 0.0, c))
    upper = np.clip((grid < price).sum(axis=1), 1, len(_GRID) - 1)
    low, high = _GRID[upper - 1, None], _GRID[upper, None]
    fine = low + (high - low) * _REFINED
    values = np.asarray(options_math.price(f, k, t, fine, 0.0, c))
    found = np.array(
        [np.interp(p, v, s) for p, v, s in zip(price[:, 0], values, fine, strict=True)]
    )
    # No time value left (stale or deep in the money): the grid's floor would hide all risk.
    lost = price[:, 0] <= grid[:, 0]
    sigma = table.sigma.copy()
    sigma[known] = np.where(lost, sigma[known], found)
    return sigma


def _losses(table: _Columns, row: _Class, extreme: _Extreme) -> Array:
    """Loss of each leg (rows) in each of the sixteen scenarios (columns), rupees."""
    shift = np.maximum(row.volatility_scan, _VOLATILITY_SHARE * table.sigma)[:, None]
    thirds = np.array(_THIRDS, dtype=np.float64) / 3.0
    moves = np.concatenate((thirds, thirds, (extreme.moves, -extreme.moves)))
    swings = np.repeat((1.0, -1.0, 0.0), (len(_THIRDS), len(_THIRDS), 2))
    change = table.scan[:, None] * moves
    losses = -table.units[:, None] * change
    some = table.option
    if some.any():
        f = np.maximum(table.spot[some, None] + change[some], 0.01 * table.spot[some, None])
        sigma = np.maximum(table.sigma[some, None] + shift[some] * swings, _MIN_VOLATILITY)
        k, t = table.strike[some, None], table.years[some, None]
        values = np.asarray(options_math.price(f, k, t, sigma, 0.0, table.call[some, None]))
        losses[some] = table.units[some, None] * (table.price[some, None] - values)
    losses[:, -2:] *= extreme.cover
    return np.asarray(losses, dtype=np.float64)


def _deltas(table: _Columns) -> Array:
    """Signed units of the underlying that each leg stands for."""
    delta = options_math.greeks(
        table.spot, table.strike, table.years, table.sigma, 0.0, table.call
    ).delta
    return np.where(table.option, delta, 1.0) * table.units


def _by_expiry(legs: Sequence[SpanLeg], amounts: Array) -> dict[date, float]:
    sums: dict[date, float] = {}
    for leg, amount in zip(legs, amounts.tolist(), strict=True):
        sums[leg.expiry] = sums.get(leg.expiry, 0.0) + amount
    return sums


def _matched(legs: Sequence[SpanLeg], amounts: Array) -> float:
    """What long expiries and short expiries have in common."""
    sums = _by_expiry(legs, amounts).values()
    return min(sum(x for x in sums if x > 0), -sum(x for x in sums if x < 0))


def _netted(legs: Sequence[SpanLeg], amounts: Array) -> float:
    """What long and short amounts of the same expiry take from each other, both sides."""
    sums = _by_expiry(legs, amounts).values()
    return float(np.abs(amounts).sum()) - sum(abs(x) for x in sums)


def _exposure_rates(table: _Columns, row: _Class, volatility: float | None, extra: float) -> Array:
    """Exposure per rupee of the underlying: none for bought options, ``extra`` for sold ones."""
    daily = row.exposure_sigmas * (volatility or 0.0) / math.sqrt(_TRADING_DAYS)
    rate = max(row.exposure, daily)
    return np.where(table.option, np.where(table.units < 0, rate + extra, 0.0), rate)

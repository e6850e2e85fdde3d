"""What the simulated market trades: equities, indices, futures and option chains.

Names, lots, ticks, tokens and freeze quantities come from real symbol masters
(``resources/simulator/universe.json``); expiries are computed from the clock.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import msgspec

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.symbols import future_symbol, option_symbol, parse_expiry

#: Strikes on each side of the spot. More than the promised 30, so that a day's move stays inside.
STRIKES_EACH_SIDE = 40
FUTURE_MONTHS = 3
_TUESDAY = 1


class IndexRow(msgspec.Struct, frozen=True):
    """An index; ``price`` is the long-run level of the process."""

    symbol: str
    exchange: str
    name: str
    token: str
    price: float


class ChainRow(msgspec.Struct, frozen=True):
    """Futures and options of an index. ``weeklies`` is the number of weekly option expiries,
    ``wide`` the strikes on each side of the money in the nearest monthly one (0: as others)."""

    name: str
    exchange: str
    index_exchange: str
    lot: int
    future_tick: float
    option_tick: float
    freeze: int
    strike_step: int
    expiry_weekday: int
    weeklies: int
    wide: int = 0


class StockFuture(msgspec.Struct, frozen=True):
    """Contract terms of a stock future."""

    lot: int
    tick: float
    freeze: int


class BseListing(msgspec.Struct, frozen=True):
    """The same share at the BSE."""

    name: str
    tick: float
    token: str


class EquityRow(msgspec.Struct, frozen=True):
    """A share at the NSE; ``price`` is the long-run level of the process."""

    symbol: str
    name: str
    tick: float
    token: str
    price: float
    freeze: int
    future: StockFuture | None = None
    bse: BseListing | None = None


class Listing(msgspec.Struct, frozen=True):
    """Monthly contracts of a commodity or currency on one exchange. ``contract_value`` is what a
    unit is worth at a price of 1; futures expire on ``day`` of the month (the trading day before
    it), options ``earlier`` days before; without ``strike_step`` there are none."""

    name: str
    exchange: str
    lot: int
    tick: float
    freeze: int
    day: int
    contract_value: float = 1.0
    strike_step: float = 0.0
    strikes: int = 10
    option_tick: float = 0.05
    earlier: int = 0


class OtherRow(msgspec.Struct, frozen=True):
    """A commodity or currency without a spot price: long-run price, yearly volatility, volume in
    units a day."""

    asset: str
    price: float
    implied: float
    volume: float
    listings: list[Listing]


class UniverseSpec(msgspec.Struct, frozen=True):
    """The shipped universe file."""

    indices: list[IndexRow]
    chains: list[ChainRow]
    equities: list[EquityRow]
    others: list[OtherRow] = []


class Contract(msgspec.Struct, frozen=True):
    """An instrument and the asset whose price drives it; ``first_price`` 0 = from the process."""

    instrument: Instrument
    asset: str
    first_price: float = 0.0


class FileRow(msgspec.Struct, frozen=True):
    """A row of a ``--sim-universe`` file."""

    symbol: str
    exchange: str
    ltp: float
    brsymbol: str = ""
    brexchange: str = ""
    name: str = ""
    expiry: str = ""
    strike: float = 0.0
    lotsize: int = 1
    instrumenttype: str = "EQ"
    tick_size: float = 0.05
    itoken: int = 0
    etoken: int = 0


def load_spec() -> UniverseSpec:
    """The shipped universe."""
    return msgspec.json.decode(resource_text("simulator/universe.json"), type=UniverseSpec)


def stable_token(exchange: str, symbol: str) -> str:
    """A token that depends on nothing but the contract's name."""
    return str(100_000 + zlib.crc32(f"{exchange}:{symbol}".encode()) % 900_000_000)


# -- expiries ---------------------------------------------------------------------------------
def _trading(day: date, calendar: MarketCalendar) -> date:
    """``day``, or the trading day before it."""
    if calendar.is_trading_day(day):
        return day
    return calendar.previous_trading_day(day)


def weekly_expiries(today: date, weekday: int, count: int, calendar: MarketCalendar) -> list[date]:
    """The next ``count`` weekly expiries, ``today`` included; moved back on holidays."""
    found: list[date] = []
    day = today - timedelta(days=7)
    day += timedelta(days=(weekday - day.weekday()) % 7)
    while len(found) < count:
        expiry = _trading(day, calendar)
        if expiry >= today:
            found.append(expiry)
        day += timedelta(days=7)
    return found


def monthly_expiries(today: date, weekday: int, count: int, calendar: MarketCalendar) -> list[date]:
    """The next ``count`` monthly expiries: the last such weekday, moved back on holidays."""
    found: list[date] = []
    year, month = today.year, today.month
    while len(found) < count:
        first_of_next = date(year + month // 12, month % 12 + 1, 1)
        day = first_of_next - timedelta(days=1)
        day -= timedelta(days=(day.weekday() - weekday) % 7)
        expiry = _trading(day, calendar)
        if expiry >= today:
            found.append(expiry)
        year, month = first_of_next.year, first_of_next.month
    return found


def dated_expiries(
    today: date, month_day: int, count: int, exchange: str, calendar: MarketCalendar
) -> list[date]:
    """The next ``count`` monthly expiries on a day of the month; moved back on holidays."""
    found: list[date] = []
    year, month = today.year, today.month
    while len(found) < count:
        day = date(year, month, month_day)
        if not calendar.is_trading_day(day, exchange):
            day = calendar.previous_trading_day(day, exchange)
        if day >= today:
            found.append(day)
        year, month = year + month // 12, month % 12 + 1
    return found


# -- the shipped universe ---------------------------------------------------------------------
def build(
    spec: UniverseSpec, calendar: MarketCalendar, today: date, spot: Callable[[str], float]
) -> list[Contract]:
    """All contracts of ``today``. ``spot`` gives the price around which strikes are laid."""
    contracts = [
        Contract(
            Instrument(
                symbol=row.symbol,
                exchange=row.exchange,
                name=row.name,
                instrument_type="INDEX",
                tick_size=0.05,
                token=row.token,
                brsymbol=row.name,
                brexchange=row.exchange.removesuffix("_INDEX"),
            ),
            row.symbol,
        )
        for row in spec.indices
    ]
    for equity in spec.equities:
        contracts += _equity(equity)
        if equity.future is not None:
            for expiry in monthly_expiries(today, _TUESDAY, FUTURE_MONTHS, calendar):
                terms = equity.future
                contracts.append(
                    _future(equity.symbol, "NFO", expiry, terms.lot, terms.tick, terms.freeze)
                )
    for chain in spec.chains:
        contracts += _chain(chain, calendar, today, spot(chain.name))
    for other in spec.others:
        for listing in other.listings:
            contracts += _listed(other.asset, listing, calendar, today, spot(other.asset))
    return contracts


def bse_asset(symbol: str) -> str:
    """Name of the asset that prices a share at the BSE."""
    return f"{symbol}@BSE"


def _equity(row: EquityRow) -> Iterator[Contract]:
    yield Contract(
        Instrument(
            symbol=row.symbol,
            exchange="NSE",
            name=row.name,
            tick_size=row.tick,
            token=row.token,
            brsymbol=f"{row.symbol}-EQ",
            brexchange="NSE",
            freeze_qty=row.freeze,
        ),
        row.symbol,
    )
    if row.bse is not None:
        yield Contract(
            Instrument(
                symbol=row.symbol,
                exchange="BSE",
                name=row.bse.name,
                tick_size=row.bse.tick,
                token=row.bse.token,
                brsymbol=row.symbol,
                brexchange="BSE",
                freeze_qty=row.freeze,
            ),
            bse_asset(row.symbol),
        )


@lru_cache(maxsize=16_384)
def _derivative(
    asset: str,
    name: str,
    exchange: str,
    expiry: date,
    kind: str,
    strike: float,
    lot: int,
    tick: float,
    freeze: int,
    contract_value: float = 1.0,
) -> Contract:
    """A contract of these terms; a market that is opened again gets the same ones."""
    symbol = (
        future_symbol(name, expiry) if kind == "FUT" else option_symbol(name, expiry, strike, kind)
    )
    return Contract(
        Instrument(
            symbol=symbol,
            exchange=exchange,
            name=name,
            instrument_type=kind,
            lot_size=lot,
            tick_size=tick,
            expiry=expiry,
            strike=strike,
            token=stable_token(exchange, symbol),
            brsymbol=symbol,
            brexchange=exchange,
            freeze_qty=freeze,
            contract_value=contract_value,
        ),
        asset,
    )


def _future(name: str, exchange: str, expiry: date, lot: int, tick: float, freeze: int) -> Contract:
    return _derivative(name, name, exchange, expiry, "FUT", 0.0, lot, tick, freeze)


def _strikes(spot: float, step: float, each_side: int) -> list[float]:
    centre = round(spot / step)
    return [(centre + offset) * step for offset in range(-each_side, each_side + 1)]


def _chain(row: ChainRow, calendar: MarketCalendar, today: date, spot: float) -> Iterator[Contract]:
    months = monthly_expiries(today, row.expiry_weekday, FUTURE_MONTHS, calendar)
    for expiry in months:
        yield _future(row.name, row.exchange, expiry, row.lot, row.future_tick, row.freeze)
    weeks = weekly_expiries(today, row.expiry_weekday, row.weeklies, calendar)
    for expiry in sorted({*weeks, *months}):
        wide = row.wide if expiry == months[0] else 0
        for strike in _strikes(spot, float(row.strike_step), wide or STRIKES_EACH_SIDE):
            for kind in ("CE", "PE"):
                yield _derivative(
                    row.name, row.name, row.exchange, expiry, kind, strike,
                    row.lot, row.option_tick, row.freeze,
                )  # fmt: skip


def _listed(
    asset: str, row: Listing, calendar: MarketCalendar, today: date, spot: float
) -> Iterator[Contract]:
    for expiry in dated_expiries(today, row.day, FUTURE_MONTHS, row.exchange, calendar):
        yield _derivative(
            asset, row.name, row.exchange, expiry, "FUT", 0.0,
            row.lot, row.tick, row.freeze, row.contract_value,
        )  # fmt: skip
    if not row.strike_step:
        return
    (expiry,) = dated_expiries(today, row.day - row.earlier, 1, row.exchange, calendar)
    for strike in _strikes(spot, row.strike_step, row.strikes):
        for kind in ("CE", "PE"):
            yield _derivative(
                asset, row.name, row.exchange, expiry, kind, strike,
                row.lot, row.option_tick, row.freeze, row.contract_value,
            )  # fmt: skip


# -- a universe from a file -------------------------------------------------------------------
def load_file(path: Path, spec: UniverseSpec) -> list[Contract]:
    """Contracts of a ``--sim-universe`` file. Freeze quantities of known names come from
    ``spec``. Raises :class:`ConfigError` when the file cannot be used."""
    try:
        rows = msgspec.json.decode(path.read_bytes(), type=list[FileRow])
    except OSError as error:
        raise ConfigError(f"--sim-universe {path}: {error.strerror}.") from None
    except msgspec.DecodeError as error:
        raise ConfigError(f"--sim-universe {path}: {error}.") from None
    freezes = {chain.name: chain.freeze for chain in spec.chains}
    freezes |= {row.symbol: row.future.freeze for row in spec.equities if row.future}
    return [_from_file(row, freezes) for row in rows]


def _from_file(row: FileRow, freezes: dict[str, int]) -> Contract:
    if row.ltp <= 0:
        raise ConfigError(f"--sim-universe: {row.exchange}:{row.symbol} needs an ltp above 0.")
    expiry = parse_expiry(row.expiry) if row.expiry else None
    derivative = expiry is not None
    asset = row.name if derivative else row.symbol
    instrument = Instrument(
        symbol=row.symbol,
        exchange=row.exchange,
        name=row.name,
        instrument_type=row.instrumenttype,
        lot_size=row.lotsize,
        tick_size=row.tick_size,
        expiry=expiry,
        strike=row.strike,
        token=f"{row.itoken}::::{row.etoken}" if row.etoken else str(row.itoken),
        brsymbol=row.brsymbol or row.symbol,
        brexchange=row.brexchange or row.exchange,
        freeze_qty=freezes.get(row.name, 0) if derivative else 0,
    )
    return Contract(instrument, bse_asset(asset) if row.exchange == "BSE" else asset, row.ltp)

"""Commands on prices: a quote, a chart as a picture, an option chain in short."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from openalgo_desktop.analytics.chain import Chain, ChainBook, Leg
from openalgo_desktop.automation.telegram.picture import candles
from openalgo_desktop.automation.telegram.rooms import Answer, Picture, Rooms
from openalgo_desktop.automation.telegram.words import UNKNOWN, percent, price, units
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.enums import Exchange
from openalgo_desktop.core.errors import ConfigError, DataError
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.numbers import whole
from openalgo_desktop.core.symbols import format_expiry
from openalgo_desktop.core.ticks import Part

#: Where a symbol without an exchange is looked for, in this order.
_LOOKED = (
    Exchange.NSE, Exchange.NSE_INDEX, Exchange.BSE, Exchange.BSE_INDEX, Exchange.NFO, Exchange.BFO,
    Exchange.MCX, Exchange.CDS, Exchange.BCD, Exchange.NCDEX, Exchange.NCO, Exchange.MCX_INDEX,
    Exchange.GLOBAL_INDEX, Exchange.CRYPTO,
)  # fmt: skip
#: Interval and days of a chart unless they are said, and the longest one.
_KINDS = {"intraday": ("5m", 5), "daily": ("D", 252)}
MAX_DAYS = 3650
MAX_INTRADAY_DAYS = 60
#: Strikes on each side of the money that the chain looks at.
_STRIKES = 20


def _instrument(rooms: Rooms, words: Sequence[str], usage: str) -> tuple[Instrument, list[str]]:
    """The instrument that the first words name, and the words after them."""
    if not words:
        raise ConfigError(f"Say which: {usage}")
    symbol, rest = words[0].upper(), list(words[1:])
    if ":" in symbol:
        exchange, _, symbol = symbol.partition(":")
        return rooms.instruments.require(symbol, exchange), rest
    if rest and rest[0].upper() in Exchange.__members__:
        return rooms.instruments.require(symbol, rest.pop(0).upper()), rest
    for exchange in _LOOKED:
        if (row := rooms.instruments.get((exchange.value, symbol))) is not None:
            return row, rest
    raise DataError(f"{symbol} is not known on any exchange.")


# -- a quote --------------------------------------------------------------------------------
async def quote(rooms: Rooms, words: Sequence[str]) -> Answer:
    """The market of one instrument."""
    row, _ = _instrument(rooms, words, "/quote SYMBOL [EXCHANGE]")
    tick = await rooms.hub.snapshot(row.key, Part.LTP | Part.DAY)
    lines = [f"{row.symbol} {row.exchange}: {price(tick.ltp)}"]
    if tick.knows(Part.DAY):
        if tick.close:
            lines[0] += f" ({tick.change:+.2f}, {percent(tick.change_percent)})"
        lines += [
            f"open {price(tick.open)} · high {price(tick.high)} · low {price(tick.low)}",
            f"previous close {price(tick.close)} · volume {units(tick.volume)}",
        ]
    return Answer("\n".join(lines))


# -- a chart --------------------------------------------------------------------------------
async def chart(rooms: Rooms, words: Sequence[str]) -> Answer:
    """Candles as a picture, or two."""
    usage = "/chart SYMBOL [EXCHANGE] [intraday|daily|both] [interval] [days]"
    row, rest = _instrument(rooms, words, usage)
    kind = rest.pop(0).lower() if rest and rest[0].lower() in (*_KINDS, "both") else ""
    span = Span.parse(rest.pop(0)) if rest else None
    days = _days(rest.pop(0)) if rest else 0
    if rest:
        raise ConfigError(f"{rest[0]} is one word too many: {usage}")
    if kind == "both":
        if span is not None:
            raise ConfigError("both has its own intervals: leave the interval and the days out.")
        kinds = list(_KINDS)
    else:
        kinds = [kind or ("daily" if span is not None and not span.is_intraday else "intraday")]
    pictures = [await _picture(rooms, row, one, span, days) for one in kinds]
    return Answer(pictures=pictures)


def _days(word: str) -> int:
    try:
        days = whole(word)
    except ValueError:
        raise ConfigError(f"days: {word!r} is no number of days.") from None
    if not 1 <= days <= MAX_DAYS:
        raise ConfigError(f"days: 1 to {MAX_DAYS}.")
    return days


async def _picture(
    rooms: Rooms, row: Instrument, kind: str, span: Span | None, days: int
) -> Picture:
    text, usual = _KINDS[kind]
    span = span or Span.parse(text)
    if span.is_intraday is (kind == "daily"):
        raise ConfigError(f"An interval of {span.text} is not {kind}.")
    days = days or usual
    if span.is_intraday and days > MAX_INTRADAY_DAYS:
        raise ConfigError(f"days: {MAX_INTRADAY_DAYS} at most for an interval of {span.text}.")
    now = int(rooms.clock.time())
    # So many days of trading: weekends and holidays are beside them.
    back = timedelta(days=days * 7 // 5 + 4).total_seconds()
    bars = await rooms.bars.get(row.key, span, int(now - back), now + 1)
    starts = np.unique((bars.time + 19_800) // 86_400)
    if span.is_intraday and len(starts) > days:
        first = int(starts[-days]) * 86_400 - 19_800
        bars = await rooms.bars.get(row.key, span, first, now + 1)
    if not len(bars):
        raise DataError(f"There are no candles of {row.symbol} on {row.exchange} ({span.text}).")
    heading = f"{row.symbol} {row.exchange} {span.text}"
    png = await asyncio.to_thread(
        candles, heading, bars, intraday=span.is_intraday, tick=row.tick_size
    )
    return Picture(png, f"{heading} · last {price(float(bars.close[-1]))}")


# -- an option chain ------------------------------------------------------------------------
async def chain(rooms: Rooms, words: Sequence[str]) -> Answer:
    """The next expiry of an underlying, in short."""
    if not words:
        raise ConfigError("Say which: /chain UNDERLYING [EXPIRY], such as /chain NIFTY 29DEC26")
    base = words[0].upper()
    book = ChainBook(rooms.hub, rooms.instruments, rooms.clock)
    try:
        today = rooms.clock.now().date()
        exchange, expiry = _expiry(rooms, base)
        wanted = words[1].upper() if len(words) > 1 else expiry
        underlying = book.contracts.underlying(base, exchange, wanted, today)
        found = await book.build(underlying, _STRIKES, False)
    finally:
        book.close()
    return Answer("\n".join(_chain_lines(found)))


def _expiry(rooms: Rooms, base: str) -> tuple[str, str]:
    """Where the options of an underlying trade, and their next expiry."""
    today = rooms.clock.now().date()
    for exchange in ("NFO", "BFO", "MCX", "CDS"):
        found = rooms.instruments.expiries(base, exchange, False, today)
        if found:
            return exchange, format_expiry(min(found))
    raise DataError(f"There are no options of {base}.")


def _chain_lines(chain: Chain) -> list[str]:
    calls = {row.strike: row.ce for row in chain.strikes if row.ce is not None}
    puts = {row.strike: row.pe for row in chain.strikes if row.pe is not None}
    call_oi, put_oi = _open_interest(calls), _open_interest(puts)
    ce, pe = _ltp(calls.get(chain.atm)), _ltp(puts.get(chain.atm))
    both = f"{ce + pe:.2f}" if ce and pe else UNKNOWN
    lines = [
        f"{chain.underlying.base} {chain.underlying.expiry_text.upper()}: {price(chain.price.ltp)}",
        f"ATM {price(chain.atm)} · CE {price(ce)} · PE {price(pe)} · straddle {both}",
    ]
    total = sum(call_oi.values())
    if total and put_oi:
        lines.append(f"PCR (open interest) {sum(put_oi.values()) / total:.2f}")
        lines.append(f"max pain {price(max_pain(call_oi, put_oi))}")
        for name, found in (("calls", call_oi), ("puts", put_oi)):
            top = sorted(found, key=lambda strike: -found[strike])[:3]
            most = ", ".join(f"{price(strike)} ({units(found[strike])})" for strike in top)
            lines.append(f"most open {name}: {most}")
    lines.append(f"of {len(chain.strikes)} strikes round the money")
    return lines


def _ltp(leg: Leg | None) -> float:
    return leg.tick.ltp if leg is not None and leg.tick is not None else 0.0


def _open_interest(legs: dict[float, Leg]) -> dict[float, int]:
    return {
        strike: leg.tick.oi
        for strike, leg in legs.items()
        if leg.tick is not None and leg.tick.knows(Part.OI) and leg.tick.oi
    }


def max_pain(calls: dict[float, int], puts: dict[float, int]) -> float:
    """The strike at which buyers of options would get the least at expiry; open interest in units
    by strike."""

    def paid(at: float) -> float:
        to_calls = sum(max(0.0, at - strike) * count for strike, count in calls.items())
        return to_calls + sum(max(0.0, strike - at) * count for strike, count in puts.items())

    return min(sorted({*calls, *puts}), key=paid)

"""Rows and columns of a watchlist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.ticks import Tick, TickExtras
from openalgo_desktop.core.watchlists import WatchItem
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import quote
from openalgo_desktop.ui.kit.names import symbol_column
from openalgo_desktop.ui.kit.table_dock import Col

FLAG_TONES = {1: "link-1", 2: "link-2", 3: "link-3", 4: "link-4"}


@dataclass(slots=True)
class WatchRow:
    """One line: an instrument or a heading. ``tick`` is None until the first price. ``refusal``
    says why it is not streamed, ``stale`` that its prices must not be traded on, ``age`` what is
    wrong with them in two words, ``facts`` what daily candles tell beside the tick."""

    item: WatchItem
    instrument: Instrument | None
    places: int = 2
    tick: Tick | None = None
    refusal: str = ""
    stale: bool = False
    age: str = ""
    facts: TickExtras | None = None

    @property
    def key(self) -> Key:
        """What identifies the row in its list."""
        return self.item.key

    @property
    def tradable(self) -> bool:
        """Whether orders can be given for it."""
        return self.instrument is not None and not self.instrument.is_index

    @property
    def is_derivative(self) -> bool:
        """Whether it has open interest."""
        return self.instrument is not None and Bridge.is_derivative(self.instrument.exchange)


def tip(row: WatchRow) -> str:
    """What hovering tells beside the contract."""
    said = [row.item.note] if row.item.note else []
    if row.item.is_heading:
        return ""
    if row.instrument is None:
        said.append("Not in the symbol master: expired, or of another broker.")
    elif row.refusal:
        said.append(f"Not streamed: {row.refusal}")
    elif row.age:
        said.append(f"Its price is {row.age} and not used for orders.")
    return "\n".join(said)


def badge(row: WatchRow) -> str:
    """What is wrong with a row in two words."""
    if row.item.is_heading:
        return ""
    return "not listed" if row.instrument is None else "no feed" if row.refusal else row.age


def _blank(row: WatchRow, text: str) -> str:
    return "" if row.item.is_heading else text


def _tone(row: WatchRow) -> str:
    return quote.tone(row.tick)


def _price(name: str, title: str, width: int, *, hidden: bool = False) -> Col[WatchRow]:
    return Col(
        name,
        title,
        width,
        lambda row: quote.price(row.tick, name),
        lambda row: _blank(row, quote.price_text(row.tick, name, row.places)),
        live=True,
        by_value=True,
        hidden=hidden,
    )


def _number(
    name: str,
    title: str,
    width: int,
    value: Callable[[WatchRow], float | None],
    text: Callable[[float], str],
    tone: Callable[[WatchRow], str] | None = None,
    *,
    spoken: str = "",
    tooltip: str = "",
) -> Col[WatchRow]:
    def shown(row: WatchRow) -> str:
        known = value(row)
        return _blank(row, fmt.MISSING if known is None else text(known))

    return Col(
        name,
        title,
        width,
        value,
        shown,
        tone,
        live=True,
        by_value=True,
        spoken=spoken,
        tooltip=tooltip,
    )


def oi(row: WatchRow) -> float | None:
    """Open interest, units; None for what has none."""
    return quote.known(row.tick, "oi") if row.is_derivative else None


def oi_change(row: WatchRow) -> float | None:
    """Change of the open interest since the end of yesterday, per cent."""
    now, extras = oi(row), row.tick.extras if row.tick is not None else None
    if now is None:
        return None
    before = extras.prev_oi if extras is not None else None
    if before is None and extras is not None and extras.oi_change is not None:
        before = int(now) - extras.oi_change
    if before is None and row.facts is not None:
        before = row.facts.prev_oi
    return 100.0 * (now - before) / before if before else None


def place_in_day(row: WatchRow) -> float | None:
    """Where the last price lies between the low (0) and the high (1) of the day."""
    last, low, high = (quote.price(row.tick, name) for name in ("ltp", "low", "high"))
    if last is None or low is None or high is None or high <= low:
        return None
    return min(1.0, max(0.0, (last - low) / (high - low)))


def vwap_distance(row: WatchRow) -> float | None:
    """Distance of the last price from the average price of the day, per cent."""
    last, average = quote.price(row.tick), quote.price(row.tick, "average_price")
    index = row.instrument is not None and row.instrument.is_index
    if last is None or average is None or index:
        return None
    return 100.0 * (last - average) / average


def _volume(row: WatchRow) -> float | None:
    return quote.known(row.tick, "volume") if row.tradable else None


def _year(row: WatchRow, high: bool) -> float | None:
    """High or low of 52 weeks: as the feed tells it, else by daily candles and today."""
    extras = row.tick.extras if row.tick is not None else None
    told = _of_year(extras, high)
    if told is not None or row.facts is None:
        return told
    known, today = _of_year(row.facts, high), quote.price(row.tick, "high" if high else "low")
    if known is None or today is None:
        return known
    return max(known, today) if high else min(known, today)


def _of_year(extras: TickExtras | None, high: bool) -> float | None:
    if extras is None:
        return None
    return extras.week_52_high if high else extras.week_52_low


def lacks_interest(row: WatchRow) -> bool:
    """Whether the open interest of the day before is not known and could be."""
    return oi(row) is not None and oi_change(row) is None


def lacks_year(row: WatchRow) -> bool:
    """Whether high and low of 52 weeks are not known and could be: of shares and indices."""
    instrument = row.instrument
    return instrument is not None and instrument.expiry is None and _year(row, True) is None


def _sign(value: Callable[[WatchRow], float | None]) -> Callable[[WatchRow], str]:
    return lambda row: fmt.sign_role(value(row) or 0.0)


def _year_column(name: str, title: str, high: bool) -> Col[WatchRow]:
    def text(row: WatchRow) -> str:
        known = _year(row, high)
        return _blank(row, fmt.MISSING if known is None else fmt.price(known, row.places))

    return Col(name, title, 78, lambda row: _year(row, high), text, live=True, by_value=True)


def _symbol(bridge: Bridge) -> Col[WatchRow]:
    plain = symbol_column(bridge, lambda row: row.key, 160, tip=tip)
    name = plain.text
    assert name is not None

    def text(row: WatchRow) -> str:
        if row.item.is_heading:
            return row.item.symbol
        flag = f"◆{row.item.flag} " if row.item.flag else ""
        return f"{flag}{name(row)}{' •' if row.item.note else ''}"

    def tone(row: WatchRow) -> str:
        if row.item.is_heading:
            return "muted"
        return "stale" if row.instrument is None else FLAG_TONES.get(row.item.flag, "")

    return Col(
        "symbol",
        "Symbol",
        160,
        plain.value,
        text,
        tone,
        numeric=False,
        tip=lambda row: "" if row.item.is_heading or plain.tip is None else plain.tip(row),
        copied=lambda row: row.item.symbol,
    )


def columns(bridge: Bridge) -> tuple[Col[WatchRow], ...]:
    """All columns; the header's menu chooses among them."""
    return (
        _symbol(bridge),
        Col(
            "ltp",
            "LTP",
            74,
            lambda r: quote.price(r.tick),
            lambda r: _blank(r, quote.price_text(r.tick, "ltp", r.places)),
            tone=_tone,
            flash=True,
            live=True,
            by_value=True,
            badge=badge,
            tip=tip,
        ),
        Col(
            "change",
            "Chg",
            64,
            lambda r: quote.change(r.tick),
            lambda r: _blank(r, quote.change_text(r.tick, r.places)),
            _tone,
            live=True,
            by_value=True,
        ),
        _number(
            "percent", "Chg %", 62, lambda r: quote.percent(r.tick), fmt.signed_percent, _tone
        ),
        Col(
            "range",
            "Range",
            58,
            place_in_day,
            # where it is known a bar is painted
            lambda r: "" if r.item.is_heading or place_in_day(r) is not None else fmt.MISSING,
            live=True,
            by_value=True,
            spoken="Place between low and high of the day",
            tooltip="Where the last price lies between the low and the high of the day",
        ),
        _price("bid", "Bid", 78),
        _price("ask", "Ask", 78),
        _number("volume", "Volume", 96, _volume, fmt.quantity),
        _number("oi", "OI", 92, oi, fmt.quantity),
        _number(
            "oi_change", "OI %", 62, oi_change, fmt.signed_percent, _sign(oi_change),
            spoken="Change of open interest in per cent", tooltip="Since the end of yesterday",
        ),
        _number(
            "vwap", "VWAP %", 66, vwap_distance, fmt.signed_percent, _sign(vwap_distance),
            spoken="Distance from the average price of the day in per cent",
            tooltip="Distance of the last price from the average price of the day",
        ),
        _price("high", "High", 84),
        _price("low", "Low", 84),
        _year_column("year_high", "52w high", True),
        _year_column("year_low", "52w low", False),
    )  # fmt: skip

"""The rows of the chain as the table shows them, and the columns of one side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from openalgo_desktop.core.chain import ChainLeg, ChainStrike
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.money import decimals
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import quote
from openalgo_desktop.ui.kit.tables import Column

#: Width of the strike's column at a text scale of 100 per cent: two buttons, the strike, a badge.
STRIKE_WIDTH = 122


class Side:
    """One option of a line. ``held`` are the units of its position, ``unit`` what open interest
    is counted in (1, or the lot), ``stale`` that its price must not be traded on."""

    __slots__ = ("held", "leg", "lot", "places", "stale", "unit")

    def __init__(self, leg: ChainLeg | None) -> None:
        self.leg = leg
        self.lot = max(1, leg.row.lot_size) if leg is not None else 1
        self.places = decimals(leg.row.tick_size) if leg is not None else 2
        self.held = 0
        self.unit = 1
        self.stale = False

    @property
    def tick(self) -> Tick | None:
        return self.leg.tick if self.leg is not None else None

    @property
    def key(self) -> Key | None:
        return self.leg.key if self.leg is not None else None

    @property
    def badge(self) -> str:
        """The position in lots, ``+2``; in units with a ``u`` where that is no whole number."""
        if not self.held:
            return ""
        lots, rest = divmod(abs(self.held), self.lot)
        sign = "+" if self.held > 0 else "-"
        return f"{sign}{abs(self.held)}u" if rest else f"{sign}{lots}"


class Line:
    """A strike with its two sides."""

    __slots__ = ("atm", "call", "put", "strike")

    def __init__(self, row: ChainStrike) -> None:
        self.strike = row.strike
        self.call = Side(row.call)
        self.put = Side(row.put)
        self.atm = False

    def side(self, is_call: bool) -> Side:
        """The call's or the put's."""
        return self.call if is_call else self.put


class Spec(NamedTuple):
    """A column that both sides have. ``value`` and ``text`` see a side."""

    name: str
    title: str
    width: int
    words: str  # what it is, for menus, tooltips and copies
    value: Callable[[Side], Any]
    text: Callable[[Side, Any], str]
    tone: Callable[[Side], str] | None = None


def _tick_price(name: str) -> Callable[[Side], float | None]:
    return lambda side: quote.price(side.tick, name)


def _price_text(side: Side, value: float) -> str:
    return fmt.price(value, side.places)


def _figure(name: str) -> Callable[[Side], float | None]:
    def value(side: Side) -> float | None:
        leg = side.leg
        if leg is None:
            return None
        found: float | None = _FIGURES[name](leg)
        return found

    return value


_FIGURES: dict[str, Callable[[ChainLeg], float | None]] = {
    "iv": lambda leg: leg.iv,
    "delta": lambda leg: leg.delta,
    "gamma": lambda leg: leg.gamma,
    "theta": lambda leg: leg.theta,
    "vega": lambda leg: leg.vega,
}


def _with(places: int) -> Callable[[Side, float], str]:
    return lambda side, value: fmt.price(value, places)


def _tone(side: Side) -> str:
    return quote.tone(side.tick)


def _oi(side: Side) -> float | None:
    found = quote.known(side.tick, "oi")
    return None if found is None else found / side.unit


def _oi_change(side: Side) -> float | None:
    found = side.leg.oi_change if side.leg is not None else None
    return None if found is None else found / side.unit


def _oi_percent(side: Side) -> float | None:
    change, now = _oi_change(side), _oi(side)
    if change is None or now is None or now - change <= 0:
        return None
    return 100.0 * change / (now - change)


def _oi_tone(side: Side) -> str:
    return fmt.sign_role(_oi_change(side) or 0.0)


def _signed_short(side: Side, value: float) -> str:
    text = fmt.short(value)
    return f"+{text}" if value > 0 else text


def strike_text(strike: float) -> str:
    """A strike with the decimals that it has."""
    return fmt.price(strike, 0 if strike == int(strike) else 2)


#: From the strike outwards.
SPECS: tuple[Spec, ...] = (
    Spec("ltp", "LTP", 70, "Last price", _tick_price("ltp"), _price_text, _tone),
    Spec(
        "change", "Chg", 64, "Change since yesterday", lambda side: quote.change(side.tick),
        lambda side, value: fmt.signed(value, side.places), _tone,
    ),
    Spec(
        "percent", "Chg %", 66, "Change since yesterday, per cent",
        lambda side: quote.percent(side.tick), lambda side, value: fmt.signed_percent(value, 1),
        _tone,
    ),
    Spec("bid", "Bid", 68, "Best bid", _tick_price("bid"), _price_text, lambda side: "buy"),
    Spec("ask", "Ask", 68, "Best ask", _tick_price("ask"), _price_text, lambda side: "sell"),
    Spec("iv", "IV", 50, "Implied volatility, per cent a year", _figure("iv"), _with(1)),
    Spec("delta", "Delta", 54, "Delta: rupees for a rupee of the forward", _figure("delta"),
         _with(2)),
    Spec("gamma", "Gamma", 62, "Gamma: change of delta for a rupee", _figure("gamma"), _with(5)),
    Spec("theta", "Theta", 62, "Theta: rupees a calendar day", _figure("theta"), _with(2)),
    Spec("vega", "Vega", 54, "Vega: rupees for a point of volatility", _figure("vega"), _with(2)),
    Spec(
        "volume", "Volume", 76, "Volume of the day, units",
        lambda side: quote.known(side.tick, "volume"), lambda side, value: fmt.short(value),
    ),
    Spec(
        "oi_change", "OI chg", 80, "Change of open interest since the previous session",
        _oi_change, _signed_short, _oi_tone,
    ),
    Spec(
        "oi_percent", "OI chg %", 70, "Change of open interest, per cent", _oi_percent,
        lambda side, value: fmt.signed_percent(value, 1), _oi_tone,
    ),
    Spec("oi", "OI", 84, "Open interest", _oi, lambda side, value: fmt.short(value)),
)  # fmt: skip
BY_NAME = {spec.name: spec for spec in SPECS}
STRIKE = len(SPECS)  # logical index of the strike's column


def column_of(name: str, is_call: bool) -> int:
    """Logical index of a column: calls from the outside in, the strike, puts from it outwards."""
    place = next(index for index, spec in enumerate(SPECS) if spec.name == name)
    return STRIKE - 1 - place if is_call else STRIKE + 1 + place


def name_at(column: int) -> tuple[str, bool] | None:
    """Name and side of a logical column; None for the strike."""
    if column == STRIKE:
        return None
    return SPECS[abs(column - STRIKE) - 1].name, column < STRIKE


def _side_column(spec: Spec, is_call: bool, tip: Callable[[Line, bool], str]) -> Column[Line]:
    def side(line: Line) -> Side:
        return line.call if is_call else line.put

    def value(line: Line) -> Any:
        return spec.value(line.call if is_call else line.put)

    def text(line: Line) -> str:
        one = side(line)
        found = spec.value(one)
        return fmt.MISSING if found is None else spec.text(one, found)

    def tone(line: Line) -> str:
        one = side(line)
        if one.stale:
            return "stale"
        return spec.tone(one) if spec.tone is not None else ""

    return Column(
        f"{'call' if is_call else 'put'}-{spec.name}",
        spec.title,
        spec.width,
        value,
        text,
        tone,
        tooltip=spec.words,
        tip=lambda line: tip(line, is_call),
        by_value=True,
        spoken=f"{'Call' if is_call else 'Put'} {spec.title}",
    )


def columns(tip: Callable[[Line, bool], str]) -> tuple[Column[Line], ...]:
    """All columns, by logical index. ``tip`` gives the tooltip of a side's cells."""
    strike: Column[Line] = Column(
        "strike",
        "Strike",
        STRIKE_WIDTH,
        lambda line: (line.strike, line.atm),
        lambda line: strike_text(line.strike),
        lambda line: "accent" if line.atm else "",
        tip=lambda line: "At the money" if line.atm else "",
        by_value=True,
        centred=True,
    )
    calls = [_side_column(spec, True, tip) for spec in reversed(SPECS)]
    puts = [_side_column(spec, False, tip) for spec in SPECS]
    return (*calls, strike, *puts)

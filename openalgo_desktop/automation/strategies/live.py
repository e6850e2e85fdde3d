"""One run while it goes on: its places, what they gave, what its rules look at. No orders here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal

import msgspec

from openalgo_desktop.automation.strategies.ledger import Ledger
from openalgo_desktop.automation.strategies.state import Place, RunState
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.exits import ExitPlan
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.strategies.model import ZERO, Definition, Leg
from openalgo_desktop.core.strategies.rows import LegView, MadeStrategy, Run, RunView
from openalgo_desktop.core.strategies.words import StrategyKind

#: What closing costs is worked out anew when the price has moved so far; a share of it.
_MOVED = Decimal("0.01")
_PAISA = Decimal("0.01")

#: Rupees that leaving a place at a price would cost.
CloseCost = Callable[[Place, Decimal], Decimal]


class _Figures(msgspec.Struct):
    realised: Decimal = ZERO
    charges: Decimal = ZERO
    open_pnl: Decimal | None = ZERO
    closing: Decimal = ZERO
    closing_at: Decimal = ZERO
    closing_units: int = 0


class Result(msgspec.Struct, frozen=True):
    """Rupees. ``unrealised`` is None while a price was never heard; ``closing`` is what leaving all
    would cost now."""

    realised: Decimal
    unrealised: Decimal | None
    charges: Decimal
    closing: Decimal

    def total(self, *, net: bool) -> Decimal | None:
        """What the rules look at."""
        if self.unrealised is None:
            return None
        gross = self.realised + self.unrealised
        return gross - self.charges - self.closing if net else gross


class LiveRun:
    """A run of a strategy."""

    def __init__(
        self,
        made: MadeStrategy,
        run: Run,
        state: RunState,
        ledger: Ledger,
        close_cost: CloseCost,
    ) -> None:
        self.made = made
        self.run = run
        self.state = state
        self.ledger = ledger
        self.lock = asyncio.Lock()
        self.prices = "stream"
        self.day = run.started_at.astimezone(IST).date()  # of the prices that it knows
        self.recovering = False
        self.note = ""  # what a human has to know of all that is held
        self.over = False
        self.moved = asyncio.Event()  # set and replaced at every change of a place
        self.plans: dict[str, ExitPlan] = {}  # of open places, as they were last told
        self._close_cost = close_cost
        self._places = {place.ref: place for place in state.places}
        self._open = {place.ref: place for place in state.places if place.open}
        self._realised = self._charges = ZERO  # sums of all places, kept by each change of one
        self._open_pnl = self._closing = ZERO
        self._unknown = 0  # places whose price was never heard
        self._net = made.definition.net_of_charges
        #: A result between these does nothing: most prices cost two comparisons.
        self.quiet: tuple[Decimal, Decimal] = (ZERO, ZERO)
        self._figures: dict[str, _Figures] = {}
        for place in state.places:
            self.count(place)

    @property
    def definition(self) -> Definition:
        """What the strategy is."""
        return self.made.definition

    @property
    def strategy_id(self) -> int:
        """Whose run it is."""
        return self.made.strategy_id

    @property
    def is_batch(self) -> bool:
        """Whether all legs are entered and left together."""
        return self.definition.kind is StrategyKind.BATCH

    @property
    def source(self) -> str:
        """Source of its entries in the journal."""
        return f"strategy:{self.strategy_id}"

    def leg(self, leg_id: int) -> Leg | None:
        """One of its legs."""
        return next((leg for leg in self.definition.legs if leg.leg_id == leg_id), None)

    # -- places -----------------------------------------------------------------------------
    def add(self, place: Place) -> None:
        """A new one."""
        self.state.places.append(place)
        self._places[place.ref] = self._open[place.ref] = place
        self.count(place)

    def place(self, ref: str) -> Place | None:
        """One of them by its name."""
        return self._places.get(ref)

    def open(self) -> Iterator[Place]:
        """Those that hold something or may come to."""
        return (place for place in tuple(self._open.values()) if place.open)

    def open_at(self, key: Key) -> list[Place]:
        """The open places of an instrument."""
        return [place for place in self._open.values() if place.key == key]

    def open_of(self, leg_id: int) -> Place | None:
        """The open place of a leg that is not being turned round."""
        rows = (row for row in self.open() if row.leg_id == leg_id and not row.superseded)
        return next(rows, None)

    def instruments(self) -> set[Key]:
        """Instruments whose price matters."""
        keys = {place.key for place in self.open()} | {row.key for row in self.state.waiting}
        return keys | {place.under for place in self.open() if place.under is not None}

    def news(self) -> None:
        """Somebody waits for a change of a place."""
        self.moved.set()
        self.moved = asyncio.Event()

    # -- results ----------------------------------------------------------------------------
    def count(self, place: Place) -> None:
        """Orders of a place filled."""
        fills = self.ledger.fills(place.ref, place.entry)
        entry = fills.bought_value / fills.bought if fills.bought else place.entry
        out = fills.out + place.elsewhere
        value = fills.out_value + place.elsewhere_value
        figures = self._figures.setdefault(place.ref, _Figures())
        realised = place.side * (value - entry * out) * place.multiplier
        self._realised += realised - figures.realised
        self._charges += fills.charges - figures.charges
        figures.realised, figures.charges = realised, fills.charges
        if place.closed:
            self._open.pop(place.ref, None)
        self.value(place)

    def reopen(self, place: Place) -> None:
        """A place that counted as closed is not."""
        self._open[place.ref] = place

    def value(self, place: Place) -> None:
        """The price of a place moved: its part of the result is another, nothing else is looked
        at."""
        figures = self._figures[place.ref]
        before, closing = figures.open_pnl, figures.closing
        if place.closed or not place.held:
            figures.open_pnl, figures.closing = ZERO, ZERO
        elif place.ltp is None or not place.entry:
            figures.open_pnl = None
        else:
            gain = (place.ltp - place.entry) * place.side
            figures.open_pnl = gain * place.held * place.multiplier
            near = abs(place.ltp - figures.closing_at) <= figures.closing_at * _MOVED
            if not near or figures.closing_units != place.held:
                figures.closing = self._close_cost(place, place.ltp)
                figures.closing_at, figures.closing_units = place.ltp, place.held
        self._unknown += (figures.open_pnl is None) - (before is None)
        self._open_pnl += (figures.open_pnl or ZERO) - (before or ZERO)
        self._closing += figures.closing - closing

    def new_day(self, day: date) -> None:
        """Prices of an earlier day are none of this one: until each is heard the result is not
        known, for the first leg that trades would be counted beside old prices of the others."""
        self.day = day
        for place in self.open():
            place.ltp = None
            self.value(place)

    def result(self) -> Result:
        """What the run gave so far, to the paisa."""
        return Result(
            self._realised.quantize(_PAISA),
            None if self._unknown else self._open_pnl.quantize(_PAISA),
            self._charges.quantize(_PAISA),
            self._closing.quantize(_PAISA),
        )

    def total(self) -> Decimal | None:
        """What its rules look at, rupees to the paisa; None while a price is not known."""
        if self._unknown:
            return None
        gross = self._realised + self._open_pnl
        if self._net:
            gross -= self._charges + self._closing
        return gross.quantize(_PAISA)

    # -- showing ----------------------------------------------------------------------------
    def view(self) -> RunView:
        """For a screen."""
        result = self.result()
        return RunView(
            run=self.run,
            legs=tuple(self._leg_view(leg) for leg in self.definition.legs),
            realised=result.realised,
            unrealised=result.unrealised,
            charges=result.charges + result.closing,
            result=result.total(net=self.definition.net_of_charges),
            floor=self.state.guard.floor,
            prices=self.prices,
        )

    def _leg_view(self, leg: Leg) -> LegView:
        rows = [place for place in self.state.places if place.leg_id == leg.leg_id]
        place = next((row for row in reversed(rows) if row.open), rows[-1] if rows else None)
        waits = [row for row in self.state.waiting if row.leg_id in (0, leg.leg_id)]
        if place is None or (waits and place.closed):
            text = f"waits for {waits[0].symbol} at {waits[0].level}" if waits else ""
            return LegView(leg_id=leg.leg_id, state="waiting" if waits else "closed", message=text)
        figures = self._figures[place.ref]
        open_pnl = figures.open_pnl
        return LegView(
            leg_id=leg.leg_id,
            state=_state(place),
            symbol=place.symbol,
            exchange=place.exchange,
            units=place.held * place.side,
            entry=place.entry or None,
            ltp=place.ltp,
            stop=place.stop if place.open else None,
            target=place.target if place.open else None,
            best=place.best if place.open else None,
            pnl=None if open_pnl is None else (figures.realised + open_pnl).quantize(_PAISA),
            message=(self.note if place.open else "") or place.refused or place.message,
        )


def _state(place: Place) -> str:
    if place.closed:
        return "closed"
    if place.kind is not None:
        return "exiting"
    return "open" if place.held else "entering"

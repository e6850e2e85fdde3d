"""An option chain that is kept current from the stream.

Rows exist at once, from the symbol master. The hub marks what ticked; :meth:`LiveChain.absorb`
takes that over when somebody is about to look, and :meth:`LiveChain.solve`, a few times a second,
finds volatility and greeks again for what moved, all of it in one pass of numpy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np

from openalgo_desktop.analytics.contracts import NO_SPOT, Contracts, expiry_moment
from openalgo_desktop.core.chain import (
    Array,
    ChainHead,
    ChainLeg,
    ChainName,
    ChainStrike,
    Family,
    max_pain,
    nearest,
    price_of,
    put_call_ratio,
    synthetic,
)
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.options_math import SECONDS_PER_YEAR, greeks, implied_volatility
from openalgo_desktop.core.symbols import option_exchange
from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.market.hub import MarketHub

#: Options solved in one pass at most; the others have their turn in the next.
MOST_AT_ONCE = 400
#: After so long everything is solved again although nothing ticked: time itself passes; seconds.
EVERY = 30.0
#: Time to expiry never counts as less than a minute; years.
MINUTE = 60.0 / SECONDS_PER_YEAR
NAN = float("nan")


class ChainFinder:
    """Which options belong to an instrument. Asks the symbol master; no prices."""

    def __init__(self, instruments: InstrumentTable, contracts: Contracts, clock: Clock) -> None:
        self._instruments = instruments
        self._contracts = contracts
        self._clock = clock

    def family(self, row: Instrument) -> Family | None:
        """The options on what ``row`` is or rests on; None where there are none."""
        name = row.name if row.expiry is not None or row.exchange == "CRYPTO" else row.symbol
        places = [option_exchange(row.exchange), *(["NFO"] if row.exchange == "BSE" else [])]
        exchange = next((place for place in places if self._expiries(name, place)), "")
        if not exchange:
            return None
        today = self._clock.now().date()
        text = row.symbol if exchange in NO_SPOT and row.instrument_type == "FUT" else name
        return Family(name, exchange, self._contracts.price_key(text, exchange, today))

    def expiries(self, family: Family) -> list[date]:
        """Expiries that are not over, ascending."""
        now = self._clock.now()
        days = self._expiries(family.name, family.exchange)
        return [day for day in days if expiry_moment(day, family.exchange) > now]

    def _expiries(self, name: str, exchange: str) -> list[date]:
        return self._instruments.expiries(name, exchange, False, self._clock.now().date())


class LiveChain:
    """One expiry. ``span`` strikes on each side of the money are streamed (None: all), and those
    that somebody looked at (:meth:`look`); :meth:`close` ends it. Reads are free; nothing here
    waits."""

    def __init__(
        self,
        hub: MarketHub,
        instruments: InstrumentTable,
        clock: Clock,
        name: ChainName,
        span: int | None = None,
        by_future: bool = False,
    ) -> None:
        self._hub = hub
        self._clock = clock
        self._span = span
        self._by_future = by_future
        self.name = name
        self._channel = hub.open_channel()
        family, expiry = name.family, name.expiry
        find = instruments.option
        self.rows: list[ChainStrike] = []
        self._legs: list[ChainLeg | None] = []  # call and put of each strike in turn
        self._place: dict[Key, int] = {}  # of a leg
        for strike in instruments.strikes(family.name, family.exchange, expiry):
            both = [
                ChainLeg(row) if row is not None else None
                for row in (
                    find(family.name, family.exchange, expiry, strike, kind)
                    for kind in ("CE", "PE")
                )
            ]
            for leg in both:
                if leg is not None:
                    self._place[leg.key] = len(self._legs)
                self._legs.append(leg)
            self.rows.append(ChainStrike(strike, *both))
        count = len(self._legs)
        self._strikes: Array = np.array([row.strike for row in self.rows], dtype=np.float64)
        self._premium: Array = np.full(count, NAN)  # what the leg rests on now
        self._solved: Array = np.full(count, NAN)  # what its figures rest on
        self._oi: Array = np.full(count, NAN)
        self._volume: Array = np.full(count, NAN)
        self._moved: set[int] = set()  # legs with another tick since they were solved
        self._solved_forward = 0.0
        self._solved_at = -EVERY
        self._newest = 0
        self._spot: Tick | None = None
        self._future: Tick | None = None
        future = instruments.future(family.name, family.exchange, expiry)
        self._future_key = future.key if future is not None else None
        self.head = ChainHead(listed=len(self.rows))
        self._subscribe()

    def close(self) -> None:
        """Want no more prices."""
        self._channel.close()

    @property
    def stirred(self) -> bool:
        """Whether :meth:`absorb` would find something."""
        return self._channel.dirty

    @property
    def seconds(self) -> float:
        """Until the options expire; below 0 afterwards."""
        moment = expiry_moment(self.name.expiry, self.name.family.exchange)
        return moment.timestamp() - self._clock.time()

    # -- what is streamed -------------------------------------------------------------------
    def _subscribe(self) -> None:
        self._channel.add(self.name.family.quoted, FeedMode.QUOTE)
        if self._future_key is not None:
            self._channel.add(self._future_key, FeedMode.QUOTE)
        self.absorb()
        self._around(self._middle())

    def _middle(self) -> int:
        """Place of the strike at the money as far as it is known, else of the middle one."""
        price = self.head.forward or _last(self._spot) or _last(self._future)
        return nearest(self._strikes, price) if price and self.rows else len(self.rows) // 2

    def _around(self, middle: int) -> None:
        if self._span is None:
            self.look(0, len(self.rows))
        else:
            self.look(middle - self._span, middle + self._span + 1)

    def look(self, first: int, end: int) -> None:
        """Stream the strikes at these places, too."""
        for place in range(max(0, first), min(end, len(self.rows))):
            row = self.rows[place]
            if row.streamed:
                continue
            row.streamed = True
            for leg in (row.call, row.put):
                if leg is not None:
                    self._channel.add(leg.key, FeedMode.QUOTE)

    async def prime(self) -> None:
        """Ask once, in one batch, for what is not streamed yet: many feeds tell only what changes.
        Raises :class:`AppError` when nobody can be asked."""
        keys = [key for key in self._channel.keys if self._hub.fresh(key, Part.QUOTE) is None]
        if not keys:
            return
        for key, answer in (await self._hub.quotes(keys)).items():
            place = self._place.get(key)
            known = self._legs[place] if place is not None else None
            if isinstance(answer, Tick) and (known is None or known.tick is None):
                self._take(key, answer)

    # -- prices -----------------------------------------------------------------------------
    def absorb(self) -> set[int]:
        """Take over what ticked since the last time; places of strikes that have something new."""
        changed: set[int] = set()
        for tick in self._channel.drain():
            place = self._take(tick.key, tick)
            if place >= 0:
                changed.add(place // 2)
        return changed

    def _take(self, key: Key, tick: Tick) -> int:
        place = self._place.get(key)
        if place is None:
            if key == self.name.family.quoted:
                self._spot = tick
            elif key == self._future_key:
                self._future = tick
            return -1
        leg = self._legs[place]
        assert leg is not None
        if leg.tick is None and tick.mode is FeedMode.QUOTE and tick.unknown & Part.TOUCH:
            self._channel.add(key, FeedMode.DEPTH)  # this feed tells bid and ask with the book
        leg.tick = tick
        self._moved.add(place)
        self._newest = max(self._newest, tick.ltt)
        return place

    # -- figures ----------------------------------------------------------------------------
    def solve(self) -> set[int]:
        """Find figures again where prices moved, and the head; places of strikes that changed."""
        if not self.rows:
            return set()
        moved, self._moved = self._moved, set()
        now = self._clock.monotonic()
        aged = now - self._solved_at >= EVERY
        self._read(range(len(self._legs)) if aged else moved)
        forward, source = self._forward()
        if aged or forward != self._solved_forward:
            self._solved_forward, self._solved_at = forward or 0.0, now
            due = np.flatnonzero(np.isfinite(self._premium) | np.isfinite(self._solved)).tolist()
        else:
            due = sorted(moved)
        self._moved.update(due[MOST_AT_ONCE:])
        due = due[:MOST_AT_ONCE]
        changed = self._solve(due, forward) if forward else set()
        self._sum_up(forward, source)
        if self._span is not None and self.head.atm is not None:
            self._follow(nearest(self._strikes, self.head.atm))
        return changed

    def _read(self, places: Iterable[int]) -> None:
        """Prices, open interest and volume of legs into the columns."""
        for place in places:
            leg = self._legs[place]
            if leg is None or leg.tick is None:
                continue
            tick = leg.tick
            price, leg.basis = price_of(tick, leg.row.tick_size, self._newest)
            leg.price = price or None
            self._premium[place] = price or NAN
            self._oi[place] = tick.oi if tick.knows(Part.OI) else NAN
            self._volume[place] = tick.volume if tick.knows(Part.DAY) else NAN

    def _forward(self) -> tuple[float | None, str]:
        if self._by_future and (price := _last(self._future)):
            return price, "future"
        parity = synthetic(self._strikes, self._premium[0::2], self._premium[1::2])
        if parity is not None and parity > 0:
            return parity, "synthetic"
        if price := _last(self._future):
            return price, "future"
        price = _last(self._spot)
        return price, "spot" if price else ""

    def _solve(self, due: Sequence[int], forward: float) -> set[int]:
        if not due:
            return set()
        places = np.array(due)
        premium = self._premium[places]
        self._solved[places] = premium
        strikes = self._strikes[places // 2]
        calls = places % 2 == 0
        years = max(self.seconds / SECONDS_PER_YEAR, MINUTE)
        known = np.where(np.isfinite(premium), premium, 0.0)
        sigma = np.asarray(
            implied_volatility(known, forward, strikes, years, 0.0, calls, shortest=MINUTE)
        )
        intrinsic = np.maximum(np.where(calls, forward - strikes, strikes - forward), 0.0)
        least = np.array([0.5 * leg.row.tick_size if leg else 0.0 for leg in map(self._at, due)])
        good = np.isfinite(sigma) & (sigma > 0.0) & (known - intrinsic >= least)
        if self.seconds <= 0:
            good[:] = False
        values = greeks(
            forward, strikes, years, np.where(good, sigma, 0.2), 0.0, calls, shortest=MINUTE
        )
        columns = np.column_stack(
            (sigma * 100.0, values.delta, values.gamma, values.theta, values.vega)
        ).tolist()
        for place, solved, figures in zip(due, good.tolist(), columns, strict=True):
            leg = self._at(place)
            if leg is None:
                continue
            if solved:
                leg.iv, leg.delta, leg.gamma, leg.theta, leg.vega = figures
            else:
                leg.iv = leg.delta = leg.gamma = leg.theta = leg.vega = None
        return {place // 2 for place in due}

    def _at(self, place: int) -> ChainLeg | None:
        return self._legs[place]

    def _sum_up(self, forward: float | None, source: str) -> None:
        call_oi, put_oi = self._oi[0::2], self._oi[1::2]
        both = np.isfinite(call_oi) & np.isfinite(put_oi)
        atm = nearest(self._strikes, forward) if forward else None
        self.head = ChainHead(
            spot=self._spot,
            future=self._future,
            forward=forward,
            forward_from=source,
            atm=float(self._strikes[atm]) if atm is not None else None,
            atm_iv=self._atm_iv(forward) if forward else None,
            straddle=self._straddle(atm) if atm is not None else None,
            call_oi=float(call_oi[both].sum()) if both.any() else None,
            put_oi=float(put_oi[both].sum()) if both.any() else None,
            pcr=put_call_ratio(call_oi, put_oi),
            pcr_volume=put_call_ratio(self._volume[0::2], self._volume[1::2]),
            max_pain=max_pain(self._strikes, call_oi, put_oi, forward) if forward else None,
            counted=int(both.sum()),
            listed=len(self.rows),
        )

    def _straddle(self, place: int) -> float | None:
        call, put = self.rows[place].call, self.rows[place].put
        if call is None or put is None or not call.price or not put.price:
            return None
        return call.price + put.price

    def _atm_iv(self, forward: float) -> float | None:
        """Between the two strikes around the forward, each the mean of its call and put."""
        above = int(np.searchsorted(self._strikes, forward))
        if not 0 < above < len(self.rows):
            return None
        low, high = (self._mean_iv(self.rows[place]) for place in (above - 1, above))
        if low is None or high is None:
            return low if high is None else high
        below, over = self._strikes[above - 1], self._strikes[above]
        return low + (high - low) * float((forward - below) / (over - below))

    @staticmethod
    def _mean_iv(row: ChainStrike) -> float | None:
        known = [leg.iv for leg in (row.call, row.put) if leg is not None and leg.iv is not None]
        return sum(known) / len(known) if known else None

    def _follow(self, atm: int) -> None:
        """Where the money moved near the edge of what is streamed, stream around it."""
        assert self._span is not None
        near = max(1, self._span // 2)
        ends = (max(0, atm - near), min(len(self.rows) - 1, atm + near))
        if not all(self.rows[place].streamed for place in ends):
            self._around(atm)


def _last(tick: Tick | None) -> float | None:
    return tick.ltp or None if tick is not None else None

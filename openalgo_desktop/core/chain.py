"""The option chain as it is shown: rows, the figures of its head, and the studies behind them.

Prices are rupees, open interest and volume units, volatility per cent. None is *not known*.
"""

from __future__ import annotations

from datetime import date
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.ticks import Part, Tick

Array: TypeAlias = npt.NDArray[np.float64]

#: A pair of bid and ask this far apart says nothing of a price between them: ticks, or a share.
WIDE_TICKS, WIDE_SHARE = 2.0, 0.05
#: A last trade this much older than the newest of its chain is no price of now, milliseconds.
OLD_TRADE_MS = 60_000


class Family(msgspec.Struct, frozen=True):
    """All options on one underlying: its ``name`` in the symbol master, the ``exchange`` of the
    options, and where its own price comes from (``quoted``)."""

    name: str
    exchange: str
    quoted: Key


class ChainLeg:
    """One option. ``tick`` is what was last heard of it; volatility and greeks rest on ``price``,
    and ``basis`` says what that is: ``mid`` of bid and ask, the last trade (``ltp``), or neither.
    ``theta`` is rupees a calendar day, ``vega`` rupees a point of volatility. ``prev_oi`` is the
    open interest at the end of the day before, where the feed does not tell it."""

    __slots__ = (
        *("basis", "delta", "gamma", "iv", "prev_oi", "price", "row", "theta", "tick", "vega"),
    )

    def __init__(self, row: Instrument) -> None:
        self.row = row
        self.tick: Tick | None = None
        self.prev_oi: int | None = None
        self.basis = ""
        self.price: float | None = None
        self.iv: float | None = None
        self.delta: float | None = None
        self.gamma: float | None = None
        self.theta: float | None = None
        self.vega: float | None = None

    @property
    def key(self) -> Key:
        return self.row.key

    @property
    def oi_change(self) -> int | None:
        """Open interest against the end of the previous session, where that is known."""
        tick = self.tick
        if tick is None:
            return None
        extras, before = tick.extras, self.prev_oi
        if extras is not None and extras.oi_change is not None:
            return extras.oi_change
        if extras is not None and extras.prev_oi is not None:
            before = extras.prev_oi
        return None if before is None or not tick.knows(Part.OI) else tick.oi - before


class ChainStrike:
    """Both options of one strike; a leg that the exchange does not list is None."""

    __slots__ = ("call", "put", "streamed", "strike")

    def __init__(self, strike: float, call: ChainLeg | None, put: ChainLeg | None) -> None:
        self.strike = strike
        self.call = call
        self.put = put
        self.streamed = False  # whether prices are asked for

    def leg(self, is_call: bool) -> ChainLeg | None:
        """The call or the put."""
        return self.call if is_call else self.put


class ChainHead(msgspec.Struct, frozen=True):
    """What is said of an expiry as a whole.

    ``forward`` is what volatilities rest on and ``forward_from`` where it comes from:
    ``synthetic`` (strike + call - put near the money), ``future`` (of the same expiry) or ``spot``.
    ``atm`` is the strike nearest to it. Put-call ratios, max pain and sums count the ``counted``
    strikes whose figures are known, of ``listed``.
    """

    spot: Tick | None = None
    future: Tick | None = None
    forward: float | None = None
    forward_from: str = ""
    atm: float | None = None
    atm_iv: float | None = None
    straddle: float | None = None  # call + put of the strike at the money
    call_oi: float | None = None
    put_oi: float | None = None
    pcr: float | None = None
    pcr_volume: float | None = None
    max_pain: float | None = None
    counted: int = 0
    listed: int = 0


class ChainName(msgspec.Struct, frozen=True):
    """Which chain: a family and one of its expiries."""

    family: Family
    expiry: date


def price_of(tick: Tick, tick_size: float, newest: int) -> tuple[float, str]:
    """The price that a volatility may rest on, and what it is: the middle of bid and ask unless
    they are wide apart, else the last trade unless it is old beside the ``newest`` of the chain
    (epoch milliseconds), else (0, "")."""
    bid, ask = tick.bid, tick.ask
    if 0.0 < bid <= ask and tick.knows(Part.TOUCH):
        middle = 0.5 * (bid + ask)
        if ask - bid <= max(WIDE_TICKS * tick_size + 1e-9, WIDE_SHARE * middle):
            return middle, "mid"
    if tick.ltp > 0.0 and (not tick.ltt or newest - tick.ltt <= OLD_TRADE_MS):
        return tick.ltp, "ltp"
    return 0.0, ""


def synthetic(strikes: Array, calls: Array, puts: Array) -> float | None:
    """The forward by put-call parity, strike + call - put, at the strike where call and put are
    nearest to each other (there the strike's own error is smallest); NaN is *no price*."""
    gap = np.abs(calls - puts)
    if not np.isfinite(gap).any():
        return None
    place = int(np.nanargmin(gap))
    return float(strikes[place] + calls[place] - puts[place])


def nearest(strikes: Array, price: float) -> int:
    """Place of the strike nearest to ``price``; the lower one of two equally near."""
    return int(np.argmin(np.abs(strikes - price)))


def max_pain(strikes: Array, call_oi: Array, put_oi: Array, near: float) -> float | None:
    """The strike at which all options together would be worth least to their holders at expiry;
    of equal ones the nearest to ``near``. NaN counts as nothing; None without open interest."""
    calls, puts = np.nan_to_num(call_oi), np.nan_to_num(put_oi)
    if not calls.any() and not puts.any():
        return None
    above = strikes[:, None] - strikes[None, :]  # settlement at the row's strike
    pain = np.maximum(above, 0.0) @ calls + np.maximum(-above, 0.0) @ puts
    least = np.flatnonzero(pain <= pain.min() * (1.0 + 1e-12))
    return float(strikes[least[nearest(strikes[least], near)]])


def put_call_ratio(calls: Array, puts: Array) -> float | None:
    """Puts over calls of the same figure; None while either side is unknown or nothing."""
    both = np.isfinite(calls) & np.isfinite(puts)
    total = float(calls[both].sum())
    return float(puts[both].sum()) / total if total > 0 else None

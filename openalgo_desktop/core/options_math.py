"""Black-76 on the forward: prices, implied volatility, greeks; scalars and numpy arrays alike.

Units: prices and strikes in rupees, time in years of 365 days, volatility and rate as fractions
(0.12 is 12 %). The scalar and the vector form give identical numbers, because both use the C
library's error function.
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]
Number: TypeAlias = float | Array

DAYS_PER_YEAR = 365.0
SECONDS_PER_YEAR = DAYS_PER_YEAR * 86_400.0
#: Shorter times to expiry are treated as this; years.
MIN_YEARS = 0.0001
_SQRT2 = math.sqrt(2.0)
_SQRT_2PI = math.sqrt(2.0 * math.pi)
_MAX_SIGMA = 5.0
_ITERATIONS = 100
_TOLERANCE = 1e-10


class Greeks(NamedTuple):
    """Sensitivities: ``theta`` per calendar day, ``vega`` per 1 % volatility, ``rho`` per 1 %
    rate; ``delta`` and ``gamma`` with respect to the forward."""

    delta: Number
    gamma: Number
    theta: Number
    vega: Number
    rho: Number


def _erf(values: Array) -> Array:
    flat = values.ravel()
    return np.fromiter(map(math.erf, flat.tolist()), np.float64, flat.size).reshape(values.shape)


def norm_cdf(x: Number) -> Number:
    """Cumulative standard normal distribution."""
    if isinstance(x, np.ndarray):
        return np.asarray(0.5 * (1.0 + _erf(x / _SQRT2)), dtype=np.float64)
    return 0.5 * (1.0 + math.erf(x / _SQRT2))


def _scalar_price(
    forward: float, strike: float, years: float, sigma: float, rate: float, is_call: bool
) -> float:
    spread = sigma * math.sqrt(years) if years > 0 else 0.0
    discount = math.exp(-rate * years) if rate else 1.0
    if spread <= 0.0:
        gain = forward - strike if is_call else strike - forward
        return discount * max(0.0, gain)
    d1 = math.log(forward / strike) / spread + 0.5 * spread
    d2 = d1 - spread
    call = forward * 0.5 * (1.0 + math.erf(d1 / _SQRT2)) - strike * 0.5 * (
        1.0 + math.erf(d2 / _SQRT2)
    )
    value = call if is_call else call - forward + strike  # parity by construction
    return discount * max(0.0, value)


def price(
    forward: Number,
    strike: Number,
    years: Number,
    sigma: Number,
    rate: float = 0.0,
    is_call: bool | npt.NDArray[np.bool_] = True,
) -> Number:
    """Value of a European option on the forward; intrinsic value when no time or volatility is
    left. Arrays broadcast; a float comes back when every argument is one."""
    if not any(isinstance(x, np.ndarray) for x in (forward, strike, years, sigma, is_call)):
        return _scalar_price(
            float(forward), float(strike), float(years), float(sigma), rate, bool(is_call)
        )
    f, k, t, s, c = np.broadcast_arrays(forward, strike, years, sigma, is_call)
    t = np.maximum(t, 0.0)
    spread = s * np.sqrt(t)
    live = spread > 0.0
    safe = np.where(live, spread, 1.0)
    d1 = np.log(f / k) / safe + 0.5 * safe
    call = f * norm_cdf(d1) - k * norm_cdf(d1 - safe)
    call = np.where(live, call, np.maximum(f - k, 0.0))
    value = np.where(c, call, call - f + k)
    return np.asarray(np.exp(-rate * t) * np.maximum(value, 0.0), dtype=np.float64)


def implied_volatility(
    premium: Number,
    forward: Number,
    strike: Number,
    years: Number,
    rate: float = 0.0,
    is_call: bool | npt.NDArray[np.bool_] = True,
    shortest: float = MIN_YEARS,
) -> Number:
    """Volatility at which :func:`price` gives ``premium``; 0 where the premium holds no time
    value, NaN where it exceeds what any volatility up to 500 % gives. Times below ``shortest``
    years count as that.

    Newton steps inside a shrinking bracket on the out-of-the-money side: a step that would leave
    the bracket becomes a bisection, so it cannot miss. Below the inflection point the steps are
    taken on the logarithm of the price, where the curve is nearly straight.
    """
    scalar = not any(isinstance(x, np.ndarray) for x in (premium, forward, strike, years, is_call))
    p, f, k, t, c = (
        np.atleast_1d(np.array(x, copy=True))
        for x in np.broadcast_arrays(premium, forward, strike, years, is_call)
    )
    f, k = f.astype(np.float64), k.astype(np.float64)
    t = np.maximum(t.astype(np.float64), shortest)
    intrinsic = np.where(c, np.maximum(f - k, 0.0), np.maximum(k - f, 0.0))
    # Time value is the value of the out-of-the-money option of the same strike.
    time_value = p * np.exp(rate * t) - intrinsic
    sigma, reachable = _solve_sigma(np.where(time_value > 1e-9, time_value, 1e-3 * f), f, k, t)
    result = np.where(time_value <= 1e-9, 0.0, np.where(reachable, sigma, np.nan))
    return float(result[0]) if scalar else np.asarray(result, dtype=np.float64)


def _solve_sigma(value: Array, f: Array, k: Array, t: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Volatility of out-of-the-money options worth ``value`` and whether there is one."""
    sign = np.where(k >= f, 1.0, -1.0)
    root = np.sqrt(t)
    moneyness = np.log(f / k)
    most = _out_of_the_money(np.full_like(value, _MAX_SIGMA), f, k, root, moneyness, sign)[0]
    reachable = most >= value
    value = np.minimum(value, 0.999 * most)  # one that has no answer must not hold up the others
    inflection = np.sqrt(2.0 * np.abs(moneyness) / t)
    sigma = np.clip(np.maximum(inflection, value * _SQRT_2PI / (f * root)), 1e-4, _MAX_SIGMA)
    low, high = np.full_like(value, 1e-9), np.full_like(value, _MAX_SIGMA)
    result = sigma.copy()
    where = np.arange(value.size)  # those that are not solved yet
    rows = [sigma, low, high, value, f, k, root, moneyness, sign, inflection]
    for _ in range(_ITERATIONS):
        sigma, low, high, value, f, k, root, moneyness, sign, inflection = rows
        worth, vega = _out_of_the_money(sigma, f, k, root, moneyness, sign)
        above = worth >= value
        high = np.where(above, sigma, high)
        low = np.where(above, low, sigma)
        # An underflown price says only that it is too low: the bracket decides there.
        logarithmic = (sigma < inflection) & (worth > 1e-290)
        safe = np.where(logarithmic, worth, 1.0)
        step = np.where(logarithmic, np.log(safe / value) * safe, worth - value)
        following = sigma - step / np.maximum(vega, 1e-300)
        inside = (following > low) & (following < high)
        following = np.where(inside, following, 0.5 * (low + high))
        result[where] = following
        left = np.abs(following - sigma) >= _TOLERANCE
        if not left.any():
            break
        rows = [following, low, high, value, f, k, root, moneyness, sign, inflection]
        if not left.all():
            where = where[left]
            rows = [row[left] for row in rows]
    return result, reachable


def _out_of_the_money(
    sigma: Array, f: Array, k: Array, root: Array, moneyness: Array, sign: Array
) -> tuple[Array, Array]:
    """Price and vega (per unit of volatility), without the cancellation of parity."""
    d1 = moneyness / (sigma * root) + 0.5 * sigma * root
    d2 = d1 - sigma * root
    cdf = np.asarray(norm_cdf(np.concatenate((sign * d1, sign * d2))))
    worth = sign * (f * cdf[: d1.size] - k * cdf[d1.size :])
    vega = f * root * np.exp(-0.5 * d1 * d1) / _SQRT_2PI
    return np.maximum(worth, 0.0), vega


def greeks(
    forward: Number,
    strike: Number,
    years: Number,
    sigma: Number,
    rate: float = 0.0,
    is_call: bool | npt.NDArray[np.bool_] = True,
    shortest: float = MIN_YEARS,
) -> Greeks:
    """Sensitivities of :func:`price`. ``sigma`` must be positive; times shorter than
    ``shortest`` years count as that."""
    scalar = not any(isinstance(x, np.ndarray) for x in (forward, strike, years, sigma, is_call))
    f, k, t, s, c = np.broadcast_arrays(forward, strike, years, sigma, is_call)
    t = np.maximum(t, shortest)
    root = np.sqrt(t)
    d1 = np.log(f / k) / (s * root) + 0.5 * s * root
    discount = np.exp(-rate * t)
    density = np.exp(-0.5 * d1 * d1) / _SQRT_2PI
    value = np.asarray(price(np.asarray(f), k, t, s, rate, c))
    delta = discount * (np.asarray(norm_cdf(np.asarray(d1))) - np.where(c, 0.0, 1.0))
    gamma = discount * density / (f * s * root)
    vega = f * discount * density * root / 100.0
    theta = (-f * discount * density * s / (2.0 * root) + rate * value) / DAYS_PER_YEAR
    rho = -t * value / 100.0
    if scalar:
        return Greeks(float(delta), float(gamma), float(theta), float(vega), float(rho))
    return Greeks(delta, gamma, theta, vega, rho)

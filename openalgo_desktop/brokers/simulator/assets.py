"""The assets of the shipped universe: which factors drive which price, and how strongly."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from openalgo_desktop.brokers.simulator.pricing import VIX
from openalgo_desktop.brokers.simulator.process import AssetSpec, FactorSpec, PriceProcess, rng
from openalgo_desktop.brokers.simulator.universe import Contract, UniverseSpec, bse_asset
from openalgo_desktop.core.symbols import parse

#: The common factor of all equities and indices.
MARKET = FactorSpec("market", 0.0085)
_INDEX_VOLUME = {"NIFTY": 9_000_000.0, "BANKNIFTY": 2_500_000.0, "SENSEX": 1_000_000.0}
_INDEX_BETA = {"NIFTY": 1.0, "SENSEX": 0.98, "BANKNIFTY": 1.15, VIX: -3.0}
_INDEX_OWN = {"NIFTY": 0.0004, "SENSEX": 0.0012, "BANKNIFTY": 0.0045, VIX: 0.03}
#: Funds that follow another asset; everything else is a share.
_FUNDS = {"NIFTYBEES": 1.0, "BANKBEES": 1.1, "GOLDBEES": -0.05}
_TURNOVER = (1.5e9, 2.5e10)  # rupees a day, from the quietest to the busiest share
_BETA = (0.65, 1.4)
_OWN = (0.008, 0.0145)
_OTHER_PRICE = 1000.0
_BSE_NOISE = FactorSpec("bse", 0.00025, 0.2)
_BSE_VOLUME = 0.08  # of the volume at the NSE


def _share(seed: int, symbol: str, price: float) -> AssetSpec:
    """A share: its beta, own volatility and turnover are drawn from the seed."""
    dice = rng(seed, symbol, "character").random(3)
    beta = _FUNDS.get(symbol, _BETA[0] + dice[0] * (_BETA[1] - _BETA[0]))
    own = 0.0015 if symbol in _FUNDS else _OWN[0] + dice[1] * (_OWN[1] - _OWN[0])
    turnover = _TURNOVER[0] * (_TURNOVER[1] / _TURNOVER[0]) ** float(dice[2])
    return AssetSpec(
        symbol,
        price,
        ((MARKET, float(beta)), (FactorSpec(symbol, float(own)), 1.0)),
        max(1000.0, turnover / price),
    )


def _at_bse(asset: AssetSpec) -> AssetSpec:
    """The same share at the other exchange: nearly the same price, less volume."""
    loadings = (*asset.loadings, (_BSE_NOISE, 1.0))
    return AssetSpec(bse_asset(asset.name), asset.price, loadings, asset.volume * _BSE_VOLUME)


def _index(symbol: str, price: float) -> AssetSpec:
    own = FactorSpec(symbol, _INDEX_OWN.get(symbol, 0.003), 0.97 if symbol == VIX else 0.994)
    return AssetSpec(
        symbol,
        price,
        ((MARKET, _INDEX_BETA.get(symbol, 1.0)), (own, 1.0)),
        _INDEX_VOLUME.get(symbol, 500_000.0),
    )


def shipped(spec: UniverseSpec, seed: int) -> Iterator[AssetSpec]:
    """Assets of the shipped universe."""
    for row in spec.indices:
        yield _index(row.symbol, row.price)
    for equity in spec.equities:
        asset = _share(seed, equity.symbol, equity.price)
        yield asset
        if equity.bse is not None:
            yield _at_bse(asset)
    for other in spec.others:
        own = FactorSpec(other.asset, other.implied / math.sqrt(252.0))
        yield AssetSpec(other.asset, other.price, ((own, 1.0),), other.volume, other.implied)


def from_contracts(contracts: Iterable[Contract], seed: int) -> Iterator[AssetSpec]:
    """Assets of a universe file: spot rows first, then bases that only have derivatives."""
    seen: set[str] = set()
    for contract in sorted(contracts, key=lambda c: c.instrument.expiry is not None):
        if contract.asset in seen:
            continue
        seen.add(contract.asset)
        instrument = contract.instrument
        price = contract.first_price if not instrument.is_option else instrument.strike
        if instrument.is_index or parse(instrument.symbol).base in _INDEX_VOLUME:
            yield _index(contract.asset, price)
        elif instrument.exchange == "BSE":
            share = _share(seed, instrument.symbol, price)
            yield _at_bse(share)
        else:
            yield _share(seed, contract.asset, price)


def load(process: PriceProcess, assets: Iterable[AssetSpec]) -> None:
    """Make all assets known to the process."""
    for asset in assets:
        process.add(asset)

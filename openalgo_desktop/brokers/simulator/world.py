"""Builds the simulated market: universe, process, one quoter per contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeAlias, TypeVar

from openalgo_desktop.brokers.simulator import assets
from openalgo_desktop.brokers.simulator.pricing import Pricer
from openalgo_desktop.brokers.simulator.process import PriceProcess, cell_of, day_of
from openalgo_desktop.brokers.simulator.quotes import FrozenQuoter, Quoter
from openalgo_desktop.brokers.simulator.sessions import Sessions
from openalgo_desktop.brokers.simulator.universe import Contract, build, load_file, load_spec
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import ConfigError, SymbolUnknown
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.options_math import MIN_YEARS, SECONDS_PER_YEAR, implied_volatility

AnyQuoter: TypeAlias = Quoter | FrozenQuoter
_FALLBACK_SIGMA = 0.15
S = TypeVar("S")
V = TypeVar("V")


class OnDemand(Mapping[Key, V], Generic[S, V]):
    """A value for each key of ``source``, made when it is first asked for: of thousands of
    contracts a session looks at some dozens."""

    def __init__(self, source: Mapping[Key, S], make: Callable[[S], V]) -> None:
        self._source, self._make = source, make
        self._made: dict[Key, V] = {}

    def __getitem__(self, key: Key) -> V:
        value = self._made.get(key)
        if value is None:
            value = self._made[key] = self._make(self._source[key])
        return value

    def __contains__(self, key: object) -> bool:
        return key in self._source

    def __iter__(self) -> Iterator[Key]:
        return iter(self._source)

    def __len__(self) -> int:
        return len(self._source)

    def made(self) -> list[V]:
        """The values that exist."""
        return list(self._made.values())


@dataclass(frozen=True, slots=True)
class SimulatorOptions:
    """How the simulated market behaves (section 8 of the architecture note).

    ``rate`` is ticks per second over the whole universe; ``frozen`` prices move only by control;
    ``universe`` is a file of rows with first prices; ``always_open`` ignores hours.
    """

    seed: int = 20260822
    rate: float = 120.0
    frozen: bool = False
    universe: Path | None = None
    always_open: bool = True


class World:
    """All contracts of the simulated market with their prices (:class:`InstrumentLookup`)."""

    def __init__(self, clock: Clock, calendar: MarketCalendar, options: SimulatorOptions) -> None:
        self._clock = clock
        self._frozen = options.frozen
        self.sessions = Sessions(
            calendar,
            clock,
            options.always_open or options.frozen,
            weekends=options.always_open and not options.frozen,
        )
        self.process = PriceProcess(options.seed)
        spec = load_spec()
        now = clock.time()
        if options.universe is not None:
            contracts = load_file(options.universe, spec)
            assets.load(self.process, assets.from_contracts(contracts, options.seed))
        else:
            assets.load(self.process, assets.shipped(spec, options.seed))
            today = clock.now().date()
            opening = cell_of(now).day
            contracts = build(
                spec, calendar, today, lambda name: self.process.open_level(name, opening)
            )
        self._contracts = {c.instrument.key: c for c in contracts}
        self.pricers = OnDemand(self._contracts, lambda c: Pricer(c, self.process))
        if options.universe is not None:
            self._anchor(contracts, now)
        self._opened = now
        self.quoters: OnDemand[Contract, AnyQuoter] = OnDemand(self._contracts, self._quoter)

    def _quoter(self, contract: Contract) -> AnyQuoter:
        pricer = self.pricers[contract.instrument.key]
        if self._frozen:
            first = contract.first_price or pricer.at(self._opened)
            return FrozenQuoter(pricer.instrument, first, self._clock)
        volume = self.process.spec(pricer.contract.asset).volume
        return Quoter(pricer, self.sessions, self._clock, volume)

    def instruments(self) -> list[Instrument]:
        """The symbol master."""
        return [contract.instrument for contract in self._contracts.values()]

    def get(self, key: Key) -> Instrument | None:
        """The instrument of (exchange, symbol), or None."""
        contract = self._contracts.get(key)
        return None if contract is None else contract.instrument

    def require(self, symbol: str, exchange: str) -> Instrument:
        """The instrument, or :class:`SymbolUnknown`."""
        instrument = self.get((exchange, symbol))
        if instrument is None:
            raise SymbolUnknown(symbol, exchange)
        return instrument

    # -- a universe file: first prices ------------------------------------------------------
    def _anchor(self, contracts: list[Contract], now: float) -> None:
        """Let the process pass through the file's prices at the present moment."""
        spots: dict[str, float] = {}
        ordered = sorted(
            contracts, key=lambda c: (c.instrument.expiry is not None, c.instrument.is_option)
        )
        for contract in ordered:
            if contract.asset not in spots:
                own = not contract.instrument.is_option
                price = contract.first_price if own else contract.instrument.strike
                spots[contract.asset] = price
                self.process.anchor(contract.asset, now, price)
        bases = {
            (c.asset, c.instrument.expiry): c.first_price / spots[c.asset]
            for c in contracts
            if c.instrument.instrument_type == "FUT"
        }
        for contract in contracts:
            if contract.instrument.expiry is not None:
                ratio = bases.get((contract.asset, contract.instrument.expiry), 1.0)
                pricer = self.pricers[contract.instrument.key]
                pricer.set_basis(ratio)
                if contract.instrument.is_option:
                    pricer.set_sigma(self._file_sigma(contract, ratio * spots[contract.asset], now))

    def _file_sigma(self, contract: Contract, forward: float, now: float) -> float:
        instrument = contract.instrument
        expiry = day_of(instrument.expiry) if instrument.expiry else 0
        years = max(MIN_YEARS, (expiry * 86_400 + 10 * 3600 - now) / SECONDS_PER_YEAR)
        sigma = implied_volatility(
            contract.first_price,
            forward,
            instrument.strike,
            years,
            0.0,
            instrument.instrument_type == "CE",
        )
        return float(sigma) if float(sigma) > 0 else _FALLBACK_SIGMA

    # -- control ----------------------------------------------------------------------------
    def set_price(self, key: Key, price: float) -> None:
        """Move one price now. An asset takes its derivatives with it, and an index the market;
        a derivative moves alone. Raises :class:`ConfigError` for an unknown instrument."""
        quoter = self.quoters.get(key)
        if quoter is None:
            raise ConfigError(f"prices: {key[0]}:{key[1]} is not in the simulated market.")
        if price <= 0:
            raise ConfigError(f"prices: {key[0]}:{key[1]} must be above 0.")
        if isinstance(quoter, FrozenQuoter):
            quoter.move(price)
            return
        pricer = quoter.pricer
        moment = quoter.moment()
        if pricer.instrument.expiry is None:
            self.process.shock(pricer.contract.asset, moment, price)
        else:
            pricer.move(moment, price / pricer.at(moment))
        self.reset()

    def reset(self) -> None:
        """Let every quoter compute its day anew."""
        for quoter in self.quoters.made():
            if isinstance(quoter, Quoter):
                quoter.reset()

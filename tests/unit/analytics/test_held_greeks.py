"""Greeks of held options: on the future of the expiry, on the spot, and where they are unknown."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from openalgo_desktop.analytics.contracts import Contracts
from openalgo_desktop.analytics.held_greeks import LINEAR, HeldOptions
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument, Key

EXPIRY = date(2026, 12, 29)


def option(kind: str, day: date = EXPIRY, strike: float = 24000.0) -> Instrument:
    text = f"NIFTY{day:%d%b%y}".upper() + f"{strike:.0f}{kind}"
    return Instrument(
        text, "NFO", "NIFTY", kind, expiry=day, strike=strike, lot_size=75, tick_size=0.05
    )


CALL, PUT = option("CE"), option("PE")
WEEKLY = option("CE", date(2026, 12, 1))
FUTURE = Instrument("NIFTY29DEC26FUT", "NFO", "NIFTY", "FUT", expiry=EXPIRY, lot_size=75)
SHARE = Instrument("SBIN", "NSE")
INDEX: Key = ("NSE_INDEX", "NIFTY")


class World:
    def __init__(self) -> None:
        self.clock = ManualClock(datetime(2026, 11, 30, 10, 0, tzinfo=IST))
        self.prices: dict[Key, float] = {INDEX: 24000.0, FUTURE.key: 24100.0}
        index = Instrument("NIFTY", "NSE_INDEX", "NIFTY", "INDEX")
        table = InstrumentTable.of([CALL, PUT, WEEKLY, FUTURE, SHARE, index])
        contracts = Contracts(table, None)  # type: ignore[arg-type]
        self.held = HeldOptions(table, contracts, self.clock, self.prices.get)


@pytest.fixture
def world() -> World:
    return World()


def test_an_option_rests_on_the_future_of_its_expiry_else_on_the_index(world: World) -> None:
    assert world.held.source(CALL.key) == FUTURE.key
    assert world.held.source(WEEKLY.key) == INDEX
    assert world.held.source(FUTURE.key) is None is world.held.source(SHARE.key)


def test_a_call_and_a_put(world: World) -> None:
    world.prices[CALL.key], world.prices[PUT.key] = 450.0, 350.0  # parity on the future
    keys = [CALL.key, PUT.key, FUTURE.key]
    assert world.held.solve(keys) and not world.held.solve(keys)  # the same prices: nothing to do
    call, put = world.held.of(CALL.key), world.held.of(PUT.key)
    assert call is not None and put is not None and call.iv is not None and put.iv is not None
    assert call.delta - put.delta == pytest.approx(1.0, abs=1e-3)
    assert call.gamma == pytest.approx(put.gamma, rel=1e-3) and call.gamma > 0
    assert call.theta < 0 < call.vega and call.iv == pytest.approx(put.iv, abs=0.05)
    world.prices[CALL.key] = 500.0
    assert world.held.solve(keys)
    dearer = world.held.of(CALL.key)
    assert dearer is not None and dearer.iv is not None and dearer.iv > call.iv


def test_what_is_not_known_is_none(world: World) -> None:
    assert world.held.solve([CALL.key]) and world.held.of(CALL.key) is None  # no price yet
    world.prices[CALL.key] = 50.0  # less than it is worth at once
    world.held.solve([CALL.key])
    assert world.held.of(CALL.key) is None
    world.prices[CALL.key] = 450.0
    world.held.solve([CALL.key])
    assert world.held.of(CALL.key) is not None
    del world.prices[FUTURE.key]
    world.held.solve([CALL.key])
    assert world.held.of(CALL.key) is None
    world.prices[FUTURE.key] = 24100.0
    world.clock.advance(40 * 86_400)  # expired
    world.held.solve([CALL.key])
    assert world.held.of(CALL.key) is None
    assert world.held.of(("NFO", "NOBODY")) is None and world.held.source(("NFO", "NOBODY")) is None


def test_shares_and_futures_move_one_by_one(world: World) -> None:
    assert world.held.of(SHARE.key) is LINEAR is world.held.of(FUTURE.key)

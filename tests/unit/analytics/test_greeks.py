"""Greeks of single options: one rule for the forward, texts, one pass for many."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from openalgo_desktop.analytics import greeks as greeks_desk
from openalgo_desktop.analytics.chain import ChainBook
from openalgo_desktop.analytics.contracts import ContractError
from openalgo_desktop.analytics.greeks import GreeksDesk, GreeksRequest, Task, valued
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.options_math import SECONDS_PER_YEAR, greeks, implied_volatility, price
from openalgo_desktop.core.ticks import Tick
from tests.costs import Calls
from tests.unit.analytics.test_chain import NOW, STRIKES, world

CALL = "NIFTY29DEC2626000CE"


class Rig:
    """NIFTY at 26000 with a carry of 120 in its options."""

    def __init__(self) -> None:
        self.hub, self.table, self.clock = world()
        for strike in STRIKES:
            for kind in ("CE", "PE"):
                years = (1_798_538_400 - NOW.timestamp()) / SECONDS_PER_YEAR
                fair = float(price(26120.0, strike, years, 0.14, 0.0, kind == "CE"))
                self.publish(f"NIFTY29DEC26{strike:g}{kind}", fair)
        self.book = ChainBook(self.hub, self.table, self.clock)
        self.desk = GreeksDesk(self.book, self.table, self.clock)

    def publish(self, symbol: str, ltp: float, exchange: str = "NFO") -> None:
        self.hub.publish(Tick(symbol, exchange, ltp, FeedMode.QUOTE))

    async def refused(self, **fields: Any) -> tuple[int, str]:
        with pytest.raises(ContractError) as caught:
            await self.desk.one(GreeksRequest(**({"symbol": CALL, "exchange": "NFO"} | fields)))
        return caught.value.http_status, caught.value.message


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_naming_the_own_underlying_changes_nothing(rig: Rig) -> None:
    plain = await rig.desk.one(GreeksRequest(CALL, "NFO"))
    assert plain["spot_price"] == pytest.approx(26120.0, abs=0.02)
    for symbol, exchange in (
        ("NIFTY", ""),
        ("NIFTY", "NSE_INDEX"),
        ("", "NSE_INDEX"),
        ("NIFTY", "NFO"),
    ):
        named = GreeksRequest(CALL, "NFO", underlying_symbol=symbol, underlying_exchange=exchange)
        assert await rig.desk.one(named) == plain
        assert await rig.desk.many([named]) == [plain]


async def test_another_underlying_is_taken_at_its_price(rig: Rig) -> None:
    rig.table.load([*rig.table.rows(), Instrument("NIFTY29DEC26FUT", "NFO", "NIFTY", "FUT",
                                                  expiry=date(2026, 12, 29))])  # fmt: skip
    rig.publish("NIFTY29DEC26FUT", 26100.0)
    named = GreeksRequest(
        CALL, "NFO", underlying_symbol="NIFTY29DEC26FUT", underlying_exchange="NFO"
    )
    assert (await rig.desk.one(named))["spot_price"] == 26100.0


async def test_chain_greeks_and_synthetic_future_agree_on_the_forward(rig: Rig) -> None:
    underlying = rig.book.contracts.underlying("NIFTY", "NSE_INDEX", "29DEC26", NOW.date())
    chain = await rig.book.build(underlying, 2, True)
    _, atm, synthetic = await rig.book.synthetic(underlying)
    one = await rig.desk.one(GreeksRequest(CALL, "NFO"))
    assert atm == chain.atm == 26000.0
    assert chain.forward == synthetic
    assert one["spot_price"] == round(synthetic, 2)
    (leg,) = [row.ce for row in chain.strikes if row.strike == 26000.0]
    assert leg is not None
    assert leg.greeks is not None
    assert leg.greeks[0] == one["implied_volatility"]
    assert leg.greeks[1] == one["greeks"]["delta"]


async def test_without_prices_at_the_money_the_underlying_is_the_forward(rig: Rig) -> None:
    rig.publish("NIFTY29DEC2626000PE", 0.0)
    underlying = rig.book.contracts.underlying("NIFTY", "NSE_INDEX", "29DEC26", NOW.date())
    assert (await rig.book.build(underlying, 2, True)).forward == 26000.0
    other = await rig.desk.one(GreeksRequest("NIFTY29DEC2626500CE", "NFO"))
    assert other["spot_price"] == 26000.0
    with pytest.raises(ContractError, match="Could not fetch LTP for Put option: NIFTY29DEC26"):
        await rig.book.synthetic(underlying)


async def test_texts_of_what_has_no_price(rig: Rig) -> None:
    rig.publish("NIFTY29DEC2627000CE", 0.0)
    unknown = "Symbol 'nifty29dec2626000ce' not found for exchange 'NFO'."
    status, text = await rig.refused(symbol=CALL.lower())
    assert status == 400
    assert text.startswith(f"Failed to fetch option price: {unknown}")
    status, text = await rig.refused(symbol="NIFTY29DEC2627000CE")
    assert (status, text) == (404, "Option LTP not available")
    _, text = await rig.refused(underlying_symbol="NOPE")
    assert text.startswith("Failed to fetch underlying price: Symbol 'NOPE' not found")

    answers = await rig.desk.many(
        [
            GreeksRequest("NIFTY29DEC2627000CE", "NFO"),
            GreeksRequest(CALL.lower(), "NFO"),
            GreeksRequest(CALL, "NFO", underlying_symbol="NOPE"),
            GreeksRequest(CALL, "NFO"),
            GreeksRequest("SBIN", "NFO"),
        ]
    )
    assert [answer.get("message") for answer in answers] == [
        "Option LTP not available",
        "Option LTP not available",
        "Underlying LTP not available",
        None,
        "Failed to get option Greeks: Failed to parse option symbol SBIN: "
        "Invalid option symbol format: SBIN",
    ]
    assert [answer["status"] for answer in answers].count("error") == 4


async def test_many_are_one_by_one(rig: Rig) -> None:
    wanted = [
        GreeksRequest(f"NIFTY29DEC26{strike:g}{kind}", "NFO", rate)
        for strike in STRIKES[::20]
        for kind in ("CE", "PE")
        for rate in (None, 6.5)
    ]
    assert await rig.desk.many(wanted) == [await rig.desk.one(request) for request in wanted]


def test_one_pass_gives_the_numbers_of_the_scalar_solver() -> None:
    tasks = [
        Task(call, strike, 26120.0, premium, days * 86_400.0)
        for call in (True, False)
        for strike in (22000.0, 26000.0, 26500.0, 31000.0)
        for premium in (0.05, 390.25, 4200.0)
        for days in (0.001, 2.0, 37.0)
    ]
    for task, found in zip(tasks, valued(tasks, 6.5), strict=True):
        years = max(task.seconds / SECONDS_PER_YEAR, 0.0001)
        sigma = float(
            implied_volatility(task.premium, task.forward, task.strike, years, 0.065, task.call)
        )
        if not sigma > 0:
            assert found["implied_volatility"] == 0
            assert found["greeks"]["gamma"] == 0
            continue
        g = greeks(task.forward, task.strike, years, sigma, 0.065, task.call)
        assert found["implied_volatility"] == round(sigma * 100, 2)
        assert found["greeks"]["delta"] == round(float(g.delta), 4)
        assert found["greeks"]["rho"] == round(float(g.rho), 6)


async def test_fifty_are_solved_in_one_pass(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    solved: list[int] = []

    def volatility(premium: np.ndarray, *rest: Any) -> Any:
        solved.append(len(premium))
        return implied_volatility(premium, *rest)

    monkeypatch.setattr(greeks_desk, "implied_volatility", volatility)
    wanted = [
        GreeksRequest(f"NIFTY29DEC26{strike:g}{kind}", "NFO")
        for strike in STRIKES[60:85]
        for kind in ("CE", "PE")
    ]
    with Calls() as one:
        await rig.desk.many(wanted[:1])
    with Calls() as fifty:
        await rig.desk.many(wanted)
    assert solved == [1, 50]
    assert fifty.count < 10 * one.count  # about 6: the forward, too, is made once

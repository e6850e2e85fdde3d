"""The doors to option chains and baskets, against a running terminal."""

from __future__ import annotations

import pytest

from openalgo_desktop.core.basket import Basket, LineResult, LineState
from openalgo_desktop.core.chain import ChainName
from openalgo_desktop.core.enums import Action, Mode, PriceType, Product
from openalgo_desktop.core.errors import ConfigError, OrderError
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.ui.engine.chain import ChainView
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive
from tests.waiting import until

NIFTY = ("NSE_INDEX", "NIFTY")


def opened(session: Session, solved: list[set[int]]) -> ChainView:
    door = session.bridge.chains
    row = session.bridge.instrument(NIFTY)
    assert row is not None
    family = door.family(row)
    assert family is not None
    name = ChainName(family, door.expiries(family)[0])
    return door.open(name, lambda: True, solved.append, span=5)


@pytest.mark.docks("watchlist", "chart", "depth", "positions", "orders")
def test_a_chain_fills_and_is_let_go(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        hub = session.terminal.hub
        await until(lambda: hub.subscribed, "the window's own prices")
        solved: list[set[int]] = []
        view = opened(session, solved)
        assert len(view.rows) > 11
        before = hub.subscribed

        def ready() -> bool:
            view.take()
            atm = next((row for row in view.rows if row.strike == view.head.atm), None)
            return atm is not None and atm.call is not None and atm.call.iv is not None

        await until(ready, "figures at the money")
        assert view.head.forward is not None
        assert view.seconds > 0
        assert session.bridge.chains.open_views == 1
        await until(lambda: hub.subscribed >= before + 20, "the chain's own prices")
        view.close()
        assert session.bridge.chains.open_views == 0
        await until(lambda: hub.subscribed <= before, "prices let go")
        count = len(solved)
        view._solve()
        assert len(solved) == count

    drive(scenario)


def test_views_that_stay_open_end_with_the_bridge(drive: Drive) -> None:
    views: list[ChainView] = []

    async def scenario(session: Session) -> None:
        views.extend(opened(session, []) for _ in range(3))

    drive(scenario)
    assert len(views) == 3
    assert not any(view.stirred for view in views)
    assert all(view._chain._channel.keys == frozenset() for view in views)


async def lines(session: Session) -> tuple[OrderRequest, ...]:
    """A hedge and what it hedges, in the order that needs turning."""
    view = opened(session, [])

    def ready() -> float | None:
        view.take()
        return view.head.atm

    await until(ready, "the money")
    place = next(n for n, row in enumerate(view.rows) if row.strike == view.head.atm)
    near, far = view.rows[place].call, view.rows[place + 2].call
    assert near is not None and far is not None
    view.close()
    for leg in (near, far):
        await session.bridge.snapshot(leg.key)
    return tuple(
        OrderRequest(
            leg.row.symbol, "NFO", action, leg.row.lot_size, PriceType.MARKET, Product.NRML
        )
        for leg, action in ((near, Action.SELL), (far, Action.BUY))
    )


def test_margin_with_its_benefit_and_sending_buys_first(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        bridge = session.bridge
        bridge.set_setting("sandbox.margin_model", "span")
        basket = Basket(await lines(session))
        margin = await bridge.baskets.margin(basket)
        assert margin.note == ""
        assert margin.whole is not None and margin.alone is not None and margin.peak is not None
        assert 0 < margin.whole < margin.alone
        assert margin.benefit == pytest.approx(margin.alone - margin.whole)
        assert margin.peak >= margin.whole

        told: list[tuple[int, LineState]] = []

        def on_line(place: int, result: LineResult) -> None:
            told.append((place, result.state))

        results = await bridge.baskets.send(basket, Mode.SANDBOX, on_line)
        assert [row.state for row in results] == [LineState.SENT] * 2, results
        assert [place for place, state in told if state is LineState.SENT] == [1, 0]
        with pytest.raises(OrderError, match="the mode was switched"):
            await bridge.baskets.send(basket, Mode.LIVE, on_line)

    drive(scenario)


def test_baskets_are_kept_by_name(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        door = session.bridge.baskets
        basket = Basket(await lines(session), stop=False)
        await door.save(" Condor ", basket)
        await door.save("bull call", Basket(basket.lines[:1]))
        assert await door.names() == ["bull call", "Condor"]
        assert await door.load("Condor") == basket
        await door.delete("Condor")
        with pytest.raises(ConfigError, match="no basket named Condor"):
            await door.load("Condor")
        with pytest.raises(ConfigError, match="a name of 1 to 40"):
            await door.save("  ", basket)
        await session.terminal.state.put("baskets", "broken", {"lines": 7})
        with pytest.raises(ConfigError, match="cannot be read"):
            await door.load("broken")

    drive(scenario)

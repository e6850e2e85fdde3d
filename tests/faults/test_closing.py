"""Named cases of closing: at a broker that is only polled, and with the mode switched meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from openalgo_desktop.core.enums import Action, Mode, Product
from openalgo_desktop.core.errors import AppError, OrderError
from openalgo_desktop.core.model import OrderAck, OrderRequest
from openalgo_desktop.trading import underway
from tests.faults.closing import Closing, Line, quick, run

KEY = ("NSE", "SBIN", Product.MIS)


@pytest.mark.parametrize("switching", [False, True], ids=["one mode", "switching"])
@pytest.mark.parametrize("push", [False, True], ids=["polled", "pushed"])
async def test_exits_of_all_kinds_at_once(tmp_path: Path, push: bool, switching: bool) -> None:
    """Never twice, never beyond the position, nothing lost, nothing in the other mode."""
    seed = 100 + 2 * push + switching
    counts = await run(tmp_path, seed, 1, push=push, switching=switching)
    assert counts["rounds"] == 1 and counts["close"] + counts["close all"] >= 5


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Closing]:
    """A broker without an order push, and a paper account; a good line."""
    monkeypatch.setattr(underway, "LAG", 0.2)
    monkeypatch.setattr(underway, "AGAIN", 0.02)
    with quick():
        made = Closing(tmp_path, 1, push=False, switching=True)
        made.answer = 30.0  # a busy machine takes its time
        await made.start()
        yield made
        await made.stop()


def line_of(desk: Closing, mode: Mode) -> Line:
    return desk.lines[mode]


async def hold(desk: Closing, units: int, mode: Mode = Mode.LIVE) -> None:
    """Own ``units`` of SBIN in ``mode``; the switch stays there."""
    await desk.desk.set_mode(mode, "test")
    order = OrderRequest("SBIN", "NSE", Action.BUY, units, product=Product.MIS)
    desk.began["entry"] = mode
    await desk.desk.place(order, "entry")
    await desk._peace()
    assert line_of(desk, mode).held["SBIN"] == units


async def test_closings_between_two_polls(desk: Closing) -> None:
    """Nobody has told of the first exit when the others come, in sequence and at once."""
    await hold(desk, 10)
    line = line_of(desk, Mode.LIVE)
    await line.poller.stop()  # the next poll is far away
    await desk.desk.closing.close_position("SBIN", "NSE", Product.MIS, "one")
    await desk.desk.closing.close_all("two")
    for source in ("three", "four"):
        try:
            await desk.desk.closing.close_position("SBIN", "NSE", Product.MIS, source)
        except OrderError as error:  # its exit is on its way
            assert "nothing was sent" in error.message
    await asyncio.gather(
        *(desk.desk.closing.close_all(f"more{n}") for n in range(3)), return_exceptions=True
    )
    line.poller.start()
    await desk._peace()
    assert line.path["SBIN"] == [0, 10, 0] and line.held["SBIN"] == 0


async def test_a_switch_before_the_exit_leaves_stops_it(
    desk: Closing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was begun live: it neither goes on in the paper account nor closes what that holds."""
    await hold(desk, 7, Mode.SANDBOX)
    await hold(desk, 10, Mode.LIVE)
    live, paper = line_of(desk, Mode.LIVE), line_of(desk, Mode.SANDBOX)
    read = live.positions

    async def switched_meanwhile():  # type: ignore[no-untyped-def]
        rows = await read()
        await desk.desk.set_mode(Mode.SANDBOX, "test")
        return rows

    monkeypatch.setattr(live, "positions", switched_meanwhile)
    with pytest.raises(OrderError, match="The mode was switched to sandbox"):
        await desk.desk.closing.close_position("SBIN", "NSE", Product.MIS, "close")
    await desk.desk.set_mode(Mode.LIVE, "test")
    result = await desk.desk.closing.close_all("close all")
    assert (result.closed, result.failed, result.mode) == (0, 1, Mode.LIVE)
    assert "The mode was switched" in result.errors[0]
    await desk._peace()
    assert (live.held["SBIN"], paper.held["SBIN"]) == (10, 7)


async def test_a_switch_between_the_slices_of_an_exit(
    desk: Closing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is out is told; the rest is not sent to the other account."""
    rows = await desk.account.instruments()
    future = next(row for row in rows if row.key == ("NFO", "NIFTY29DEC26FUT"))
    slice_ = 2 * future.lot_size
    desk.instruments.load([msgspec.structs.replace(future, freeze_qty=slice_)])
    units = slice_ + 2 * future.lot_size
    desk.began |= dict.fromkeys(("entry", "more", "close", "rest"), Mode.LIVE)
    live, paper = line_of(desk, Mode.LIVE), line_of(desk, Mode.SANDBOX)
    for source, quantity in (("entry", slice_), ("more", units - slice_)):
        order = OrderRequest(future.symbol, "NFO", Action.BUY, quantity, product=Product.NRML)
        await desk.desk.place(order, source)
        await desk._peace()
    assert live.held[future.symbol] == units
    place = live.place

    async def then_switch(request: OrderRequest, tag: str) -> OrderAck:
        ack = await place(request, tag)
        await desk.desk.set_mode(Mode.SANDBOX, "test")
        return ack

    monkeypatch.setattr(live, "place", then_switch)
    with pytest.raises(AppError, match="The mode was switched") as caught:
        await desk.desk.closing.close_position(future.symbol, "NFO", Product.NRML, "close")
    assert len(caught.value.sent) == 1 and "Already sent: 1 of 2 parts" in caught.value.message
    monkeypatch.setattr(live, "place", place)
    await desk._peace()
    assert not paper.held[future.symbol]
    left = live.held[future.symbol]
    assert 0 < left < units
    await desk.desk.set_mode(Mode.LIVE, "test")
    await desk.desk.closing.close_position(future.symbol, "NFO", Product.NRML, "rest")
    await desk._peace()
    assert live.held[future.symbol] == 0
    await desk.check()


async def test_an_exit_whose_answer_is_lost_at_a_polled_broker(
    desk: Closing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be there: until the book tells, further exits send nothing; then the rest goes."""
    await hold(desk, 10)
    live = line_of(desk, Mode.LIVE)
    monkeypatch.setattr(live, "_draw", lambda table, kind: "acknowledgement lost")
    live.on = True
    with pytest.raises(AppError, match="unknown"):
        await desk.desk.closing.close_position("SBIN", "NSE", Product.MIS, "close")
    live.on = False
    await asyncio.gather(
        *(desk.desk.closing.close_position("SBIN", "NSE", Product.MIS, f"c{n}") for n in range(3)),
        desk.desk.closing.close_all("all"),
        return_exceptions=True,
    )
    await desk._peace()
    assert live.path["SBIN"] == [0, 10, 0]

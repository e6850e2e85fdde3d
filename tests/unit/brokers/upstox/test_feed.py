"""The codecs of Upstox' two feeds."""

from __future__ import annotations

import json
import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.brokers.kit.feed.codec import Failure, OrderRow
from openalgo_desktop.brokers.upstox.feed import OrderCodec, UpstoxCodec
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import SymbolUnknown
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.ticks import Part, Tick
from tests.contract.rig import open_rig
from tests.unit.brokers.upstox.feed_frames import codec, frame
from tests.waiting import until

CLOCK = ManualClock(datetime(2026, 12, 1, 13, 30, tzinfo=IST))
A, B = ("NFO", "S0"), ("NFO", "S1")


def asked(frames: Any) -> list[tuple[str, str, list[str]]]:
    """What frames ask for; they are binary."""
    assert all(isinstance(data, bytes) for data in frames)
    found = [json.loads(data) for data in frames]
    assert all(len(message["guid"]) == 20 for message in found)
    return [(m["method"], m["data"].get("mode", ""), m["data"]["instrumentKeys"]) for m in found]


def fresh() -> UpstoxCodec:
    table = InstrumentTable()
    table.load(Instrument(symbol=f"S{n}", exchange="NFO", token=f"NSE_FO|{n}") for n in range(3))
    return UpstoxCodec(table, CLOCK)


def test_a_mode_has_its_word_and_a_move_ends_the_old_one() -> None:
    made = fresh()
    both = {A: FeedMode.LTP, B: FeedMode.QUOTE}
    assert asked(made.subscribe(both)) == [
        ("sub", "ltpc", ["NSE_FO|0"]), ("sub", "full", ["NSE_FO|1"]),
    ]  # fmt: skip
    assert asked(made.subscribe({A: FeedMode.DEPTH, B: FeedMode.DEPTH})) == [
        ("unsub", "", ["NSE_FO|0"]), ("sub", "full", ["NSE_FO|0", "NSE_FO|1"]),
    ]  # fmt: skip
    made.deepen({B: 30})
    assert asked(made.subscribe({B: FeedMode.DEPTH})) == [
        ("unsub", "", ["NSE_FO|1"]), ("sub", "full_d30", ["NSE_FO|1"]),
    ]  # fmt: skip
    made.deepen({B: 5})
    assert asked(made.subscribe({B: FeedMode.DEPTH}))[1] == ("sub", "full", ["NSE_FO|1"])
    assert asked(made.unsubscribe([A, ("NFO", "GONE")])) == [("unsub", "", ["NSE_FO|0"])]
    assert made.unsubscribe([("NFO", "GONE")]) == []
    assert asked(made.subscribe({A: FeedMode.LTP})) == [("sub", "ltpc", ["NSE_FO|0"])]
    with pytest.raises(SymbolUnknown):
        made.subscribe({("NFO", "GONE"): FeedMode.LTP})


def test_a_quote_has_the_best_prices_and_no_book() -> None:
    data = frame(["full"], random.Random(2))
    (quote,) = codec(1, CLOCK, FeedMode.QUOTE).decode(data)
    (full,) = codec(1, CLOCK, FeedMode.DEPTH).decode(data)
    assert isinstance(quote, Tick) and isinstance(full, Tick)
    assert quote.mode is FeedMode.QUOTE and quote.depth is None and full.depth is not None
    best = full.depth.buy[0], full.depth.sell[0]
    assert (quote.bid, quote.bid_quantity) == (best[0].price, best[0].quantity)
    assert (quote.ask, quote.ask_quantity) == (best[1].price, best[1].quantity)
    assert quote.knows(Part.QUOTE) and full.knows(Part.ALL)


def test_what_an_update_leaves_out_is_unknown_but_the_day_that_was_told() -> None:
    from tests.unit.brokers.kit.protobuf_tables import UPSTOX

    response = UPSTOX.message("FeedResponse")()
    response.feeds["NSE_FO|0"].fullFeed.marketFF.vtt = 7
    bare = response.SerializeToString()
    made = codec(1, CLOCK)
    (tick,) = made.decode(bare)
    assert isinstance(tick, Tick) and tick.volume == 7
    assert tick.parts == Part.OI
    (whole,) = made.decode(frame(["full"], random.Random(3)))
    (tick,) = made.decode(bare)
    assert isinstance(tick, Tick) and isinstance(whole, Tick)
    assert tick.parts == Part.OI | Part.DAY
    assert (tick.open, tick.high, tick.low) == (whole.open, whole.high, whole.low)


def test_nothing_is_for_nothing_and_an_empty_message_is_no_empty_book() -> None:
    """A position that is valued at 0 is a loss that nobody has."""
    from tests.unit.brokers.kit.protobuf_tables import UPSTOX

    response = UPSTOX.message("FeedResponse")()
    response.feeds["NSE_FO|0"].ltpc.cp = 5.0
    response.feeds["NSE_FO|1"].fullFeed.SetInParent()
    response.feeds["NSE_FO|2"].fullFeed.marketFF.ltpc.cp = 5.0
    response.feeds["NSE_FO|3"].fullFeed.indexFF.ltpc.cp = 5.0
    ticks = list(codec(4, CLOCK).decode(response.SerializeToString()))
    assert sorted(t.symbol for t in ticks if isinstance(t, Tick)) == ["S2", "S3"]
    assert not any(tick.knows(Part.LTP) for tick in ticks if isinstance(tick, Tick))


@pytest.mark.parametrize("field", ["oi", "tbq", "tsq"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_count_that_is_no_number_costs_no_other_tick(field: str, value: float) -> None:
    from tests.unit.brokers.kit.protobuf_tables import UPSTOX

    response = UPSTOX.message("FeedResponse")()
    odd = response.feeds["NSE_FO|0"].fullFeed.marketFF
    odd.ltpc.ltp, odd.vtt = 7.0, 3
    setattr(odd, field, value)
    response.feeds["NSE_FO|1"].ltpc.ltp = 8.0
    ticks = {t.symbol: t for t in codec(2, CLOCK).decode(response.SerializeToString())}
    assert (ticks["S0"].ltp, ticks["S1"].ltp) == (7.0, 8.0)
    assert not ticks["S0"].parts & (Part.OI | Part.DAY)


def test_the_close_before_stays_where_an_update_has_no_last_trade() -> None:
    from tests.unit.brokers.kit.protobuf_tables import UPSTOX

    made, response = codec(1, CLOCK), UPSTOX.message("FeedResponse")()
    full = response.feeds["NSE_FO|0"].fullFeed.marketFF
    full.ltpc.ltp, full.ltpc.cp = 7.0, 6.5
    full.marketOHLC.ohlc.add(interval="1d", open=6.0, high=8.0, low=5.0)
    (tick,) = made.decode(response.SerializeToString())
    full.ClearField("ltpc")
    for bars in (full.marketOHLC.ohlc, ()):
        if not bars:
            full.ClearField("marketOHLC")
        (tick,) = made.decode(response.SerializeToString())
        assert tick.knows(Part.DAY) and (tick.close, tick.high) == (6.5, 8.0)


def test_a_batch_with_an_unknown_instrument_moves_nothing() -> None:
    """Else the others would be asked for again without the end of their former mode."""
    made = fresh()
    made.subscribe({A: FeedMode.LTP})
    with pytest.raises(SymbolUnknown):
        made.subscribe({A: FeedMode.DEPTH, ("NFO", "GONE"): FeedMode.LTP})
    assert asked(made.subscribe({A: FeedMode.DEPTH})) == [
        ("unsub", "", ["NSE_FO|0"]), ("sub", "full", ["NSE_FO|0"]),
    ]  # fmt: skip


def test_what_cannot_be_read_and_what_nobody_asked_for() -> None:
    made = codec(1, CLOCK)
    data = frame(["ltpc", "ltpc"], random.Random(1))
    assert len(list(made.decode(data))) == 1  # the second is not subscribed
    for bad in (data[:-3], b"\xff\xff", "text"):
        (event,) = made.decode(bad)
        assert isinstance(event, Failure)
    made.unsubscribe([A])
    assert list(made.decode(data)) == []
    vectors = json.loads(Path("tests/data/vectors/wire/upstox.json").read_text("utf-8"))
    info = next(case for case in vectors["stream"] if case["id"] == "market_info")
    assert list(made.decode(bytes.fromhex(info["packets"][0]["hex"]))) == []


def test_only_orders_of_the_portfolio_stream_count() -> None:
    made = OrderCodec(InstrumentTable(), CLOCK)
    order = {"update_type": "order", "order_id": "1"}
    assert list(made.decode(json.dumps(order))) == [OrderRow(order)]
    assert list(made.decode('{"update_type":"position"}')) == []
    for bad in ("{", "[]", "7"):
        (event,) = made.decode(bad)
        assert isinstance(event, Failure)
    assert made.subscribe({A: FeedMode.LTP}) == made.unsubscribe([A]) == ()


async def test_thirty_levels_for_who_wants_them(tmp_path: Path) -> None:
    """Over the account's own market: the fullest wish holds, its end gives five again."""
    async with open_rig("upstox", tmp_path) as rig:
        await rig.login()
        row = rig.row("NSE")
        await rig.account.market.subscribe({row.key: FeedMode.DEPTH})

        def levels() -> int:
            books = [t.depth for t in rig.ticks if t.key == row.key and t.depth is not None]
            return len(books[-1].buy) if books else 0

        await until(lambda: levels() == 5, "the usual book")
        end = rig.account.market.deepen(row.key, 30)
        await until(lambda: levels() == 30, "the deep book")
        last = next(t.depth for t in reversed(rig.ticks) if t.key == row.key and t.depth)
        assert [level.price for level in last.buy] == sorted(
            (level.price for level in last.buy), reverse=True
        )
        end()
        await until(lambda: levels() == 5, "the usual book again")

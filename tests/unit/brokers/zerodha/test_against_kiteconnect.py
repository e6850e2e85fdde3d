"""The ticker codec against Zerodha's own parser, field by field, on generated packets."""

from __future__ import annotations

import struct
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec.structs import asdict

from openalgo_desktop.brokers.zerodha.ticker import KiteCodec
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.ticks import Tick
from tests import side_env
from tests.unit.brokers.zerodha.kite_frames import frame, random_packets

REQUIREMENTS = ("kiteconnect==5.2.2",)
SCRIPT = Path("tests/side/kite_ticker.py")
MODE = {FeedMode.LTP: "ltp", FeedMode.QUOTE: "quote", FeedMode.DEPTH: "full"}
PACKETS = 6000


def same_words(tick: Tick, token: int) -> dict[str, Any]:
    """Our tick in the words of the official parser; absent where that has no such field."""
    index = token & 0xFF == 9
    words: dict[str, Any] = {
        "tradable": not index,
        "mode": MODE[tick.mode],
        "instrument_token": token,
        "last_price": tick.ltp,
    }
    if tick.mode is FeedMode.LTP:
        return words
    words["ohlc"] = {
        "open": tick.open, "high": tick.high, "low": tick.low, "close": tick.close,
    }  # fmt: skip
    if not index:
        words |= {
            "last_traded_quantity": tick.last_quantity,
            "average_traded_price": tick.average_price,
            "volume_traded": tick.volume,
            "total_buy_quantity": tick.total_buy_quantity,
            "total_sell_quantity": tick.total_sell_quantity,
        }
    if tick.mode is FeedMode.DEPTH and index:
        words["exchange_timestamp"] = tick.ltt / 1000
    elif tick.mode is FeedMode.DEPTH:
        assert tick.depth is not None
        words |= {
            "oi": tick.oi,
            "last_trade_time": tick.ltt / 1000,
            "depth": {
                side: [asdict(level) for level in getattr(tick.depth, side)]
                for side in ("buy", "sell")
            },
        }
        best = tick.depth.buy[0], tick.depth.sell[0]
        assert (tick.bid, tick.bid_quantity) == (best[0].price, best[0].quantity)
        assert (tick.ask, tick.ask_quantity) == (best[1].price, best[1].quantity)
    return words


def test_every_field_of_thousands_of_packets() -> None:
    packets = random_packets(PACKETS, seed=20261124)
    tokens = [struct.unpack_from(">I", packet)[0] for packet in packets]
    table = InstrumentTable()
    table.load(
        Instrument(symbol=str(token), exchange="NSE", token=f"{token}::::1") for token in tokens
    )
    codec = KiteCodec(table, ManualClock(datetime(2026, 12, 1, 13, 30, tzinfo=IST)))
    codec.subscribe({("NSE", str(token)): FeedMode.DEPTH for token in tokens})
    frames = [frame(packets[start : start + 37]) for start in range(0, PACKETS, 37)]
    official = side_env.run(REQUIREMENTS, SCRIPT, {"frames": [f.hex() for f in frames]})
    compared = 0
    for ours, theirs in zip((codec.decode(f) for f in frames), official["ticks"], strict=True):
        for tick, want in zip(ours, theirs, strict=True):
            assert isinstance(tick, Tick)
            change = want.pop("change", None)
            assert change is None or abs(tick.change_percent - change) <= 1e-9 * abs(change)
            extra = {"oi_day_high", "oi_day_low"}  # not in our model
            if tick.symbol and "depth" in want:
                extra.add("exchange_timestamp")  # we keep the trade's time
            got = same_words(tick, want["instrument_token"])
            assert got == {k: v for k, v in want.items() if k not in extra}
            assert tick.symbol == str(want["instrument_token"])
            compared += 1
    assert compared == PACKETS


def test_no_network_in_a_side_environment(tmp_path: Path) -> None:
    script = tmp_path / "dial.py"
    script.write_text(
        "import json, socket, sys\n"
        "try:\n    socket.create_connection(('127.0.0.1', 9), 1)\n"
        "except PermissionError as error:\n    json.dump(str(error), sys.stdout)\n"
    )
    answer = side_env.run(REQUIREMENTS, script, None)
    assert "no network" in answer

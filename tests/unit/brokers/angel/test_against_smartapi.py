"""The codec of Smart Stream against Angel One's own parser, every field of generated packets."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from openalgo_desktop.brokers.angel.feed import AngelCodec
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.ticks import Level, Part, Tick
from tests import side_env
from tests.side.requirements import MAKERS
from tests.unit.brokers.angel.smart_packets import EXCHANGES, random_packets

SCRIPT = Path("tests/side/smart_stream.py")
PACKETS = 6000
#: Our fields by the maker's, amounts as the wire has them.
PRICES = {
    "last_traded_price": "ltp", "average_traded_price": "average_price",
    "open_price_of_the_day": "open", "high_price_of_the_day": "high",
    "low_price_of_the_day": "low", "closed_price": "close",
    "upper_circuit_limit": "upper_circuit", "lower_circuit_limit": "lower_circuit",
}  # fmt: skip
COUNTS = {
    "last_traded_quantity": "last_quantity", "volume_trade_for_the_day": "volume",
    "total_buy_quantity": "total_buy_quantity", "total_sell_quantity": "total_sell_quantity",
    "open_interest": "oi",
}  # fmt: skip
#: What our model has no place for, and what is compared by itself below.
OTHER = {
    "subscription_mode", "subscription_mode_val", "exchange_type", "token", "sequence_number",
    "exchange_timestamp", "packet_received_time", "last_traded_timestamp",
    "open_interest_change_percentage", "52_week_high_price", "52_week_low_price",
    "best_5_buy_data", "best_5_sell_data", "depth_20_buy_data", "depth_20_sell_data",
}  # fmt: skip


def codec() -> AngelCodec:
    """One that has subscribed all that the packets speak of."""
    table = InstrumentTable()
    rows = [
        Instrument(f"{exchange}{token}", exchange, token=str(token), brexchange=exchange)
        for exchange in EXCHANGES.values()
        for token in range(1, 40)
    ]
    table.load(rows)
    made = AngelCodec(table, ManualClock(datetime(2026, 12, 1, 13, 30, tzinfo=IST)), {})
    made.deepen({row.key: 20 for row in rows})
    made.subscribe({row.key: FeedMode.DEPTH for row in rows})
    return made


def levels(rows: list[dict[str, Any]], div: float, orders: str) -> tuple[Level, ...]:
    return tuple(Level(row["price"] / div, row["quantity"], row[orders]) for row in rows)


def same(tick: Tick, want: dict[str, Any]) -> None:
    """Every field of the maker's tick in ours."""
    mode, div = want["subscription_mode"], 1e7 if want["exchange_type"] == 13 else 100.0
    exchange = EXCHANGES[want["exchange_type"]]
    assert (tick.exchange, tick.symbol) == (exchange, f"{exchange}{want['token']}")
    assert tick.mode == min(mode, 3)
    assert set(want) <= OTHER | set(PRICES) | set(COUNTS)
    for theirs, ours in PRICES.items():
        if theirs in want:
            assert getattr(tick, ours) == want[theirs] / div, theirs
    for theirs, ours in COUNTS.items():
        if theirs in want:
            assert getattr(tick, ours) == want[theirs], theirs
    if mode in (1, 2):
        assert tick.ltt == want["exchange_timestamp"] and tick.depth is None
        assert tick.unknown == (0 if mode == 1 else Part.TOUCH | Part.OI)
        return
    assert tick.depth is not None
    if mode == 3:
        assert tick.ltt == want["last_traded_timestamp"] * 1000 and not tick.unknown
        assert tick.extras is not None
        assert tick.extras.week_52_high == want["52_week_high_price"] / div
        assert tick.extras.week_52_low == want["52_week_low_price"] / div
        sides = [levels(want[f"best_5_{side}_data"], div, "no of orders") for side in SIDES]
    else:
        assert tick.unknown == Part.LTP | Part.DAY | Part.OI
        sides = [levels(want[f"depth_20_{side}_data"], div, "num_of_orders") for side in SIDES]
    assert [tick.depth.buy, tick.depth.sell] == sides
    assert (tick.bid, tick.bid_quantity) == (sides[0][0].price, sides[0][0].quantity)
    assert (tick.ask, tick.ask_quantity) == (sides[1][0].price, sides[1][0].quantity)


SIDES = ("buy", "sell")


def test_every_field_of_thousands_of_packets() -> None:
    packets = random_packets(PACKETS, seed=20261130)
    data = {"frames": [frame.hex() for frame in packets]}
    official = side_env.run(MAKERS, SCRIPT, data, deps=False)["ticks"]
    ours = codec()
    seen: dict[int, int] = {}
    for frame, want in zip(packets, official, strict=True):
        for scrip in ours._known.values():
            scrip.deep_at = 0  # else a book of 20 levels hides the five of the next packet
        (tick,) = ours.decode(frame)
        assert isinstance(tick, Tick)
        same(tick, want)
        seen[want["subscription_mode"]] = seen.get(want["subscription_mode"], 0) + 1
    assert sum(seen.values()) == PACKETS and min(seen.values()) > 1000

"""The bases of codecs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import pytest

from openalgo_desktop.brokers.kit.feed.codec import (
    Failure,
    FrameCodec,
    OrderFeedCodec,
    OrderRow,
    StreamEvent,
)
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument

CLOCK = ManualClock(datetime(2026, 12, 1, 13, 30, tzinfo=IST))


class Orders(OrderFeedCodec):
    def events(self, message: Mapping[str, Any]) -> Iterable[StreamEvent]:
        return [OrderRow(message)]


def test_what_left_the_master_is_left_out() -> None:
    table = InstrumentTable()
    table.load([Instrument(symbol="A", exchange="NSE", token="1")])
    made = FrameCodec(table, CLOCK)
    assert [row.token for row in made.still_known([("NFO", "GONE"), ("NSE", "A")])] == ["1"]


def test_an_order_feed_asks_for_nothing_and_reads_json_objects() -> None:
    made = Orders(InstrumentTable(), CLOCK, {"token": "t"})
    assert made.subscribe({("NSE", "A"): FeedMode.LTP}) == made.unsubscribe([("NSE", "A")]) == ()
    assert made.opened() == () and not made.awaits_ready
    assert list(made.decode(b'{"id":1}')) == [OrderRow({"id": 1})]
    for bad in ("[]", "{", ""):
        (event,) = made.decode(bad)
        assert isinstance(event, Failure)
    with pytest.raises(NotImplementedError):
        OrderFeedCodec(InstrumentTable(), CLOCK).decode("{}")

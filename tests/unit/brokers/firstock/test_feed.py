"""What Firstock's codec does beyond the recordings."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from openalgo_desktop.brokers.firstock.feed import FirstockCodec
from openalgo_desktop.brokers.kit.feed.codec import Failure, Ready
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.errors import DoubtfulSession
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import NetError
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.ticks import Part, Tick

ROWS = [Instrument("SBIN", "NSE", token="3045", brexchange="NSE")]
ZERO = {
    "c_exch_seg": "NSE", "c_symbol": "3045", "i_last_traded_price": 0, "i_open_price": 0,
    "i_high_price": 0, "i_low_price": 0, "i_closing_price": 0,
}  # fmt: skip


def codec() -> FirstockCodec:
    clock = ManualClock(datetime(2025, 11, 20, 10, 15, tzinfo=IST))
    return FirstockCodec(BrokerIndex(ROWS), clock, {})


def play(feed: FirstockCodec, **packet: Any) -> list[Any]:
    return list(feed.decode(json.dumps(packet)))


def test_a_refused_login_of_the_feed_is_doubtful() -> None:
    """A busy server refuses too: a read has to say whether the account's session is over."""
    feed = codec()
    (ready,) = play(feed, status="success", message="Authentication successful")
    assert isinstance(ready, Ready)
    (failure,) = play(feed, status="failed", message="Authentication failed")
    assert isinstance(failure, Failure) and isinstance(failure.error, DoubtfulSession)
    (failure,) = play(feed, status="failed", message="Maximum sessions limit")
    assert isinstance(failure, Failure) and type(failure.error) is NetError


def test_zeros_are_no_prices() -> None:
    feed = codec()
    feed.subscribe({("NSE", "SBIN"): FeedMode.QUOTE})
    assert play(feed, **ZERO) == []
    (tick,) = play(feed, **{**ZERO, "i_last_traded_price": 80_000})
    assert isinstance(tick, Tick) and tick.unknown == Part.DAY | Part.TOUCH

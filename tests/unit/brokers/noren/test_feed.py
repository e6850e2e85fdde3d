"""What Noren's codec does beyond the recordings."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from openalgo_desktop.brokers.families.noren.feed import NorenCodec
from openalgo_desktop.brokers.kit.feed.codec import (
    Confirmed,
    Failure,
    OrderRow,
    Ready,
    Reply,
)
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.errors import DoubtfulSession
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import SymbolUnknown
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.ticks import Part, Tick

SBIN, NIFTY, FUTURE = ("NSE", "SBIN"), ("NSE_INDEX", "NIFTY"), ("NFO", "NIFTY25NOV25FUT")
ROWS = [
    Instrument("SBIN", "NSE", token="3045", brexchange="NSE"),
    Instrument("NIFTY", "NSE_INDEX", token="26000", brexchange="NSE"),
    Instrument("NIFTY25NOV25FUT", "NFO", token="37054", brexchange="NFO"),
    Instrument("NOTOKEN", "NSE", brexchange="NSE"),
]


@pytest.fixture
def codec() -> NorenCodec:
    clock = ManualClock(datetime(2025, 11, 20, 10, 15, tzinfo=IST))
    return NorenCodec(BrokerIndex(ROWS), clock, {"client_id": "FA1", "access_token": "secret"})


def frames(sent: Any) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in sent]


def play(codec: NorenCodec, **packet: str) -> list[Any]:
    return list(codec.decode(json.dumps(packet)))


def ticks(events: list[Any]) -> list[Tick]:
    return [event for event in events if isinstance(event, Tick)]


@pytest.mark.parametrize("answer", [{"t": "ak", "s": "OK"}, {"t": "ck", "s": "Ok"}])
def test_orders_are_asked_for_once_the_login_is_accepted(
    codec: NorenCodec, answer: dict[str, str]
) -> None:
    ready, reply = play(codec, **answer)
    assert isinstance(ready, Ready) and isinstance(reply, Reply)
    assert frames(reply.frames) == [{"t": "o", "actid": "FA1"}]


@pytest.mark.parametrize("state", ["NOT_OK", "Not_Ok", ""])
def test_a_refused_login_is_doubtful_and_does_not_tell_its_token(
    codec: NorenCodec, state: str
) -> None:
    """A busy server refuses too: a read has to say whether the account's session is over."""
    (failure,) = play(codec, t="ak", s=state, emsg="server busy")
    assert isinstance(failure, Failure) and isinstance(failure.error, DoubtfulSession)
    assert "secret" not in failure.error.message


def test_each_snapshot_confirms_its_instrument(codec: NorenCodec) -> None:
    (frame,) = frames(codec.subscribe({SBIN: FeedMode.QUOTE, NIFTY: FeedMode.QUOTE}))
    assert frame == {"t": "t", "k": "NSE|3045#NSE|26000"}
    events = play(codec, t="tk", e="NSE", tk="3045", lp="800.10", c="790")
    assert events[0] == Confirmed((SBIN,))
    assert ticks(events)[0].ltp == 800.1
    # One that has not traded yet is confirmed, though it has no price.
    assert play(codec, t="tk", e="NSE", tk="26000")[0] == Confirmed((NIFTY,))


def test_a_lower_mode_ends_the_depth_after_the_touchline_began(codec: NorenCodec) -> None:
    codec.subscribe({SBIN: FeedMode.DEPTH})
    assert frames(codec.subscribe({SBIN: FeedMode.LTP})) == [
        {"t": "t", "k": "NSE|3045"},
        {"t": "ud", "k": "NSE|3045"},
    ]
    assert frames(codec.unsubscribe([SBIN])) == [{"t": "u", "k": "NSE|3045"}]


def test_asking_again_sends_again(codec: NorenCodec) -> None:
    first = codec.subscribe({SBIN: FeedMode.QUOTE})
    assert codec.subscribe({SBIN: FeedMode.QUOTE}) == first


def test_depth_takes_over_from_the_touchline(codec: NorenCodec) -> None:
    codec.subscribe({SBIN: FeedMode.QUOTE})
    play(codec, t="tk", e="NSE", tk="3045", lp="800", c="790", bp1="799", sp1="801")
    codec.subscribe({SBIN: FeedMode.DEPTH})
    (tick,) = ticks(
        play(codec, t="dk", e="NSE", tk="3045", lp="800", bp1="799", bq2="7", bp2="798")
    )
    assert tick.depth is not None and tick.depth.buy[1].quantity == 7
    assert play(codec, t="tf", e="NSE", tk="3045", lp="805") == []
    assert frames(codec.unsubscribe([SBIN])) == [
        {"t": "u", "k": "NSE|3045"},
        {"t": "ud", "k": "NSE|3045"},
    ]
    assert play(codec, t="df", e="NSE", tk="3045", lp="806") == []


def test_what_no_packet_has_told_is_unknown(codec: NorenCodec) -> None:
    codec.subscribe({FUTURE: FeedMode.QUOTE, NIFTY: FeedMode.QUOTE})
    (tick,) = ticks(play(codec, t="tk", e="NFO", tk="37054", lp="26110"))
    assert tick.unknown == Part.DAY | Part.TOUCH | Part.OI
    (tick,) = ticks(play(codec, t="tf", e="NFO", tk="37054", c="26000", oi="0", bp1="26109"))
    assert tick.unknown == 0 and tick.oi == 0
    (index,) = ticks(play(codec, t="tk", e="NSE", tk="26000", lp="26050", c="26000"))
    assert index.unknown == 0


def test_a_second_snapshot_is_a_whole_one(codec: NorenCodec) -> None:
    """At the upper circuit nobody sells: levels that it does not have are gone; changes keep."""
    codec.subscribe({SBIN: FeedMode.DEPTH})
    full = {
        f"{side}{field}{n}": str(100 + n) for side in "bs" for field in "pqo" for n in range(1, 6)
    }
    play(codec, t="dk", e="NSE", tk="3045", lp="100", c="99", tsq="500", **full)
    (tick,) = ticks(play(codec, t="dk", e="NSE", tk="3045", lp="110", c="99", bp1="110", bq1="5"))
    assert (tick.bid, tick.bid_quantity, tick.ask, tick.ask_quantity) == (110, 5, 0, 0)
    assert tick.total_sell_quantity == 0 and tick.unknown == 0
    assert tick.depth is not None
    assert [level.price for level in tick.depth.buy] == [110, 0, 0, 0, 0]
    assert not any(level.price or level.quantity or level.orders for level in tick.depth.sell)
    (tick,) = ticks(play(codec, t="df", e="NSE", tk="3045", sp1="111", sq1="1"))
    assert tick.depth is not None and (tick.bid, tick.ask) == (110, 111)
    assert tick.depth.buy[0].price == 110


def test_a_snapshot_of_the_touchline_leaves_the_depth_alone(codec: NorenCodec) -> None:
    codec.subscribe({SBIN: FeedMode.QUOTE})
    play(codec, t="tk", e="NSE", tk="3045", lp="800", c="790", bp1="799", sp1="801")
    (tick,) = ticks(play(codec, t="tk", e="NSE", tk="3045", lp="800", bp1="799"))
    assert (tick.bid, tick.ask, tick.unknown) == (799, 0, 0)
    codec.subscribe({SBIN: FeedMode.DEPTH})
    play(codec, t="dk", e="NSE", tk="3045", lp="800", bp1="799", bp2="798")
    play(codec, t="tk", e="NSE", tk="3045", lp="800", bp1="799")
    (tick,) = ticks(play(codec, t="df", e="NSE", tk="3045", lp="801"))
    assert tick.depth is not None and tick.depth.buy[1].price == 798


def test_zeros_are_no_prices(codec: NorenCodec) -> None:
    codec.subscribe({SBIN: FeedMode.QUOTE})
    zeros = {"lp": "0", "o": "0.00", "h": "0", "l": "0", "c": "0"}
    (tick,) = ticks(play(codec, t="tk", e="NSE", tk="3045", bp1="9", **zeros))
    assert tick.unknown == Part.LTP | Part.DAY
    (tick,) = ticks(play(codec, t="tf", e="NSE", tk="3045", c="10"))
    assert tick.unknown == Part.LTP
    (tick,) = ticks(play(codec, t="tf", e="NSE", tk="3045", lp="11"))
    assert tick.unknown == 0


@pytest.mark.parametrize("bad", ["NaN", "1e400", "abc"])
def test_a_number_that_is_none_spoils_its_packet_only(codec: NorenCodec, bad: str) -> None:
    codec.subscribe({SBIN: FeedMode.LTP})
    play(codec, t="tk", e="NSE", tk="3045", lp="800")
    (failure,) = play(codec, t="tf", e="NSE", tk="3045", lp=bad)
    assert isinstance(failure, Failure)
    (tick,) = ticks(play(codec, t="tf", e="NSE", tk="3045", ft="1763613901"))
    assert (tick.ltp, tick.ltt) == (800.0, 1763613901000)


@pytest.mark.parametrize("frame", ["", "{", "[1]", b"\xff\x00", '"x"'])
def test_what_is_no_packet_is_a_failure(codec: NorenCodec, frame: Any) -> None:
    (event,) = codec.decode(frame)
    assert isinstance(event, Failure)


def test_other_messages_are_passed_over_and_orders_go_on(codec: NorenCodec) -> None:
    for kind in ("hk", "uk", "udk", "am", "rm", "ms", "pm", "lf"):
        assert play(codec, t=kind) == []
    (event,) = play(codec, t="om", norenordno="1")
    assert event == OrderRow({"t": "om", "norenordno": "1"})


def test_an_instrument_without_a_token_is_refused(codec: NorenCodec) -> None:
    with pytest.raises(SymbolUnknown):
        codec.subscribe({("NSE", "NOTOKEN"): FeedMode.LTP})

"""What only Fyers' own words can say about its recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openalgo_desktop.brokers.kit.feed.codec import Reply
from openalgo_desktop.core.enums import FeedMode
from tests.wire.feed import Feed, Line
from tests.wire.folders import Steps

_SBIN, _NIFTY = ("NSE", "SBIN"), ("NSE_INDEX", "NIFTY")
#: The yes to the log-in that wants an acknowledgement of each frame; frame 1 with no items.
_ACCEPTED = bytes.fromhex("001201020100014b02000400000001")
_FRAME_1 = bytes.fromhex("000706000000010000")


def _frames(feed: Feed, case: Mapping[str, Any]) -> Sequence[Any] | None:
    """What the adapter sends for frames that are recorded one by one."""
    action, recorded = case["input"]["action"], case["frames"]
    line = feed.line("market").fresh()
    if action == "connect":
        return [line.address()] if "url" in recorded[0] else line.codec.opened()[:1]
    if action == "heartbeat":  # of the market; orders and books have the text "ping"
        return line.heartbeat()
    if action == "ack":
        line.codec.decode(_ACCEPTED)
        events = line.codec.decode(_FRAME_1)
        return [frame for event in events if isinstance(event, Reply) for frame in event.frames]
    if action == "channel" and recorded:
        return line.codec.opened()[1:]
    if action in ("subscribe", "unsubscribe") and not case["input"]["symbols"]:
        if "hex" in recorded[0]:
            return _official(line, action)
        return _books(feed.line("market", 50).fresh(), recorded[1]["text"])
    return None


def _official(line: Line, action: str) -> Sequence[Any]:
    """The SDK's frames, whose length counts the token."""
    named = Line(line.spec, line.wire, {**line.values, "access_token": "TOKEN"})
    if action == "subscribe":
        return named.subscribe({_SBIN: FeedMode.QUOTE, _NIFTY: FeedMode.QUOTE})
    named.subscribe({_SBIN: FeedMode.QUOTE})
    return named.unsubscribe([_SBIN])


def _books(line: Line, text: str) -> Sequence[Any]:
    """The frames of the 50-level books, each with the address."""
    if '"type":2' in text:
        return [line.address(), *line.codec.opened()]
    begin = line.subscribe({_SBIN: FeedMode.DEPTH})
    return [line.address(), *(begin if '"subs":1' in text else line.unsubscribe([_SBIN]))]


STEPS = Steps(frames=_frames)

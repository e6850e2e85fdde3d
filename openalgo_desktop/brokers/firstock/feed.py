"""Codec of Firstock's WebSocket (V2): JSON, prices in paise, one subscription for all modes.

The address carries the log-in; the first message says whether it was good. A packet is flat, with
its exchange and token, or a table of packets by ``EXCHANGE:TOKEN``; it has the fields that
changed. A message with ``norenordno`` is an order, with ``brkname`` a position, with ``gamma``
greeks. Source: https://firstock.in/api/docs (WebSocket V2), PyPI ``firstock``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from openalgo_desktop.brokers.families.noren.feed import wire_exchange
from openalgo_desktop.brokers.kit.feed.codec import (
    Failure,
    Frame,
    InstrumentFinder,
    OrderRow,
    Ready,
    StreamEvent,
    text_of,
)
from openalgo_desktop.brokers.kit.rest.errors import DoubtfulSession
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import DERIVATIVE_EXCHANGES, FeedMode
from openalgo_desktop.core.errors import AppError, NetError, ProtocolError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Depth, Level, Part, Tick

#: What the server sends for "no value".
_NO_VALUE: Final = 9223372036854775808
_PAISE: Final = 100.0
_LEVELS: Final = 5
_EMPTY: Final = (Level(0.0, 0, 0),) * _LEVELS
#: Prices, of which a 0 says nothing either.
_PRICES = frozenset(
    {
        "i_last_traded_price", "i_open_price", "i_high_price", "i_low_price", "i_closing_price",
        "i_average_trade_price", "i_upper_circuit_limit", "i_lower_circuit_limit",
    }
)  # fmt: skip
_COUNTS = frozenset(
    {
        "i_volume_traded_today", "i_last_trade_quantity", "i_last_trade_time",
        "i_total_buy_quantity", "i_total_sell_quantity", "i_open_interest",
    }
)  # fmt: skip

_json = msgspec.json.Decoder()


class _Scrip:
    """What is known of one subscribed instrument: the merge of all its packets."""

    __slots__ = ("buy", "derivative", "index", "key", "mode", "sell", "values", "wire")

    def __init__(self, key: Key, wire: str, mode: FeedMode) -> None:
        self.key = key
        self.wire = wire
        self.mode = mode
        self.values: dict[str, int] = {}
        self.buy: tuple[Level, ...] = ()
        self.sell: tuple[Level, ...] = ()
        self.index = key[0].endswith("_INDEX")
        self.derivative = key[0] in DERIVATIVE_EXCHANGES

    def merge(self, packet: Mapping[str, Any]) -> None:
        """Take over what the packet says. Raises ValueError and TypeError for what is odd."""
        for name, value in packet.items():
            if name in _PRICES or name in _COUNTS:
                if type(value) is not int:
                    raise ValueError(f"{name} is {value!r}")
                if value != _NO_VALUE and (value or name in _COUNTS):
                    self.values[name] = value
        self.buy = _side(packet.get("best_buy")) or self.buy
        self.sell = _side(packet.get("best_sell")) or self.sell

    def tick(self, now: int) -> Tick | None:
        """The market as it is known, in the mode asked for; None before any price."""
        get = self.values.get
        last = get("i_last_traded_price")
        if last is None:
            return None
        symbol, exchange = self.key[1], self.key[0]
        traded = get("i_last_trade_time", 0) * 1000
        if self.mode is FeedMode.LTP:
            return Tick(symbol, exchange, last / _PAISE, self.mode, now, traded)
        buy, sell = self.buy or _EMPTY, self.sell or _EMPTY
        return Tick(
            symbol,
            exchange,
            last / _PAISE,
            self.mode,
            now,
            traded,
            get("i_open_price", 0) / _PAISE,
            get("i_high_price", 0) / _PAISE,
            get("i_low_price", 0) / _PAISE,
            get("i_closing_price", 0) / _PAISE,
            get("i_volume_traded_today", 0),
            get("i_last_trade_quantity", 0),
            get("i_average_trade_price", 0) / _PAISE,
            get("i_open_interest", 0),
            buy[0].price,
            sell[0].price,
            buy[0].quantity,
            sell[0].quantity,
            get("i_total_buy_quantity", 0),
            get("i_total_sell_quantity", 0),
            get("i_upper_circuit_limit", 0) / _PAISE,
            get("i_lower_circuit_limit", 0) / _PAISE,
            Depth(buy, sell) if self.mode is FeedMode.DEPTH and not self.index else None,
            self._unknown(),
        )

    def _unknown(self) -> int:
        """The parts that no packet has told of."""
        values, parts = self.values, 0
        if "i_closing_price" not in values:
            parts |= Part.DAY
        if not self.index and not self.buy and not self.sell:
            parts |= Part.TOUCH
        if self.derivative and "i_open_interest" not in values:
            parts |= Part.OI
        return parts


def _side(rows: Any) -> tuple[Level, ...]:
    """Five levels of a side; () where the packet has none of them."""
    levels = tuple([
        Level(row["price"] / _PAISE, row["quantity"], row.get("orders", 0))
        for row in (rows or ())[:_LEVELS]
        if row["price"] != _NO_VALUE
    ])  # fmt: skip
    return levels + _EMPTY[len(levels) :] if levels else ()


class FirstockCodec:
    """One connection."""

    def __init__(
        self, instruments: InstrumentFinder, clock: Clock, values: Mapping[str, Any]
    ) -> None:
        # ``values`` are part of every codec's constructor; here the address carries the log-in.
        self._instruments = instruments
        self._clock = clock
        self._scrips: dict[Key, _Scrip] = {}
        self._by_wire: dict[str, _Scrip] = {}

    # -- out --------------------------------------------------------------------------------
    @property
    def awaits_ready(self) -> bool:
        return True

    def opened(self) -> Sequence[Frame]:
        return ()

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Frame]:
        """Another mode of what streams already needs no frame."""
        rows = {key: self._instruments.require(key[1], key[0]) for key in wanted}
        names = []
        for key, mode in wanted.items():
            known = self._scrips.get(key)
            if known is not None and known.mode is not mode:
                known.mode = mode
                continue
            wire = f"{wire_exchange(rows[key])}:{rows[key].token}"
            if known is None:
                self._scrips[key] = self._by_wire[wire] = _Scrip(key, wire, mode)
            names.append(wire)
        return (_request("subscribe", names),) if names else ()

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Frame]:
        names = []
        for key in keys:
            if (scrip := self._scrips.pop(key, None)) is not None:
                self._by_wire.pop(scrip.wire, None)
                names.append(scrip.wire)
        return (_request("unsubscribe", names),) if names else ()

    # -- in ---------------------------------------------------------------------------------
    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        try:
            message = _json.decode(frame if isinstance(frame, bytes) else text_of(frame))
        except msgspec.MsgspecError as error:
            return (Failure(ProtocolError(f"frame that cannot be read: {error}")),)
        if not isinstance(message, dict):
            return (Failure(ProtocolError("frame that is no object")),)
        if "c_symbol" in message:
            return self._packet(f"{message.get('c_exch_seg')}:{message['c_symbol']}", message)
        if "norenordno" in message:
            return (OrderRow(message),)
        if "status" in message and "message" in message:
            return self._answered(str(message["status"]), str(message["message"]))
        return [
            event
            for wire, packet in message.items()
            if isinstance(packet, dict)
            for event in self._packet(wire, packet)
        ]

    def _packet(self, wire: str, packet: Mapping[str, Any]) -> Iterable[StreamEvent]:
        scrip = self._by_wire.get(wire)
        if scrip is None:  # the server may still send some after an end
            return ()
        try:
            scrip.merge(packet)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return (Failure(ProtocolError(f"packet of {wire} cannot be read: {error}")),)
        tick = scrip.tick(int(self._clock.time() * 1000))
        return (tick,) if tick is not None else ()

    def _answered(self, status: str, text: str) -> Iterable[StreamEvent]:
        if "authentication successful" in text.lower():
            return (Ready(),)
        if status != "failed":
            return ()
        # Whether the account's own session has ended, a read has to say.
        error: AppError = DoubtfulSession(f"The feed refused the session: {text}")
        if "maximum sessions" in text.lower():  # others of the user are open: they may end
            error = NetError(f"The feed takes no more connections now: {text}")
        return (Failure(error),)


def _request(action: str, names: Sequence[str]) -> str:
    return msgspec.json.encode({"action": action, "tokens": "|".join(names)}).decode()

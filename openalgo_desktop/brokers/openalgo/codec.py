"""Codec of the OpenAlgo WebSocket: JSON text frames, one object each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import msgspec

from openalgo_desktop.brokers.kit.feed.codec import (
    Failure,
    Frame,
    FrameCodec,
    InstrumentFinder,
    OrderRow,
    Ready,
    Refused,
    Reply,
    StreamEvent,
    text_of,
)
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import DataError, NetError, ProtocolError, SessionExpired
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import PARTS_OF, Depth, Level, Part, Tick

_LEVELS = 5
#: Seconds between the application pings that keep a quiet line known to be alive.
PING_FRAME = '{"action":"ping"}'


#: A text like "NaN" or a number beyond sense makes the frame unreadable, not the reader fail.
_Number = Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]


class _Level(msgspec.Struct, gc=False):
    price: _Number | None = 0.0
    quantity: _Number | None = 0.0
    orders: _Number | None = 0.0


class _Depth(msgspec.Struct, gc=False):
    buy: list[_Level] = []
    sell: list[_Level] = []


class _Data(msgspec.Struct, gc=False):
    """Payload of a tick. Servers spell some fields in two ways, and leave out or null others."""

    ltp: _Number | None = None
    ltt: _Number | None = None
    timestamp: _Number | None = None
    open: _Number | None = None
    high: _Number | None = None
    low: _Number | None = None
    close: _Number | None = None
    volume: _Number | None = None
    last_quantity: _Number | None = None
    last_trade_quantity: _Number | None = None
    average_price: _Number | None = None
    avg_trade_price: _Number | None = None
    oi: _Number | None = None
    total_buy_quantity: _Number | None = None
    total_sell_quantity: _Number | None = None
    bid_price: _Number | None = None
    ask_price: _Number | None = None
    bid_size: _Number | None = None
    ask_size: _Number | None = None
    upper_circuit: _Number | None = None
    lower_circuit: _Number | None = None
    depth: _Depth | None = None


class _Item(msgspec.Struct, gc=False):
    symbol: str = ""
    exchange: str = ""
    status: str = ""
    message: str = ""


class _Message(msgspec.Struct, gc=False):
    """Any frame of the server."""

    type: str = ""
    status: str = ""
    code: str = ""
    message: str = ""
    symbol: str = ""
    exchange: str = ""
    mode: int | str | None = None
    data: _Data | None = None
    subscriptions: list[_Item] = []


# Some servers send numbers as texts: not strict.
_decoder = msgspec.json.Decoder(_Message, strict=False)
_rows = msgspec.json.Decoder(dict[str, Any])
_MODES = {int(mode): mode for mode in FeedMode}


class OpenAlgoCodec(FrameCodec):
    """One connection: log in, ask for the order stream, then market data.

    The server keeps a subscription per instrument *and mode*, so a change of mode also ends the
    former one.
    """

    awaits_ready = True

    def __init__(
        self, instruments: InstrumentFinder, clock: Clock, session: Mapping[str, Any]
    ) -> None:
        self._instruments = instruments
        self._clock = clock
        self._api_key = str(session.get("api_key", ""))
        self._modes: dict[Key, FeedMode] = {}

    # -- out --------------------------------------------------------------------------------
    def opened(self) -> Sequence[Frame]:
        return (_frame({"action": "authenticate", "api_key": self._api_key}),)

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Frame]:
        for exchange, symbol in wanted:
            self._instruments.require(symbol, exchange)
        frames: list[Frame] = []
        left = [
            (key, before)
            for key, mode in wanted.items()
            if (before := self._modes.get(key)) not in (None, mode)
        ]
        for mode in FeedMode:
            if keys := [key for key, asked in wanted.items() if asked == mode]:
                frames.append(
                    _frame(
                        {
                            "action": "subscribe",
                            "symbols": [_names(key) for key in keys],
                            "mode": int(mode),
                            "depth": _LEVELS,
                        }
                    )
                )
        if left:
            frames.append(_unsubscription(left))
        self._modes.update(wanted)
        return frames

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Frame]:
        pairs = [(key, mode) for key in keys if (mode := self._modes.pop(key, None)) is not None]
        return (_unsubscription(pairs),) if pairs else ()

    # -- in ---------------------------------------------------------------------------------
    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        text = text_of(frame)
        try:
            message = _decoder.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return (Failure(ProtocolError(f"frame that cannot be read: {error}")),)
        match message.type:
            case "market_data":
                tick = self._tick(message)
                return (tick,) if tick is not None else ()
            case "order_update":
                return (OrderRow(_rows.decode(text)),)
            case "auth" if message.status == "success":
                return (Ready(), Reply((_frame({"action": "subscribe_orders"}),)))
            case "subscribe":
                return tuple(self._refusals(message.subscriptions))
        if message.status == "error" and not message.type:
            return (Failure(_error(message)),)
        return ()

    def _tick(self, message: _Message) -> Tick | None:
        data = message.data
        mode = _MODES.get(message.mode) if isinstance(message.mode, int) else None
        if data is None or data.ltp is None or mode is None:
            return None
        if self._modes.get((message.exchange, message.symbol)) is not mode:
            return None  # the tail of a mode that was left
        buy, sell = (_side(data.depth.buy), _side(data.depth.sell)) if data.depth else ((), ())
        bid = buy[0].price if buy else data.bid_price or 0.0
        ask = sell[0].price if sell else data.ask_price or 0.0
        return Tick(
            symbol=message.symbol,
            exchange=message.exchange,
            ltp=data.ltp,
            mode=mode,
            timestamp=int(self._clock.time() * 1000),
            ltt=_milliseconds(data.ltt or data.timestamp),
            open=data.open or 0.0,
            high=data.high or 0.0,
            low=data.low or 0.0,
            close=data.close or 0.0,
            volume=int(data.volume or 0),
            last_quantity=int(data.last_quantity or data.last_trade_quantity or 0),
            average_price=data.average_price or data.avg_trade_price or 0.0,
            oi=int(data.oi or 0),
            bid=bid,
            ask=ask,
            bid_quantity=buy[0].quantity if buy else int(data.bid_size or 0),
            ask_quantity=sell[0].quantity if sell else int(data.ask_size or 0),
            total_buy_quantity=int(data.total_buy_quantity or 0),
            total_sell_quantity=int(data.total_sell_quantity or 0),
            upper_circuit=data.upper_circuit or 0.0,
            lower_circuit=data.lower_circuit or 0.0,
            depth=Depth(buy, sell) if data.depth else None,
            unknown=_unknown(message, data, quoted=bid > 0 or ask > 0) & PARTS_OF[mode],
        )

    def _refusals(self, items: Iterable[_Item]) -> Iterable[Refused]:
        for item in items:
            if item.status == "error":
                key = (item.exchange, item.symbol)
                self._modes.pop(key, None)
                yield Refused(key, DataError(item.message or f"No feed of {item.symbol}."))


def _unknown(message: _Message, data: _Data, *, quoted: bool) -> int:
    """The parts that a frame does not have. Which optional fields a server sends depends on its
    broker; many send a bid and ask of 0 where their broker gives none (not ``quoted``). An index
    has neither offers nor open interest: that is known."""
    parts = 0
    if data.open is None and data.high is None and data.low is None and data.volume is None:
        parts |= Part.DAY
    if data.depth is None:
        parts |= Part.BOOK
    index = message.exchange.endswith("_INDEX")
    if not quoted and not index:
        parts |= Part.TOUCH
    if data.oi is None and not index:
        parts |= Part.OI
    return parts


def _side(levels: Iterable[_Level]) -> tuple[Level, ...]:
    return tuple(
        Level(level.price or 0.0, int(level.quantity or 0), int(level.orders or 0))
        for level in levels
    )


def _milliseconds(moment: float | None) -> int:
    """Epoch milliseconds of a time that some servers give in seconds."""
    if not moment:
        return 0
    return int(moment if moment > 10**11 else moment * 1000)


def _error(message: _Message) -> SessionExpired | NetError:
    text = message.message or message.code or "the server reports an error"
    if message.code in ("AUTHENTICATION_ERROR", "NOT_AUTHENTICATED"):
        return SessionExpired(f"The OpenAlgo server refused the API key: {text}")
    return ProtocolError(f"{message.code}: {text}" if message.code else text)


def _names(key: Key) -> dict[str, Any]:
    return {"symbol": key[1], "exchange": key[0]}


def _unsubscription(pairs: Iterable[tuple[Key, FeedMode | None]]) -> str:
    symbols = [{**_names(key), "mode": int(mode)} for key, mode in pairs if mode is not None]
    return _frame({"action": "unsubscribe", "symbols": symbols})


def _frame(content: Mapping[str, Any]) -> str:
    return msgspec.json.encode(content).decode()

"""The streams and masters of a vector file: codecs and row readers without a network."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import httpx
import msgspec

from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.kit.feed.codec import Failure, Frame, OrderRow, Reply, StreamCodec
from openalgo_desktop.brokers.kit.feed.link import address_of
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.master.readers import rows_of
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.spec import MasterFile
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.model import Instrument, Key, Tick
from openalgo_desktop.core.symbols import format_expiry_dashed
from tests.wire.harness import instrument, order_row, session_values
from tests.wire.vectors import VectorFile

MODES = {"ltp": FeedMode.LTP, "quote": FeedMode.QUOTE, "depth": FeedMode.DEPTH}
_TEXT = {mode: text for text, mode in MODES.items()}


class Feed:
    """One connection of an adapter's feed, fed with recorded frames."""

    def __init__(self, broker: Broker, file: VectorFile) -> None:
        clock = file.data.get("clock")
        self.clock = ManualClock(datetime.fromisoformat(clock) if clock else datetime.now(IST))
        self.broker = broker
        self.index = BrokerIndex(instrument(row) for row in file.data.get("symbols") or ())
        self.values = session_values(broker, file.data.get("session") or {})
        session = Session(self.values)
        rest = RestClient(
            broker.spec, session, self.clock, transport=httpx.MockTransport(_no_network)
        )
        self.api: BrokerApi = broker.api(broker.spec, rest, self.index, self.clock)
        self.codec: StreamCodec = self._codec()
        self.failures: list[str] = []

    def _codec(self) -> StreamCodec:
        stream = self.broker.spec.stream
        assert stream is not None, f"{self.broker.spec.title} has no stream"
        codec: StreamCodec = stream.codec(self.index, self.clock, self.values)
        return codec

    def wanted(self, rows: Iterable[dict[str, Any]], mode: str | None) -> dict[Key, FeedMode]:
        """Subscriptions as the stream client keeps them: the highest mode per instrument."""
        result: dict[Key, FeedMode] = {}
        for row in rows:
            key = (row["exchange"], row["symbol"])
            asked = MODES[row.get("mode") or mode or "quote"]
            result[key] = max(asked, result.get(key, FeedMode.LTP))
        return result

    def play(self, packets: Iterable[dict[str, Any]]) -> list[Any]:
        """Ticks and order rows of recorded packets."""
        events: list[Any] = []
        for packet in packets:
            for event in self.codec.decode(frame_of(packet)):
                if isinstance(event, Failure):
                    self.failures.append(event.error.message)
                elif not isinstance(event, Reply):
                    events.append(event)
        return events

    def updates(self, events: Iterable[Any]) -> list[dict[str, Any]]:
        """The order updates among events, in uniform form."""
        return [
            order_row(order)
            for event in events
            if isinstance(event, OrderRow)
            for order in self.api.read_orders([event.row])
        ]

    def address(self) -> str:
        """The address of the connection."""
        stream = self.broker.spec.stream
        assert stream is not None
        return address_of(stream, self.broker.spec.hosts, self.values).url


async def _no_network(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"a request left: {request.url}")


def frame_of(packet: dict[str, Any]) -> Frame:
    """A recorded packet as the link would give it."""
    return packet["text"] if "text" in packet else bytes.fromhex(packet["hex"])


def tick_row(tick: Tick) -> dict[str, Any]:
    """A tick in uniform form."""
    row: dict[str, Any] = msgspec.structs.asdict(tick)
    row["exchange"] = str(tick.exchange)
    row["mode"] = _TEXT[FeedMode(tick.mode)]
    row["change"], row["change_percent"] = tick.change, tick.change_percent
    if tick.depth is not None:
        row["depth"] = {
            "buy": [msgspec.structs.asdict(level) for level in tick.depth.buy],
            "sell": [msgspec.structs.asdict(level) for level in tick.depth.sell],
        }
        row["depth_level"] = max(len(tick.depth.buy), len(tick.depth.sell))
    return row


# -- master ---------------------------------------------------------------------------------
def master_rows(broker: Broker, case: dict[str, Any], place: Path) -> list[dict[str, Any]]:
    """Instruments of a recorded master case, in uniform form."""
    master = broker.spec.master
    rows: list[dict[str, Any]] = []
    for content in case["content"]:
        file = _file_of(master.files, case, content.get("name", ""))
        for source in _source_rows(file, case, content, place):
            row = master.reader(source, file)
            if row is not None:
                rows.append(instrument_row(row))
    return rows


def _file_of(files: tuple[MasterFile, ...], case: dict[str, Any], name: str) -> MasterFile:
    names = [text for text in (name, case.get("file"), *(case.get("urls") or ())) if text]
    for file in files:
        known = {file.name, file.path.rsplit("/", 1)[-1], file.exchange} - {""}
        if any(fnmatch(text, f"*{part}*") for text in names for part in known):
            return file
    return files[0]


def _source_rows(
    file: MasterFile, case: dict[str, Any], content: dict[str, Any], place: Path
) -> Iterable[Mapping[str, Any]]:
    """Rows through the kit's own reader, from a file as it is after unpacking."""
    plain = msgspec.structs.replace(file, pack="", member="")
    if "json" in content:
        data = content["json"]
        text = json.dumps(data if isinstance(data, list) or file.rows else [data])
    else:
        text = content["text"]
        header = case.get("header")
        if file.form == "csv" and header and not text.startswith(header):
            text = header + "\n" + text
            plain = msgspec.structs.replace(plain, header=())
        elif file.form == "json" and not text.lstrip().startswith(("[", "{")):
            text = f"[{text}]"
    path = place / "master"
    path.write_text(text, encoding="utf-8")
    return rows_of(plain, path)


def instrument_row(row: Instrument) -> dict[str, Any]:
    """An instrument in uniform form."""
    return {
        "symbol": row.symbol,
        "exchange": row.exchange,
        "brsymbol": row.brsymbol,
        "brexchange": row.brexchange,
        "token": row.token,
        "name": row.name,
        "expiry": format_expiry_dashed(row.expiry),
        "strike": row.strike,
        "lotsize": row.lot_size,
        "instrumenttype": row.instrument_type,
        "tick_size": row.tick_size,
        "contract_value": row.contract_value,
    }

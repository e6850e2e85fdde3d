"""An MQTT 3.1.1 broker of few packets.

Source: http://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html
"""

from __future__ import annotations

import asyncio

from tests.emulators.transports.base import PASSWORD, USER, StreamPeer

_CONNECT, _PUBLISH, _SUBSCRIBE, _UNSUBSCRIBE, _PING, _DISCONNECT = 1, 3, 8, 10, 12, 14
_UNAVAILABLE, _NOT_AUTHORISED = 3, 5


class MqttBroker(StreamPeer):
    """Topics ``price.A`` with the price as text."""

    scheme = "mqtt"
    secure = "mqtts"
    transport = "mqtt"

    def __init__(self) -> None:
        super().__init__()
        self.groups: list[int] = []  # topics of each SUBSCRIBE
        self.clients: list[str] = []  # client ids

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            kind, body = await _packet(reader)
            if self.half_open:
                continue
            if kind == _CONNECT:
                code = self._log_in(body)
                writer.write(bytes((0x20, 2, 0, code)))
                if code:
                    return
                self.total += 1
                self.writers.add(writer)
            elif kind == _SUBSCRIBE:
                topics = _texts(body[2:], skip=1)
                self.groups.append(len(topics))
                codes = bytes(0 if self.sees(_symbol(topic)) else 0x80 for topic in topics)
                writer.write(_framed(0x90, body[:2] + codes))
            elif kind == _UNSUBSCRIBE:
                for topic in _texts(body[2:]):
                    self.sees(_symbol(topic), on=False)
                writer.write(_framed(0xB0, body[:2]))
            elif kind == _PING:
                writer.write(b"\xd0\x00")
            elif kind == _DISCONNECT:
                self.farewells += 1
                return

    def _log_in(self, body: bytes) -> int:
        if self.busy:
            return _UNAVAILABLE
        client, user, password = _texts(body[10:])  # after name, level, flags, keep-alive
        self.clients.append(client)
        right = (user, password) == (USER, PASSWORD) and not self.refuse
        return 0 if right else _NOT_AUTHORISED

    def options(self) -> dict[str, str]:
        return {"username": USER, "password": PASSWORD, "client_id": "desk-1"}

    async def price(self, symbol: str, *prices: float) -> None:
        for writer in tuple(self.writers):
            for price in prices:
                writer.write(_framed(_PUBLISH << 4, _text(f"price.{symbol}") + b"%g" % price))
                await writer.drain()


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    kind = (await reader.readexactly(1))[0] >> 4
    size = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return kind, await reader.readexactly(size)


def _framed(head: int, body: bytes) -> bytes:
    size, digits = len(body), bytearray()
    while True:
        size, digit = size >> 7, size & 0x7F
        digits.append(digit | (0x80 if size else 0))
        if not size:
            return bytes((head,)) + bytes(digits) + body


def _text(text: str) -> bytes:
    return len(text).to_bytes(2, "big") + text.encode()


def _texts(body: bytes, skip: int = 0) -> list[str]:
    found, at = [], 0
    while at < len(body):
        size = int.from_bytes(body[at : at + 2], "big")
        found.append(body[at + 2 : at + 2 + size].decode())
        at += 2 + size + skip
    return found


def _symbol(topic: str) -> str:
    return topic.removeprefix("price.")

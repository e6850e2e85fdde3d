"""Packets of transports whose protocol a library speaks for us, as what a codec gives the link.

A recorder saw the bytes of MQTT and the lines of NATS; a codec gives topics: ``Message(topic)``
asks for one, ``Message(topic, None)`` ends it. Heartbeats and log-ins are the library's; what it
logs in with are the ``options`` of the stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

#: MQTT 3.1.1 packet types (section 2.2.1 of the OASIS standard).
_CONNECT, _SUBSCRIBE, _UNSUBSCRIBE, _PINGREQ = 1, 8, 10, 12
_USERNAME, _PASSWORD = 0x80, 0x40  # connect flags
#: Lines of NATS that the library sends by itself.
_BY_ITSELF = ("PING", "PONG", "CONNECT")


def plain(
    transport: str, frames: Iterable[Mapping[str, Any]], before: Iterable[Mapping[str, Any]] = ()
) -> list[dict[str, Any]]:
    """Recorded frames with the packets of MQTT and the lines of NATS opened: ``{"topic"}``, with
    ``"gone"`` where it is ended, or ``{"options"}`` of a log-in. ``before``: what was recorded
    earlier on the connection."""
    found: list[dict[str, Any]] = []
    subjects = dict(_numbers(before))
    for frame in frames:
        if transport == "mqtt" and "hex" in frame and "topic" not in frame:
            found += mqtt(bytes.fromhex(frame["hex"]))
        elif transport == "nats" and "text" in frame:
            subjects |= dict(_numbers([frame]))
            found += _nats(frame["text"], subjects)
        else:
            found.append(dict(frame))
    return found


def mqtt(packet: bytes) -> list[dict[str, Any]]:
    """What a client's MQTT packet asks for."""
    kind, rest = packet[0] >> 4, _body(packet)
    if kind == _CONNECT:
        return [{"options": _login(rest)}]
    if kind in (_SUBSCRIBE, _UNSUBSCRIBE):
        gone = {"gone": True} if kind == _UNSUBSCRIBE else {}
        extra = 0 if gone else 1  # a topic to subscribe to has its quality of service behind it
        return [{"topic": topic, **gone} for topic in _texts(rest[2:], extra)]
    if kind == _PINGREQ:
        return []
    raise ValueError(f"MQTT packet type {kind} of a client")


def _body(packet: bytes) -> bytes:
    """The packet without its fixed header: the length has seven bits a byte."""
    place, size, shift = 1, 0, 0
    while True:
        byte = packet[place]
        size |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if not byte & 0x80:
            break
    body = packet[place:]
    if len(body) != size:
        raise ValueError(f"MQTT packet of {len(body)} bytes says {size}")
    return body


def _texts(data: bytes, extra: int) -> Iterable[str]:
    while data:
        size = int.from_bytes(data[:2], "big")
        yield data[2 : 2 + size].decode()
        data = data[2 + size + extra :]


def _login(body: bytes) -> dict[str, str]:
    name = int.from_bytes(body[:2], "big")
    flags, payload = body[2 + name + 1], [*_texts(body[2 + name + 4 :], 0)]
    names = ["client_id"]
    names += ["username"] if flags & _USERNAME else []
    names += ["password"] if flags & _PASSWORD else []
    return dict(zip(names, payload, strict=True))


def _numbers(frames: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    """Subscription numbers of NATS with their subjects."""
    for frame in frames:
        words: Sequence[str] = str(frame.get("text", "")).split()
        if words and words[0] == "SUB":
            yield words[-1], words[1]


def _nats(text: str, subjects: Mapping[str, str]) -> list[dict[str, Any]]:
    words = text.split()
    if words[0] == "SUB":
        return [{"topic": words[1]}]
    if words[0] == "UNSUB":
        return [{"topic": subjects.get(words[1], words[1]), "gone": True}]
    if words[0] in _BY_ITSELF:
        return []
    return [{"text": text}]

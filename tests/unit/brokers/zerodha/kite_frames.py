"""Makes Kite ticker frames from plain numbers: the test's own writer of the documented layout."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence


def frame(packets: Sequence[bytes]) -> bytes:
    """One binary message with these packets."""
    return struct.pack(">H", len(packets)) + b"".join(
        struct.pack(">H", len(packet)) + packet for packet in packets
    )


def token(number: int, segment: int) -> int:
    """The instrument token of an exchange number in a segment (1 NSE ... 12 NCO)."""
    return number << 8 | segment


def packet(kind: str, instrument: int, rng: random.Random) -> bytes:
    """A packet of a kind (ltp, quote, full, index, index_full) with random contents."""

    def price() -> int:
        return rng.randrange(1, 2**31)

    head = struct.pack(">Ii", instrument, price())
    if kind == "ltp":
        return head
    if kind in ("index", "index_full"):
        body = struct.pack(">iiiii", *(price() for _ in range(4)), rng.randrange(-9999, 9999))
        at_exchange = struct.pack(">I", rng.randrange(1_600_000_000, 1_900_000_000))
        return head + body + (at_exchange if kind == "index_full" else b"")
    count = rng.randrange
    body = struct.pack(
        ">IiIIIiiii", count(2**31), price(), count(2**32), count(2**32), count(2**32),
        price(), price(), price(), price(),
    )  # fmt: skip
    if kind == "quote":
        return head + body
    times = rng.randrange(1_600_000_000, 1_900_000_000), rng.randrange(1_600_000_000, 1_900_000_000)
    body += struct.pack(">IIIII", times[0], count(2**32), count(2**32), count(2**32), times[1])
    for _ in range(10):
        body += struct.pack(">IiHH", count(2**32), price(), count(2**16), 0)
    return head + body


KINDS = ("ltp", "quote", "full")
INDEX_KINDS = ("ltp", "index", "index_full")
SEGMENTS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12)


def random_packets(count: int, seed: int) -> list[bytes]:
    """``count`` packets of all kinds and segments."""
    rng = random.Random(seed)
    packets = []
    for number in range(count):
        segment = rng.choice(SEGMENTS)
        kind = rng.choice(INDEX_KINDS if segment == 9 else KINDS)
        packets.append(packet(kind, token(1000 + number, segment), rng))
    return packets

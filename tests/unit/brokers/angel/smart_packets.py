"""Packets of Smart Stream with random contents, from the documentation's table of offsets."""

from __future__ import annotations

import random
import struct

#: Numbers of the exchanges whose instruments the tests know.
EXCHANGES = {1: "NSE", 2: "NFO", 3: "BSE", 4: "BFO", 5: "MCX", 13: "CDS"}
SIZES = {1: 51, 2: 123, 3: 379, 4: 443}
_START = 1_764_565_200_000


def packet(mode: int, exchange: int, token: str, rng: random.Random) -> bytes:
    """One message of a mode."""

    def number(top: int = 10**12) -> int:
        return rng.choice((0, rng.randrange(top), rng.randrange(10_000)))

    at = _START + rng.randrange(10**7)
    data = struct.pack("<BB25sqq", mode, exchange, token.encode(), rng.randrange(10**6), at)
    if mode == 4:
        for _ in range(40):
            data += struct.pack("<iih", number(2**31), number(2**31), number(2**15))
        return data
    data += struct.pack("<q", number())
    if mode >= 2:
        totals = (float(number()), float(number()))
        data += struct.pack("<qqqddqqqq", *(number() for _ in range(3)), *totals,
                            *(number() for _ in range(4)))  # fmt: skip
    if mode == 3:
        data += struct.pack("<qqd", at // 1000, number(), rng.uniform(-100, 100))
        flags = [1] * 5 + [0] * 5
        if rng.random() < 0.2:
            rng.shuffle(flags)
        for flag in flags:
            data += struct.pack("<HqqH", flag, number(), number(), number(2**16))
        data += struct.pack("<qqqq", *(number() for _ in range(4)))
    assert len(data) == SIZES[mode]
    return data


def random_packets(count: int, seed: int) -> list[bytes]:
    """Of all modes and exchanges; books of 20 levels are NSE's."""
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        mode = rng.choice((1, 2, 3, 4))
        exchange = 1 if mode == 4 else rng.choice(list(EXCHANGES))
        made.append(packet(mode, exchange, str(rng.randrange(1, 40)), rng))
    return made

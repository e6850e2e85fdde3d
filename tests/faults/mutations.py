"""Bad input from good input, seeded."""

from __future__ import annotations

import json
import random
from typing import Any

ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1e308, -0.0, 2**63, 2**70, 10**400, 0.1 + 0.2, "", " ", "0", "-5",
    "1e999", "NaN", "Infinity", "null", "SBIN", "sbin\x00", "' OR 1=1 --", "../../etc/passwd",
    "<script>", "%s%n", "{0}", "\ud800", "₹" * 50, "x" * 5000, [], {}, [[]], [1, 2], {"a": 1},
    ["SBIN"] * 50, "31-DEC-99", "2026-13-45", "9" * 400, "NSE:SBIN", "\u202e\u0000", "A" * 65,
)  # fmt: skip
ODD_BYTES = (b"\x00", b"\xff\xfe", b"{", b"}", b"[", b'"', b"\\u", b"\xc3\x28", b"1e9999", b"\r\n")


def deep(rng: random.Random) -> Any:
    """A value inside many others."""
    value: Any = rng.choice(ODD_VALUES)
    for _ in range(rng.randint(1, 60)):
        value = [value] if rng.random() < 0.5 else {"k": value}
    return value


def fields(rng: random.Random, good: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """``good`` with some fields changed, dropped or added."""
    bad = dict(good)
    for _ in range(rng.randint(1, 3)):
        kind = rng.random()
        name = rng.choice(list(bad) or names) if kind < 0.8 else rng.choice(names)
        if kind < 0.15:
            bad.pop(name, None)
        elif kind < 0.9:
            bad[name] = rng.choice(ODD_VALUES)
        elif kind < 0.95:
            bad[name] = deep(rng)
        else:
            bad[str(rng.choice(ODD_VALUES))[:200]] = rng.choice(ODD_VALUES)
    return bad


def encoded(rng: random.Random, value: Any) -> bytes:
    """JSON, sometimes broken."""
    raw = json.dumps(value, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
    return damaged(rng, raw) if rng.random() < 0.2 else raw


def damaged(rng: random.Random, raw: bytes) -> bytes:
    """Bytes cut, flipped, doubled or mixed with odd ones."""
    data = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(5):
            case 0:
                del data[at:]
            case 1 if data:
                data[at % len(data)] = rng.randrange(256)
            case 2:
                data[at:at] = rng.choice(ODD_BYTES)
            case 3:
                data[at:at] = data[at : at + rng.randint(1, 40)]
            case _:
                del data[at : at + rng.randint(1, 8)]
    return bytes(data)

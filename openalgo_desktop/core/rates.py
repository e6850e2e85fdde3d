"""Rate limits as texts: ``50 per second; 1000 per minute``."""

from __future__ import annotations

import re

from openalgo_desktop.core.errors import ConfigError

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_LIMIT = re.compile(r"([0-9]+)\s*(?:per|/)\s*([0-9]*)\s*(second|minute|hour|day)s?", re.IGNORECASE)
#: Requests within seconds.
Rule = tuple[int, float]


def parse_limit(text: str) -> tuple[Rule, ...]:
    """``"50 per second; 1000 per minute"`` as (count, seconds) pairs; empty text means no limit."""
    rules: list[Rule] = []
    for part in re.split(r"[;,|]", text):
        if not part.strip():
            continue
        match = _LIMIT.fullmatch(part.strip())
        if match is None or 0 in (int(match[1]), int(match[2] or 1)):
            raise ConfigError(
                f"Rate limit {part.strip()!r}: write it like '50 per second' or '30 per minute'."
            )
        rules.append((int(match[1]), float(int(match[2] or 1) * _UNITS[match[3].lower()])))
    return tuple(rules)

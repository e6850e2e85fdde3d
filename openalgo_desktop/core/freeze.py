"""Freeze quantities: the most units of one order, by exchange and underlying.

Masters that say nothing leave them open (0 = no limit is known; 1 is what some write for that).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.gently import gently

if TYPE_CHECKING:  # the settings table needs this module, and small commands need no numpy
    from openalgo_desktop.core.model import Instrument

_ENTRY = re.compile(r"(?:(?P<exchange>[A-Z]+):)?(?P<name>[A-Z0-9&_-]+)=(?P<units>[0-9]{1,9})", re.A)


class FreezeTable:
    """Limits by (exchange, underlying); an exchange of '' means every derivative exchange."""

    def __init__(self, limits: Mapping[tuple[str, str], int] | None = None) -> None:
        self._limits = dict(limits or {})
        self._own: dict[tuple[str, str], int] = {}

    @classmethod
    def from_json(cls, text: str) -> FreezeTable:
        """The shipped table: exchange -> underlying -> units, beside its date."""
        raw = json.loads(text)
        return cls(
            {
                (exchange, name): int(units)
                for exchange, table in raw.items()
                if isinstance(table, dict)
                for name, units in table.items()
            }
        )

    def with_own(self, text: str) -> FreezeTable:
        """With the user's entries, ``NIFTY=1800, BFO:SENSEX=1000``; 0 means no limit. They also
        go before what a master says. Raises :class:`ConfigError` naming the entry."""
        table = FreezeTable(self._limits)
        for entry in filter(None, (part.strip() for part in freeze_text(text).split(","))):
            match = _ENTRY.fullmatch(entry)
            assert match is not None
            table._own[match["exchange"] or "", match["name"]] = int(match["units"])
        return table

    def of(self, row: Instrument) -> int:
        """The limit in units, 0 where none is known. Shares have none in this table."""
        if row.expiry is None:
            return row.freeze_qty if row.freeze_qty > 1 else 0
        for exchange in (row.exchange, ""):
            if (own := self._own.get((exchange, row.name))) is not None:
                return own
        if row.freeze_qty > 1:
            return row.freeze_qty
        return self._limits.get((row.exchange, row.name), 0)

    def applied(self, rows: Iterable[Instrument]) -> list[Instrument]:
        """The rows with their limits."""
        from msgspec.structs import replace

        return [
            row if (limit := self.of(row)) == row.freeze_qty else replace(row, freeze_qty=limit)
            for row in gently(rows)
        ]


def freeze_text(value: object) -> str:
    """Kind of a setting with entries like ``NIFTY=1800``; raises :class:`ConfigError`."""
    text = str(value).strip().upper()
    for entry in filter(None, (part.strip() for part in text.split(","))):
        if _ENTRY.fullmatch(entry) is None:
            raise ConfigError(
                f"Freeze quantities: {entry[:40]!r} is not like NIFTY=1800 or BFO:SENSEX=1000."
            )
    return text

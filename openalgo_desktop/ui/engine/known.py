"""Fields of a tick as far as they are known."""

from __future__ import annotations

from openalgo_desktop.core.ticks import FIELDS_OF, Tick

_PART_OF = {name: part for part, names in FIELDS_OF.items() for name in names}


def known(tick: Tick | None, name: str) -> float | None:
    """A field of the tick; None while its part is not known. A known 0 is 0."""
    if tick is None or not tick.knows(_PART_OF[name]):
        return None
    return float(getattr(tick, name))


def price(tick: Tick | None, name: str = "ltp") -> float | None:
    """A price, None while there is none: not known, or (bid, ask) nobody offers."""
    return known(tick, name) or None

"""The simulated market of a process, worked out once: its assets and contracts of a day are an
eighth of a window's start, and what they are made of never changes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import date

import pytest

from openalgo_desktop.brokers.simulator import assets, universe, world
from openalgo_desktop.brokers.simulator.process import AssetSpec
from openalgo_desktop.brokers.simulator.universe import Contract, UniverseSpec
from openalgo_desktop.core.calendar import MarketCalendar

_spec = functools.cache(universe.load_spec)
_shipped = assets.shipped
_days: dict[tuple[date, float], list[Contract]] = {}


@functools.cache
def _assets(seed: int) -> tuple[AssetSpec, ...]:
    return tuple(_shipped(_spec(), seed))


def _built(
    spec: UniverseSpec, calendar: MarketCalendar, today: date, spot: Callable[[str], float]
) -> list[Contract]:
    day = (today, spot("NIFTY"))
    if day not in _days:
        _days[day] = universe.build(spec, calendar, today, spot)
    return _days[day]


def keep(patch: pytest.MonkeyPatch) -> None:
    """Worlds that are made from now on share what they have in common."""
    patch.setattr(world, "load_spec", _spec)
    patch.setattr(assets, "shipped", lambda spec, seed: _assets(seed))
    patch.setattr(world, "build", _built)

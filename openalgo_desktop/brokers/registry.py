"""All brokers of this installation: ours, and those of other packages.

Ours are found by folder: every package beside this module that is no part of the structure is a
broker, its name the broker id, its ``BROKER`` a :class:`Broker`. Nothing is imported to know the
ids; an adapter is imported when it is first asked for. Another package offers one through an
entry point of group ``openalgo_desktop.brokers``; the entry's name is the broker id and its object
a :class:`Broker`. One that does not load, that has a wrong spec or that takes one of our ids is
left out and logged, never fatal.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

import openalgo_desktop.brokers as home
from openalgo_desktop.core.errors import ConfigError

if TYPE_CHECKING:  # the kit is imported when the first broker is asked for
    from openalgo_desktop.brokers.kit.broker import Broker

log = logging.getLogger(__name__)

GROUP = "openalgo_desktop.brokers"
SIMULATOR = "simulator"

#: Packages beside this module that are no brokers one could add.
_STRUCTURE = frozenset({"kit", "families", SIMULATOR})


def our_ids(path: Iterable[str] | None = None) -> frozenset[str]:
    """The brokers of this package, by folder."""
    found = pkgutil.iter_modules(home.__path__ if path is None else path)
    return frozenset(m.name for m in found if m.ispkg and m.name not in _STRUCTURE)


@cache
def _installed() -> tuple[EntryPoint, ...]:
    """What other packages offer; looked for in all of them once."""
    return tuple(entry_points(group=GROUP))


class Registry:
    """Looks brokers up; modules are imported when they are first asked for."""

    def __init__(self, entries: Iterable[EntryPoint] | None = None) -> None:
        found = _installed() if entries is None else entries
        self._ours = our_ids()
        self._foreign: dict[str, EntryPoint] = {}
        for entry in found:
            if entry.name in self._ours or entry.name in _STRUCTURE:
                log.warning("broker %s of %s ignored: the id is taken", entry.name, entry.value)
            else:
                self._foreign[entry.name] = entry
        self._loaded: dict[str, Broker] = {}

    def ids(self) -> list[str]:
        """Broker ids without the simulator, alphabetical; imports none of them."""
        return sorted([*self._ours, *self._foreign])

    def get(self, broker: str) -> Broker:
        """The broker; :class:`ConfigError` when it is unknown or wrong."""
        if broker not in self._loaded:
            self._loaded[broker] = self._load(broker)
        return self._loaded[broker]

    def _load(self, broker: str) -> Broker:
        entry = self._foreign.get(broker)
        if entry is None and broker not in self._ours:
            raise ConfigError(
                f"Unknown broker {broker!r}; this version has: "
                f"{', '.join([SIMULATOR, *self.ids()])}."
            )
        place = entry.value if entry is not None else f"{home.__name__}.{broker}"
        try:
            offered = entry.load() if entry is not None else importlib.import_module(place).BROKER
            return _checked(broker, offered)
        except ConfigError:
            raise
        except Exception as error:
            raise ConfigError(f"Broker {broker} of {place} cannot be loaded: {error}") from error

    def all(self) -> dict[str, Broker]:
        """Every broker that loads, imported: for pages about all of them, never for a start."""
        result = {}
        for broker in self.ids():
            try:
                result[broker] = self.get(broker)
            except ConfigError as error:
                log.warning("%s", error.message)
        return result


def _checked(broker: str, offered: object) -> Broker:
    from openalgo_desktop.brokers.kit.broker import Broker
    from openalgo_desktop.brokers.kit.spec import require_valid

    if not isinstance(offered, Broker):
        raise ConfigError(f"Broker {broker}: the entry point must give a Broker.")
    if offered.spec.id != broker:
        raise ConfigError(f"Broker {broker}: its spec says {offered.spec.id!r}.")
    require_valid(offered.spec, offered.api)
    return offered

"""All brokers of this installation: ours, and those of other packages.

A package offers one through an entry point of group ``openalgo_desktop.brokers``; the entry's
name is the broker id and its object a :class:`Broker`. An entry that does not load, that has a
wrong spec or that takes one of our ids is left out and logged, never fatal.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from openalgo_desktop.core.errors import ConfigError

if TYPE_CHECKING:  # the kit is imported when the first broker is asked for
    from openalgo_desktop.brokers.kit.broker import Broker

log = logging.getLogger(__name__)

GROUP = "openalgo_desktop.brokers"
SIMULATOR = "simulator"

#: Broker id -> module with a ``BROKER``.
_OURS = {
    "openalgo": "openalgo_desktop.brokers.openalgo",
    "zerodha": "openalgo_desktop.brokers.zerodha",
}


class Registry:
    """Looks brokers up; modules are imported when they are first asked for."""

    def __init__(self, entries: Iterable[EntryPoint] | None = None) -> None:
        found = entry_points(group=GROUP) if entries is None else entries
        self._foreign: dict[str, EntryPoint] = {}
        for entry in found:
            if entry.name in _OURS or entry.name == SIMULATOR:
                log.warning("broker %s of %s ignored: the id is taken", entry.name, entry.value)
            else:
                self._foreign[entry.name] = entry
        self._loaded: dict[str, Broker] = {}

    def ids(self) -> list[str]:
        """Broker ids without the simulator, alphabetical."""
        return sorted([*_OURS, *self._foreign])

    def get(self, broker: str) -> Broker:
        """The broker; :class:`ConfigError` when it is unknown or wrong."""
        if broker not in self._loaded:
            self._loaded[broker] = self._load(broker)
        return self._loaded[broker]

    def _load(self, broker: str) -> Broker:
        if broker in _OURS:
            return _checked(broker, importlib.import_module(_OURS[broker]).BROKER)
        entry = self._foreign.get(broker)
        if entry is None:
            raise ConfigError(
                f"Unknown broker {broker!r}; this version has: "
                f"{', '.join([SIMULATOR, *self.ids()])}."
            )
        try:
            return _checked(broker, entry.load())
        except ConfigError:
            raise
        except Exception as error:
            raise ConfigError(
                f"Broker {broker} of {entry.value} cannot be loaded: {error}"
            ) from error

    def all(self) -> dict[str, Broker]:
        """Every broker that loads."""
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
    require_valid(offered.spec)
    return offered

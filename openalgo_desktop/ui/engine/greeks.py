"""The door to the greeks of what is held."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openalgo_desktop.analytics.contracts import Contracts
from openalgo_desktop.analytics.held_greeks import HeldGreeks, HeldOptions
from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.engine import known

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal


class GreeksDoor:
    """Rows ask :meth:`of` while they are painted; who shows them solves a few times a second."""

    def __init__(self, terminal: Terminal) -> None:
        hub = terminal.hub
        self._held = HeldOptions(
            terminal.instruments,
            Contracts(terminal.instruments, hub),
            terminal.clock,
            lambda key: known.price(hub.fresh(key)),
        )

    def source(self, key: Key) -> Key | None:
        """The instrument whose price the greeks of an option rest on; None for others."""
        return self._held.source(key)

    def solve(self, keys: Iterable[Key]) -> bool:
        """Work out the options whose prices moved, together; True when there are some."""
        return self._held.solve(keys)

    def of(self, key: Key) -> HeldGreeks | None:
        """Of one unit; None while they are not known."""
        return self._held.of(key)

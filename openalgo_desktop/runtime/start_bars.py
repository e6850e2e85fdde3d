"""Starts the bar store and what builds bars of ticks."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

from openalgo_desktop.brokers.registry import SIMULATOR
from openalgo_desktop.core.events import FeedChanged, FeedRefused, SettingChanged
from openalgo_desktop.research.bars.hours import Hours
from openalgo_desktop.research.bars.service import BarService
from openalgo_desktop.research.bars.store import BarStore

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal


def start_bars(terminal: Terminal) -> BarService:
    """The service, open; nothing is read before somebody asks."""
    told = terminal.options.clock_start is not None  # a clock that was set says nothing of bars

    def lasts(source: str) -> bool:
        """The simulator's past depends on its seed, its hours and what was moved by hand."""
        return source != SIMULATOR and not told

    def source_name() -> str:
        """The broker whose prices come; with other addresses it is another source."""
        status = terminal.account.status
        hosts = " ".join(sorted(status.hosts))
        return f"{status.broker}-{crc32(hosts.encode()):08x}" if hosts else status.broker

    store = BarStore(
        terminal.data_dir.path / "bars", lambda: int(terminal.settings["bars.max_mb"]), lasts
    )
    hours = Hours(terminal.calendar, terminal.always_open)
    bars = BarService(terminal.hub, terminal.clock, hours, store, source_name, lasts)
    terminal.on_stop(bars.close)
    subscribe = terminal.bus.subscribe
    terminal.on_stop(subscribe(FeedChanged, lambda event: bars.feed_changed(event.connected)))
    terminal.on_stop(subscribe(FeedRefused, lambda event: bars.refused(event.key, event.reason)))

    def changed(event: SettingChanged) -> None:
        if event.key.startswith("calendar."):
            bars.rebuild()

    terminal.on_stop(subscribe(SettingChanged, changed))
    return bars

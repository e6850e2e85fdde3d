"""Hosted programs for who asks seldom: the host is loaded when there is a program, or when somebody
asks. A terminal without programs starts and weighs as if there were none of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.strategies.hosted import HostedView

if TYPE_CHECKING:
    from openalgo_desktop.automation.host.service import Host
    from openalgo_desktop.runtime.terminal import Terminal

#: Where the rows of programs are, and of what they were to do.
_SCOPES = ("hosted", "hosted-runs")
#: A row beside them: when an engine looked after programs last.
_SEEN = "seen"


class Programs:
    """See :class:`~openalgo_desktop.core.strategies.ports.ProgramHost`; ``host`` is all of it."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._host: Host | None = None

    @property
    def host(self) -> Host:
        """The host itself. Where it was not loaded at the start there is no program yet."""
        if self._host is None:
            self._host = self._made()
            self._host.begin()
        return self._host

    def _made(self) -> Host:
        from openalgo_desktop.runtime.start_host import make_host

        host = make_host(self._terminal)
        self._terminal.on_stop(host.close)
        return host

    async def take_up(self) -> None:
        """At the start of the engine: what ran goes on, is started again, or ends."""
        if not await self._any():
            return
        host = self._host = self._made()
        await host.take_up()
        host.begin()

    async def _any(self) -> bool:
        """Whether there are programs, or there may be processes of some."""
        runs = self._terminal.data_dir.path / "strategies" / "runs"
        if await asyncio.to_thread(lambda: runs.is_dir() and any(runs.iterdir())):
            return True
        rows = [await self._terminal.state.all(scope) for scope in _SCOPES]
        return any(key != _SEEN for found in rows for key in found)

    # -- ProgramHost ------------------------------------------------------------------------
    def all(self) -> Sequence[HostedView]:
        """By name."""
        return self.host.all()

    def get(self, name: str) -> HostedView:
        """By name or id."""
        return self.host.get(name)

    async def start(self, name: str, mode: Mode, by: str) -> HostedView:
        """Start one."""
        return await self.host.start(name, mode, by)

    async def stop(self, name: str, by: str, *, square_off: bool | None = None) -> HostedView:
        """Stop one."""
        return await self.host.stop(name, by, square_off=square_off)

    async def stop_all(self, by: str) -> Sequence[HostedView]:
        """Stop all that run."""
        return await self.host.stop_all(by)

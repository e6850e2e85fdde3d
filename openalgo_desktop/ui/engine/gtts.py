"""The broker's good-till-triggered orders, read once for all docks that show them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.gtt import Gtt
from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.engine.by_key import ByKey

#: Read again this often while a dock shows them, milliseconds: no stream tells of them.
READ_MS = 15_000


class Source(Protocol):
    """Who is asked."""

    @property
    def has_gtt(self) -> bool: ...
    async def gtts(self) -> list[Gtt]: ...


class GttBook(QObject):
    """``rows`` are those of the account of the current mode, newest first; ``problem`` says why
    they cannot be read. Nothing is asked while nobody holds it."""

    changed = Signal(object)  # frozenset[Key]: whose orders are others; empty: only the problem

    def __init__(
        self,
        source: Source,
        spawn: Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._source = source
        self._spawn = spawn
        self._task: asyncio.Task[None] | None = None
        self._holders = 0
        self.rows: Sequence[Gtt] = ()
        self._by_key: ByKey[Gtt] = ByKey()
        self.problem = ""
        self._timer = QTimer(self)
        self._timer.setInterval(READ_MS)
        self._timer.timeout.connect(self.read)

    def hold(self) -> Callable[[], None]:
        """Keep them up to date until the returned call."""
        self._holders += 1
        if self._holders == 1:
            self._timer.start()
            self.read()
        held = True

        def release() -> None:
            nonlocal held
            self._holders -= held
            held = False
            if not self._holders:
                self._timer.stop()

        return release

    def of(self, key: Key) -> list[Gtt]:
        """Those of an instrument; cheap enough for each chart and event."""
        return list(self._by_key.of(key))

    def forget(self) -> None:
        """Mode or account is another: what was read is not of it."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._show((), "")
        if self._holders:
            self.read()

    def read(self) -> None:
        """Read them now; a read under way is given up, for it may be of another account."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if not self._source.has_gtt:
            self._show((), "")
            return
        self._task = self._spawn(self._read(), "read GTTs")

    async def _read(self) -> None:
        try:
            rows = await self._source.gtts()
        except AppError as error:
            self._show((), error.message)
        else:
            self._show(rows, "")

    def _show(self, rows: Sequence[Gtt], problem: str) -> None:
        if list(rows) != list(self.rows) or problem != self.problem:
            self.rows, self.problem = tuple(rows), problem
            self.changed.emit(self._by_key.show(rows))

"""What is at work in the program: for the question before leaving, and for orders without an
answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QObject, QTimer, Signal

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.trading.webhooks import WebhookStore

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal

#: An order whose answer is not there after so many seconds is told; looked at so often.
PATIENCE, LOOK_MS = 3.0, 500


class AtWork(NamedTuple):
    """What is at work. Numbers of the paper account and of the live account by themselves;
    ``exits`` are those that our core watches, ``runners`` strategies that run, and webhooks that
    listen, by name."""

    live_positions: int = 0
    live_orders: int = 0
    paper_positions: int = 0
    paper_orders: int = 0
    unsettled: int = 0
    exits: int = 0
    runners: tuple[str, ...] = ()
    clients: int = 0

    @property
    def asks(self) -> bool:
        """Whether leaving needs a word. Connected scripts alone do not: they can connect again."""
        return any(self[:-1])


class WorkDoor(QObject):
    """Counts; and tells once of each order write that waits too long for its answer."""

    unanswered = Signal(str, float)  # place, modify or cancel; seconds
    waiting_changed = Signal(int)  # how many wait too long now

    def __init__(self, terminal: Terminal, parent: QObject) -> None:
        super().__init__(parent)
        self._terminal = terminal
        self._webhooks = WebhookStore(terminal.state)
        self._told: set[int] = set()
        self.waiting = 0
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def close(self) -> None:
        """Look no more."""
        self._timer.stop()

    def look(self) -> None:
        """Which order writes wait too long."""
        late = self._terminal.desk.sender.pace.waiting(PATIENCE)
        for row in late:
            if row.key not in self._told:
                self.unanswered.emit(row.kind, row.seconds)
        self._told = {row.key for row in late}
        if len(late) != self.waiting:
            self.waiting = len(late)
            self.waiting_changed.emit(self.waiting)

    def _counts(self, mode: Mode) -> tuple[int, int]:
        book = self._terminal.desk.books.book(mode)
        return book.open_positions(), book.working_count()

    async def _runners(self) -> list[str]:
        """Made strategies and programs that run, then webhooks that listen."""
        made = await self._terminal.strategies.find()
        names = [row.definition.name for row in made if row.current_run_id is not None]
        names += [view.hosted.name for view in self._terminal.programs.all() if view.state.is_up]
        if self._terminal.api is not None:
            names += [row.name for row in await self._webhooks.all() if row.active]
        return names

    async def at_work(self) -> AtWork:
        """Everything that leaving the program would leave behind."""
        live_positions, live_orders = self._counts(Mode.LIVE)
        paper_positions, paper_orders = self._counts(Mode.SANDBOX)
        api = self._terminal.api
        return AtWork(
            live_positions,
            live_orders,
            paper_positions,
            paper_orders,
            self._terminal.desk.unsettled(),
            self._terminal.watch.waiting,
            tuple(await self._runners()),
            api.clients if api is not None else 0,
        )

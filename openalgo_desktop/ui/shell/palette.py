"""The command palette: symbols and commands found by a few letters, the recent ones first.

Enter on a symbol shows it and on a command runs it. It never sends an order: commands that would
are not offered (``CommandEntry`` is made only of what opens, shows, asks or reduces risk).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from openalgo_desktop.core import fuzzy
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.search import describe
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip

NAME = "palette"
WIDTH, TOP, ROW, ROWS = 620, 64, 26, 14
#: Of each kind at most so many are listed together.
SYMBOLS, COMMANDS, RECENT = 12, 12, 8
#: Remembered, newest first.
KEPT = 30
#: Points that a recent command is ahead of others found alike.
RECENT_BONUS = 15.0
HINT = "Enter: show the symbol or run the command     Ctrl+Enter: add the symbol to the watchlist"
_ROLE = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """Something that the palette can run. ``words`` are other names that people use for it."""

    ident: str
    title: str
    run: Callable[[], object]
    group: str = ""
    key: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A row of the list: a command or a symbol."""

    text: str
    right: str
    command: CommandEntry | None = None
    symbol: Key | None = None

    @property
    def ident(self) -> str:
        """What is remembered of it."""
        if self.symbol is not None:
            return f"symbol:{self.symbol[0]}:{self.symbol[1]}"
        return f"command:{self.command.ident}" if self.command is not None else ""


def ranked(query: str, entries: Iterable[CommandEntry], recent: Sequence[str]) -> list[Found]:
    """Commands for what was typed, best first; recent ones lead those that are found alike."""
    found = []
    for entry in entries:
        points = max(
            fuzzy.score(query, entry.title),
            fuzzy.score(query, f"{entry.group} {entry.title}") - 5.0,
            max((fuzzy.score(query, w.strip()) - 3.0 for w in entry.words.split(",")), default=0.0)
            if entry.words
            else 0.0,
        )
        if points <= 0:
            continue
        ident = f"command:{entry.ident}"
        if ident in recent:
            points += RECENT_BONUS * (1.0 - recent.index(ident) / KEPT)
        found.append((points, entry))
    found.sort(key=lambda row: (-row[0], row[1].title))
    return [_command_row(entry) for _, entry in found]


def _command_row(entry: CommandEntry) -> Found:
    text = f"{entry.group}: {entry.title}" if entry.group else entry.title
    return Found(f"›  {text}", entry.key, command=entry)


class Palette(QFrame):
    """A sheet over the window. ``commands`` gives the entries of the moment."""

    symbol_chosen = Signal(object)  # Key
    symbol_added = Signal(object)  # Key, for the watchlist
    remembered = Signal(list)  # idents of what was used, newest first

    def __init__(
        self, window: QWidget, bridge: Bridge, commands: Callable[[], list[CommandEntry]]
    ) -> None:
        super().__init__(window)
        self._bridge, self._commands = bridge, commands
        self._entries: list[CommandEntry] = []
        self._only_commands = False
        self._asked = 0
        self._found: list[Found] = []
        self.recent: list[str] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(30)
        self._timer.timeout.connect(self._search)
        named(self, NAME, "Command palette")
        self.setProperty("role", "palette")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 8)
        column.setSpacing(6)
        self.field = named(QLineEdit(), f"{NAME}-field", "Symbol or command")
        self.field.textEdited.connect(lambda _: self._timer.start())
        self.field.installEventFilter(self)
        column.addWidget(self.field)
        self.results = named(QListWidget(), f"{NAME}-results", "Found symbols and commands")
        self.results.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.results.setProperty("role", "popup")
        self.results.setUniformItemSizes(True)
        self.results.itemClicked.connect(lambda item: self._take(item, False))
        column.addWidget(self.results, 1)
        self.hint = label(HINT, f"{NAME}-hint", "caption")
        self.hint.setWordWrap(True)
        column.addWidget(self.hint)
        window.installEventFilter(self)
        self.hide()

    # -- showing ----------------------------------------------------------------------------
    def open(self, only_commands: bool = False) -> None:
        """Show it, empty; again closes it."""
        if self.isVisible() and self._only_commands == only_commands:
            self.dismiss()
            return
        self._only_commands = only_commands
        self._entries = self._commands()
        self.field.clear()
        self.field.setPlaceholderText("Command" if only_commands else "Symbol or command")
        self.hint.setVisible(not only_commands)
        self._back = self.window().focusWidget()
        self._place()
        self._search()
        self.raise_()
        self.show()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def dismiss(self) -> None:
        """Close it; the focus goes back to where it was."""
        self._timer.stop()
        self._asked += 1
        if not self.isVisible():
            return
        back, self._back = self._back, None
        had = self.isAncestorOf(self.window().focusWidget() or self)
        self.hide()
        if had and back is not None and back.isVisible():
            back.setFocus(Qt.FocusReason.OtherFocusReason)

    _back: QWidget | None = None

    def _place(self) -> None:
        window = self.window()
        width = min(WIDTH, window.width() - 20)
        height = min(ROW * ROWS + 84, window.height() - TOP - 20)
        self.setGeometry((window.width() - width) // 2, TOP, width, height)

    def search_now(self) -> None:
        """Find what the field says, without waiting for more."""
        self._timer.stop()
        self._search()

    # -- finding ----------------------------------------------------------------------------
    def _search(self) -> None:
        query = self.field.text().strip()
        self._asked += 1
        if not query:
            self._show(self._recent_rows())
            return
        commands = ranked(query, self._entries, self.recent)
        if self._only_commands:
            self._show(commands[: 2 * COMMANDS])
            return
        symbols = [self._symbol_row(row) for row in self._bridge.search(query, SYMBOLS)]
        self._show(self._mixed(query, symbols, commands[:COMMANDS]))
        if not symbols and not commands:
            self._bridge.spawn(self._search_texts(query, self._asked), "palette search")

    async def _search_texts(self, query: str, asked: int) -> None:
        """No name is like it: broker symbols and parts of texts, in a thread."""
        found = await self._bridge.search_texts(query, SYMBOLS)
        if asked == self._asked and self.isVisible():
            self._show([self._symbol_row(row) for row in found])

    def _mixed(self, query: str, symbols: list[Found], commands: list[Found]) -> list[Found]:
        """A command whose name begins with what was typed goes first, then the symbols (recent
        ones leading), then the other commands."""
        symbols.sort(key=lambda row: self._age(row.ident))
        exact = [row for row in symbols if row.symbol and row.symbol[1].lower() == query.lower()]
        rest = [row for row in symbols if row not in exact]
        named_so = [
            row
            for row in commands
            if len(query) > 2
            and row.command is not None
            and row.command.title.lower().startswith(query.lower())
        ]
        others = [row for row in commands if row not in named_so]
        return [*exact, *named_so, *rest, *others]

    def _age(self, ident: str) -> int:
        return self.recent.index(ident) if ident in self.recent else KEPT

    def _recent_rows(self) -> list[Found]:
        """What was used last, then all commands in the order of their groups."""
        by_ident = {f"command:{entry.ident}": entry for entry in self._entries}
        rows: list[Found] = []
        for ident in self.recent:
            kind, _, rest = ident.partition(":")
            if kind == "command" and ident in by_ident:
                rows.append(_command_row(by_ident[ident]))
            elif kind == "symbol" and not self._only_commands:
                exchange, _, symbol = rest.partition(":")
                if (row := self._bridge.instrument((exchange, symbol))) is not None:
                    rows.append(self._symbol_row(row))
        rows = rows[:RECENT]
        shown = {row.ident for row in rows}
        return rows + [
            _command_row(entry) for entry in self._entries if f"command:{entry.ident}" not in shown
        ]

    def _symbol_row(self, row: Instrument) -> Found:
        return Found(describe(row, self._bridge.name(row.key)), "", symbol=row.key)

    def _show(self, rows: list[Found]) -> None:
        self._found = rows
        self.results.clear()
        metrics = self.results.fontMetrics()
        room = self.width() - 60
        for row in rows:
            right = f"     {row.right}" if row.right else ""
            left = room - metrics.horizontalAdvance(right)
            text = metrics.elidedText(row.text, Qt.TextElideMode.ElideRight, left)
            item = QListWidgetItem(text + right)
            if text != row.text:
                item.setToolTip(plain_tip(row.text))
            item.setData(_ROLE, row)
            self.results.addItem(item)
        if not rows:
            item = QListWidgetItem(f"Nothing found for “{self.field.text().strip()}”")
            item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.results.addItem(item)
        self.results.setCurrentRow(0)

    # -- hands ------------------------------------------------------------------------------
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and event.type() == QEvent.Type.KeyPress:
            assert isinstance(event, QKeyEvent)
            return self._on_key(event)
        if watched is self.field and event.type() == QEvent.Type.ShortcutOverride:
            assert isinstance(event, QKeyEvent)
            # Its own keys are not those of the window while it is open: Ctrl+Enter sends nothing.
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape):
                event.accept()
                return True
        if watched is self.field and event.type() == QEvent.Type.FocusOut and self.isVisible():
            QTimer.singleShot(150, self, self._left)
        if watched is self.window() and event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    def _left(self) -> None:
        if self.isVisible() and not self.field.hasFocus():
            self.dismiss()

    def _on_key(self, event: QKeyEvent) -> bool:
        step = {
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageDown: ROWS,
            Qt.Key.Key_PageUp: -ROWS,
        }.get(Qt.Key(event.key()))
        if step is not None:
            row = self.results.currentRow() + step
            self.results.setCurrentRow(max(0, min(self.results.count() - 1, row)))
            return True
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
            return True
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not event.isAutoRepeat():
                self._enter(bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))
            return True
        return False

    def _enter(self, add: bool) -> None:
        if self._timer.isActive():  # typed faster than the search: search now
            self.search_now()
        if (item := self.results.currentItem()) is not None:
            self._take(item, add)

    def _take(self, item: QListWidgetItem, add: bool) -> None:
        row: Any = item.data(_ROLE)
        if not isinstance(row, Found):
            return
        if add and row.symbol is None:
            return
        self._remember(row.ident)
        self.dismiss()
        if row.symbol is not None:
            (self.symbol_added if add else self.symbol_chosen).emit(row.symbol)
        elif row.command is not None:
            row.command.run()

    def _remember(self, ident: str) -> None:
        self.recent = [ident, *(known for known in self.recent if known != ident)][:KEPT]
        self.remembered.emit(list(self.recent))

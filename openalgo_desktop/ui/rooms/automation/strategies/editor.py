"""The form of a made strategy. Saving sends nothing: a strategy trades when it is started."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QTabWidget, QVBoxLayout, QWidget

from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.strategies import describe
from openalgo_desktop.core.strategies.checks import problems
from openalgo_desktop.core.strategies.files import from_file, to_file
from openalgo_desktop.core.strategies.model import Definition
from openalgo_desktop.core.strategies.rows import MadeStrategy
from openalgo_desktop.core.strategies.words import StrategyKind
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.dialogs import come_up, is_open
from openalgo_desktop.ui.kit.exporting import write_bytes
from openalgo_desktop.ui.kit.forms import Form
from openalgo_desktop.ui.kit.save_file import ask_path
from openalgo_desktop.ui.kit.widgets import label, named, push_button, set_role, slug
from openalgo_desktop.ui.rooms.automation.strategies.legs import LegsPage
from openalgo_desktop.ui.rooms.automation.strategies.strategy_lines import (
    BASICS,
    RISK,
    SCHEDULE,
    definition_of,
    place_of,
    values_of,
)

NAME = "dialog-strategy"
FILES = ("Strategies", "json")
NEW = Definition(name="", kind=StrategyKind.BATCH, underlying="NIFTY",
                 underlying_exchange="NSE_INDEX")  # fmt: skip


class StrategyDialog(QDialog):
    """New, or ``old`` to change. Not modal; gone when closed."""

    def __init__(
        self,
        parent: QWidget,
        bridge: Bridge,
        old: MadeStrategy | None = None,
        draft: Definition | None = None,
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.old = old
        self._base = old.definition if old is not None else draft or NEW
        self._saving = False
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setModal(False)
        self.resize(look.px(900), look.px(620))
        title = "New strategy" if old is None else f"Strategy {old.definition.name}"
        named(self, NAME, title)
        self.setWindowTitle(title)
        column = QVBoxLayout(self)
        column.setSpacing(8)
        self.tabs = named(QTabWidget(), f"{NAME}-pages", "Pages of the strategy")
        self.basics = Form(f"{NAME}-basics", "Strategy", BASICS)
        self.legs = LegsPage(bridge)
        self.risk = Form(f"{NAME}-risk", "Risk", RISK)
        self.schedule = Form(f"{NAME}-schedule", "Schedule and webhook", SCHEDULE)
        self._forms = {0: self.basics, 2: self.risk, 3: self.schedule}
        for page, text in (
            (self.basics, "Strategy"),
            (self.legs, "Legs"),
            (self.risk, "Risk"),
            (self.schedule, "Schedule"),
        ):
            self.tabs.addTab(page, text)
        column.addWidget(self.tabs, 1)
        self.words = label("", f"{NAME}-words", "muted")
        self.words.setWordWrap(True)
        column.addWidget(self.words)
        column.addLayout(self._build_foot())
        self.show_definition(self._base)
        for form in self._forms.values():
            form.changed.connect(self._on_change)
        self.legs.changed.connect(self._on_change)
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)

    def _build_foot(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.message = label("", f"{NAME}-message", "muted")
        self.message.setWordWrap(True)
        row.addWidget(self.message, 1)
        for text, name, title, call in (
            ("Import…", "import", "Fill the form from a file", self._import),
            ("Export…", "export", "Write the strategy to a file", self._export),
        ):
            row.addWidget(push_button(text, f"{NAME}-{name}", title, call))
        row.addWidget(push_button("Close", f"{NAME}-close", "Close", self.close))
        self.save = push_button("Save", f"{NAME}-save", "Save the strategy", self._submit)
        self.save.setProperty("role", "primary")
        row.addWidget(self.save)
        return row

    # -- content ------------------------------------------------------------------------------
    def show_definition(self, definition: Definition) -> None:
        """Fill every page."""
        values = values_of(definition)
        for form in self._forms.values():
            form.show_values(values)
        self.legs.set_kind(definition.kind, definition.underlying)
        self.legs.show_legs(definition.legs)
        self._on_change()

    def definition(self) -> Definition:
        """The strategy as the pages stand. Raises ``ValueError`` with a sentence."""
        values = {**self.risk.values(), **self.schedule.values(), **self.basics.values()}
        return definition_of(values, self.legs.legs, self._base)

    def _on_change(self) -> None:
        values = self.basics.values()
        self.legs.set_kind(StrategyKind(values["kind"]), str(values["underlying"]).upper())
        try:
            definition = self.definition()
        except ValueError as error:
            self.words.setText(str(error))
            return
        words = describe.run_rules_words(definition)
        self.words.setText(f"{words[:1].upper()}{words[1:]}")

    def _say(self, text: str, role: str) -> None:
        self.message.setText(text)
        set_role(self.message, role)

    # -- files --------------------------------------------------------------------------------
    def _import(self) -> None:
        self._bridge.spawn(self._read(), "import strategy")

    async def _read(self) -> None:
        path = await ask_path(self, "Import a strategy", *FILES, save=False)
        if path is None:
            return
        try:
            definition = from_file(await asyncio.to_thread(path.read_bytes))
        except AppError as error:
            self._say(error.message, "error")
        except OSError as error:
            self._say(f"{path.name} cannot be read: {error.strerror}.", "error")
        else:
            self.show_definition(definition)
            self._say(f"{path.name} is shown. It is kept when you save it.", "muted")

    def _export(self) -> None:
        self._bridge.spawn(self._write(), "export strategy")

    async def _write(self) -> None:
        try:
            definition = self.definition()
        except ValueError as error:
            self._say(str(error), "error")
            return
        name = f"{slug(definition.name) or 'strategy'}.json"
        path = await ask_path(self, "Export the strategy", *FILES, name)
        if path is not None:
            await write_bytes(path, lambda: to_file(definition))
            self._say(f"Written to {path.name}.", "success")

    # -- saving -------------------------------------------------------------------------------
    def _submit(self) -> None:
        if self._saving:
            return
        self._say("", "muted")
        for at, form in self._forms.items():
            form.clear_errors()
            if form.problem():
                self.tabs.setCurrentIndex(at)
                return
        if self.legs.problem():
            self.tabs.setCurrentIndex(1)
            return
        try:
            definition = self.definition()
        except ValueError as error:
            self._say(str(error), "error")
            return
        if found := problems(definition):
            self._tell(found)
            return
        self._saving = True
        self.save.setEnabled(False)
        self._bridge.spawn(self._store(definition), "save strategy")

    def _tell(self, found: Mapping[str, str]) -> None:
        """Each problem under its line, the first one in sight; others beside the buttons."""
        rest = []
        for field, text in reversed(tuple(found.items())):
            at, leg, name = place_of(field)
            self.tabs.setCurrentIndex(at)
            if leg is not None:
                shown = self.legs.set_error(leg, name, text)
            else:
                shown = at in self._forms and self._forms[at].set_error(name, text)
            if not shown:
                rest.append(text)
        self._say(" ".join(reversed(rest)), "error")

    async def _store(self, definition: Definition) -> None:
        door = self._bridge.strategies
        try:
            if self.old is None:
                stored = await door.create(definition)
            else:
                stored = await door.update(self.old.strategy_id, definition)
        except AppError as error:
            if not is_open(self):
                raise
            self._saving = False
            self.save.setEnabled(True)
            self._say(self._bridge.names.spoken(error.message), "error")
            return
        self._bridge.notice.emit("info", f"Strategy saved: {stored.definition.name}")
        if is_open(self):
            self.close()


def show_editor(
    parent: QWidget,
    bridge: Bridge,
    old: MadeStrategy | None = None,
    draft: Definition | None = None,
) -> StrategyDialog:
    """Open the form; that of a strategy is there once."""
    for known in parent.findChildren(StrategyDialog):
        same = known.old is not None and old is not None
        if same and known.isVisible() and known.old.strategy_id == old.strategy_id:  # type: ignore[union-attr]
            come_up(known)
            return known
    dialog = StrategyDialog(parent, bridge, old, draft)
    come_up(dialog)
    return dialog

"""The legs of a strategy that is being edited: the list at the left, the chosen one beside it."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QListWidgetItem, QStackedWidget, QVBoxLayout, QWidget

from openalgo_desktop.core.model import Key
from openalgo_desktop.core.strategies import describe
from openalgo_desktop.core.strategies.model import (
    MAX_LEGS,
    BatchLeg,
    Expiry,
    Leg,
    Segment,
    SignalLeg,
)
from openalgo_desktop.core.strategies.words import StrategyKind
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.forms import Form
from openalgo_desktop.ui.kit.plain_list import PlainList
from openalgo_desktop.ui.kit.search import SymbolSearch
from openalgo_desktop.ui.kit.widgets import named, push_button
from openalgo_desktop.ui.rooms.automation.strategies.leg_lines import (
    BATCH,
    SIGNAL,
    batch_leg,
    leg_values,
    signal_leg,
)

NAME = "dialog-strategy-legs"
EMPTY = "No legs yet."


class LegsPage(QWidget):
    """``changed`` when a leg was added, removed or edited."""

    changed = Signal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        named(self, NAME, "Legs")
        self._bridge = bridge
        self._kind = StrategyKind.BATCH
        self._underlying = ""
        self._legs: list[Leg] = []
        self._at = -1
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 6, 0, 0)
        row.setSpacing(10)
        row.addLayout(self._build_list(), 2)
        self.batch = Form(f"{NAME}-batch", "Leg", BATCH)
        self.signal = Form(f"{NAME}-signal", "Leg", SIGNAL)
        self._stack = named(QStackedWidget(), f"{NAME}-form", "Leg")
        for form in (self.batch, self.signal):
            form.changed.connect(self._on_form)
            self._stack.addWidget(form)
        row.addWidget(self._stack, 3)
        self._show_leg(-1)

    def _build_list(self) -> QVBoxLayout:
        column = QVBoxLayout()
        self.search = SymbolSearch(self._bridge, f"{NAME}-search", "Add a symbol")
        self.search.chosen.connect(self._add_symbol)
        column.addWidget(self.search)
        self.list = PlainList(f"{NAME}-list", "Legs", EMPTY)
        self.list.setMinimumWidth(look.px(260))
        self.list.setWordWrap(True)
        self.list.currentRowChanged.connect(self._show_leg)
        column.addWidget(self.list, 1)
        buttons = QHBoxLayout()
        self.add = push_button("Add leg", f"{NAME}-add", "Add a leg", self._add)
        self.copy = push_button("Copy", f"{NAME}-copy", "Copy the leg", self._copy)
        self.remove = push_button("Remove", f"{NAME}-remove", "Remove the leg", self._remove)
        for button in (self.add, self.copy, self.remove):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        buttons.addStretch(1)
        column.addLayout(buttons)
        return column

    # -- content ------------------------------------------------------------------------------
    @property
    def legs(self) -> tuple[Leg, ...]:
        """The legs as they stand."""
        return tuple(self._legs)

    def show_legs(self, legs: tuple[Leg, ...]) -> None:
        """Replace all."""
        self._legs = list(legs)
        self._fill(0 if legs else -1)

    def set_kind(self, kind: StrategyKind, underlying: str) -> None:
        """Legs of the other kind mean nothing here: they go."""
        self._underlying = underlying
        if kind is not self._kind:
            self._kind = kind
            wanted = BatchLeg if kind is StrategyKind.BATCH else SignalLeg
            kept = [leg for leg in self._legs if isinstance(leg, wanted)]
            if len(kept) != len(self._legs):
                self._legs = kept
                self._fill(0 if kept else -1)
        batch = kind is StrategyKind.BATCH
        self.search.setVisible(not batch)
        self.add.setVisible(batch)
        self._stack.setCurrentWidget(self.batch if batch else self.signal)
        self._write_list()

    def set_error(self, at: int, name: str, text: str) -> bool:
        """Say what is wrong with a line of a leg; whether there is such a line in sight."""
        if not 0 <= at < len(self._legs):
            return False
        self.list.setCurrentRow(at)
        return self._form.set_error(name, text)

    def problem(self) -> bool:
        """Whether the leg in sight has a number that is none."""
        return self._at >= 0 and self._form.problem()

    @property
    def _form(self) -> Form:
        return self.batch if self._kind is StrategyKind.BATCH else self.signal

    def _fill(self, at: int) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        for _ in self._legs:
            self.list.addItem(QListWidgetItem(""))
        self._write_list()
        self.list.setCurrentRow(at)
        self.list.blockSignals(False)
        self._show_leg(at)

    def _write_list(self) -> None:
        for row, leg in enumerate(self._legs):
            rules = describe.rules_words(leg.rules)
            text = f"{row + 1}.  {describe.leg_words(leg, self._underlying)}"
            item = self.list.item(row)
            if item is not None:
                item.setText(f"{text}\n{rules}" if rules else text)

    def _show_leg(self, at: int) -> None:
        self._at = at if 0 <= at < len(self._legs) else -1
        there = self._at >= 0
        self._stack.setEnabled(there)
        self.remove.setEnabled(there)
        full = len(self._legs) >= MAX_LEGS
        self.copy.setEnabled(there and not full)
        self.add.setEnabled(not full)
        self.search.setEnabled(not full)
        if there:
            self._form.show_values(leg_values(self._legs[self._at]))

    def _on_form(self) -> None:
        if self._at < 0:
            return
        old = self._legs[self._at]
        if isinstance(old, SignalLeg):
            self._legs[self._at] = signal_leg(
                old.leg_id, old.symbol, old.exchange, self.signal.values()
            )
        else:
            self._legs[self._at] = batch_leg(old.leg_id, self.batch.values())
        self._write_list()
        self.changed.emit()

    # -- commands -----------------------------------------------------------------------------
    def _next_id(self) -> int:
        return max((leg.leg_id for leg in self._legs), default=0) + 1

    def _append(self, leg: Leg) -> None:
        self._legs.append(leg)
        self._fill(len(self._legs) - 1)
        self.changed.emit()

    def _add(self) -> None:
        self._append(
            BatchLeg(
                leg_id=self._next_id(),
                segment=Segment.OPTIONS,
                position="S",
                option_type="CE",
                expiry=Expiry.WEEKLY,
            )
        )

    def _add_symbol(self, key: Key) -> None:
        instrument = self._bridge.instrument(key)
        self.search.clear()
        if instrument is None or instrument.is_index or len(self._legs) >= MAX_LEGS:
            return
        self._append(
            SignalLeg(
                leg_id=self._next_id(),
                symbol=key[1],
                exchange=key[0],
                quantity=max(1, instrument.lot_size),
            )
        )

    def _copy(self) -> None:
        self._append(msgspec.structs.replace(self._legs[self._at], leg_id=self._next_id()))

    def _remove(self) -> None:
        del self._legs[self._at]
        self._fill(min(self._at, len(self._legs) - 1))
        self.changed.emit()

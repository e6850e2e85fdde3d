"""The form of an exit at the day's result: everything of a strategy, or of the account, is closed
at a loss, at a profit, or so much below the best. Not modal."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from openalgo_desktop.core.errors import AppError, InvalidOrder
from openalgo_desktop.core.exits import ONLY_WHILE_RUNNING, PlanState, ResultExit
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.dialogs import is_open
from openalgo_desktop.ui.kit.fields import DecimalField, Field, StillCombo
from openalgo_desktop.ui.kit.sending import sends
from openalgo_desktop.ui.kit.widgets import label, named, push_button

ACCOUNT = "The whole account"
#: Limits by their names in a plan, and what the form calls them.
LIMITS = {
    "loss": "Close at a loss of ₹",
    "profit": "Close at a profit of ₹",
    "trail": "Close so far below the best, ₹",
}
#: The result is shown anew this often, milliseconds.
LOOK_MS = 500
#: Rupees at most; more is a typing error.
MOST = 1_000_000_000.0


class ResultDialog(QDialog):
    """A new exit, or the limits of one that is there; its strategy stays."""

    def __init__(self, parent: QWidget, bridge: Bridge, plan: ResultExit | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._mode = bridge.mode
        self._plan = plan
        self._sending = False
        self.setModal(False)
        self.setMinimumWidth(look.px(400))
        named(self, "dialog-result", "Exit at the day's result")
        self.setWindowTitle(f"Exit at the day's result  ·  {self._mode.value.upper()}")
        column = QVBoxLayout(self)
        column.setSpacing(8)
        self.whose = StillCombo()
        self.whose.addItems([ACCOUNT, *self._labels()])
        column.addWidget(Field("Of", self.whose, "dialog-result-of"))
        self.now = label("", "dialog-result-now", "muted")
        column.addWidget(self.now)
        self.editors = {name: DecimalField() for name in LIMITS}
        self.fields: dict[str, Field] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        for place, (name, words) in enumerate(LIMITS.items()):
            editor = self.editors[name]
            editor.setRange(0.0, MOST)
            editor.setSingleStep(500.0)
            self.fields[name] = Field(words, editor, f"dialog-result-{name}")
            grid.addWidget(self.fields[name], place // 2, place % 2)
        column.addLayout(grid)
        self.hint = label("", "dialog-result-hint", "muted")
        self.hint.setWordWrap(True)
        self.answer = label("", "dialog-result-answer", "error")
        self.answer.setWordWrap(True)
        column.addWidget(self.hint)
        column.addWidget(self.answer)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(push_button("Close", "dialog-result-close", "Close", self.close))
        self.save = sends(push_button("Save", "dialog-result-save", "Save the exit", self._submit))
        row.addWidget(self.save)
        column.addLayout(row)
        if plan is not None:
            self._fill(plan)
        self.whose.currentTextChanged.connect(lambda _: self._show())
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._show)
        self._timer.start()
        self._show()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._timer.stop()
        super().closeEvent(event)

    def _labels(self) -> list[str]:
        """Strategies that have orders today."""
        found = {order.strategy for order in self._bridge.books.orders.values() if order.strategy}
        if self._plan is not None and self._plan.label:
            found.add(self._plan.label)
        return sorted(found, key=str.casefold)

    def _fill(self, plan: ResultExit) -> None:
        self.whose.setCurrentText(plan.label or ACCOUNT)
        self.whose.setEnabled(False)
        for name, value in (("loss", plan.loss), ("profit", plan.profit), ("trail", plan.trail)):
            self.editors[name].setValue(float(value or 0))

    @property
    def label_of(self) -> str:
        """The strategy; empty for the account."""
        return "" if self.whose.currentIndex() == 0 else self.whose.currentText()

    # -- what is shown ----------------------------------------------------------------------
    def _show(self) -> None:
        result = self._bridge.watch.today(self.label_of, self._mode)
        now = fmt.MISSING if result is None else fmt.rupees(float(result), signed=True)
        self.now.setText(f"Today's result now: {now}")
        what = f"what {self.label_of} holds" if self.label_of else "every position"
        orders = "its working exits" if self.label_of else "all working orders"
        text = f"Cancels {orders} and closes {what} at market. 0 is none. Works "
        text += f"{ONLY_WHILE_RUNNING}."
        if self._is_taken():
            text += " It takes the place of the one that is there."
        if self._plan is not None and self._plan.state is not PlanState.ACTIVE:
            text += f" It is {self._plan.state.value}: saving watches it again."
        self.hint.setText(text)
        self.save.setEnabled(not self._sending and self._mode is self._bridge.mode)

    def _is_taken(self) -> bool:
        """Whether a new one replaces another: there is one for each strategy."""
        if self._plan is not None:
            return False
        return any(
            isinstance(plan, ResultExit) and plan.state.is_open and plan.label == self.label_of
            for plan in self._bridge.watch.plans(self._mode)
        )

    # -- sending ----------------------------------------------------------------------------
    def _submit(self) -> None:
        if self._sending:
            return
        self.answer.setText("")
        for name, field in self.fields.items():
            problem = self.editors[name].problem()
            field.set_error(problem)
            if problem:
                return
        limits = {name: editor.value() or None for name, editor in self.editors.items()}
        self._sending = True
        self.save.setEnabled(False)
        self._bridge.spawn(self._send(self.label_of, limits), "save exit at a result")

    async def _send(self, whose: str, limits: dict[str, float | None]) -> None:
        replaces = self._plan.plan_id if self._plan is not None else ""
        try:
            await self._bridge.watch.add_result(
                self._mode, label=whose, replaces=replaces, **limits
            )
        except AppError as error:
            if not is_open(self):
                raise
            self._told(error)
            return
        finally:
            self._sending = False
        what = whose or "the account"
        self._bridge.notice.emit("info", f"The exit of {what} at its result is set.")
        if is_open(self):
            self.close()

    def _told(self, error: AppError) -> None:
        text = self._bridge.clean(error.message)
        field = self.fields.get(error.field if isinstance(error, InvalidOrder) else "")
        if field is not None:
            field.set_error(text)
        else:
            self.answer.setText(text)
        self.save.setEnabled(True)

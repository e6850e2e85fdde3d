"""Stop, targets, trailing and break-even of a position, watched by this program. Not modal."""

from __future__ import annotations

import msgspec
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.errors import AppError, InvalidOrder
from openalgo_desktop.core.exit_rules import ahead
from openalgo_desktop.core.exit_words import beside_fields
from openalgo_desktop.core.exits import (
    ONLY_WHILE_RUNNING,
    ExitPlan,
    ExitSpec,
    Offset,
    Target,
    Unit,
)
from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.dialogs import is_open
from openalgo_desktop.ui.kit.fields import CountField, Field, PriceField, StillCombo
from openalgo_desktop.ui.kit.widgets import label, named, push_button

#: Units of a leg as they are chosen; a distance has no price.
UNITS = {Unit.PRICE: "price", Unit.POINTS: "points", Unit.PERCENT: "%", Unit.RUPEES: "₹ in all"}
DISTANCES = (Unit.POINTS, Unit.PERCENT, Unit.RUPEES)
#: Targets that the form offers; a plan of a script may have more.
TARGETS = 3


class Leg(QWidget):
    """A value and its unit; 0 is no leg."""

    def __init__(self, name: str, caption: str, units: tuple[Unit, ...], tick: float) -> None:
        super().__init__()
        self._units = units
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        self.value = PriceField()
        self.value.set_tick(tick)
        self.field = Field(caption, self.value, name)
        self.unit = StillCombo()
        self.unit.addItems([UNITS[unit] for unit in units])
        row.addWidget(self.field, 1)
        unit = Field("In", self.unit, f"{name}-unit")
        named(self.unit, f"{name}-unit", f"{caption}, in")
        row.addWidget(unit)

    def put(self, offset: Offset | None) -> None:
        """Show a leg."""
        if offset is not None:
            self.value.setValue(float(offset.value))
            if offset.unit in self._units:
                self.unit.setCurrentIndex(self._units.index(offset.unit))

    def read(self) -> Offset | None:
        """The leg that is given; None for 0."""
        value = round(self.value.value(), 6)
        if not value:
            return None
        return Offset.of(value, self._units[self.unit.currentIndex()])


class ExitsDialog(QDialog):
    """For a plan that is there, or with :meth:`of_position` for a position."""

    def __init__(
        self,
        parent: QWidget,
        bridge: Bridge,
        plan: ExitPlan | None,
        key: Key | None = None,
        product: Product = Product.MIS,
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._mode = bridge.mode
        self._plan = plan
        self._key = plan.key if plan is not None else key or ("", "")
        self._product = plan.product if plan is not None else product
        self._sending = False
        self.setModal(False)
        self.setMinimumWidth(look.px(400))
        named(self, "dialog-exits", "Stop and targets")
        self.setWindowTitle(f"Stop and targets  ·  {self._mode.value.upper()}")
        instrument = bridge.instrument(self._key)
        tick = instrument.tick_size if instrument is not None else 0.05
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addWidget(label(self._title(), "dialog-exits-symbol", "heading"))
        every = tuple(UNITS)
        left = ahead(plan) if plan is not None else ()  # all are shown: saving keeps them
        self.stop = Leg("dialog-exits-stop", "Stop", every, tick)
        self.trail = Leg("dialog-exits-trail", "Trail the best price by", DISTANCES, tick)
        self.even = Leg("dialog-exits-even", "To break-even at a gain of", DISTANCES, tick)
        self.targets = [
            Leg(f"dialog-exits-target-{number}", f"Target {number}", every, tick)
            for number in range(1, max(TARGETS, len(left)) + 1)
        ]
        self.parts = [CountField() for _ in self.targets]
        self._place(column)
        self.beside = self._beside(column)
        self._fill(plan.spec if plan is not None else ExitSpec(), left)
        hint = label(f"0 is none. Watched {ONLY_WHILE_RUNNING}.", "dialog-exits-hint", "muted")
        hint.setWordWrap(True)
        self.answer = label("", "dialog-exits-result", "error")
        self.answer.setWordWrap(True)
        column.addWidget(hint)
        column.addWidget(self.answer)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(push_button("Close", "dialog-exits-close", "Close", self.close))
        self.save = push_button("Save", "dialog-exits-save", "Save stop and targets", self._submit)
        self.save.setProperty("role", "primary")
        self.save.setAutoDefault(False)
        row.addWidget(self.save)
        column.addLayout(row)

    @classmethod
    def of_position(
        cls, parent: QWidget, bridge: Bridge, key: Key, product: Product
    ) -> ExitsDialog:
        """The form for the whole of a position: its plan, or a new one."""
        plans = bridge.watch.of_position(key[1], key[0], product, bridge.mode)
        whole = next((plan for plan in plans if plan.whole and not plan.label), None)
        return cls(parent, bridge, whole, key, product)

    def _place(self, column: QVBoxLayout) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        for row, leg in enumerate((self.stop, self.trail, self.even)):
            grid.addWidget(leg, row, 0, 1, 2)
        for number, (leg, part) in enumerate(zip(self.targets, self.parts, strict=True), 1):
            part.setRange(1, 100)
            part.setSuffix(" %")
            part.setValue(100)
            share = Field("Of quantity", part, f"dialog-exits-part-{number}")
            grid.addWidget(leg, 2 + number, 0)
            grid.addWidget(share, 2 + number, 1)
        grid.setColumnStretch(0, 1)
        column.addLayout(grid)

    def _beside(self, column: QVBoxLayout) -> QCheckBox | None:
        """What the plan of a strategy has beside these fields: kept, or taken away."""
        words = beside_fields(self._plan.spec) if self._plan is not None else []
        if not words:
            return None
        box = QCheckBox("Keep what its strategy set beside these")
        named(box, "dialog-exits-beside", "Keep what its strategy set beside these fields")
        box.setChecked(True)
        told = label("; ".join(words), "dialog-exits-beside-text", "muted")
        told.setWordWrap(True)
        column.addWidget(box)
        column.addWidget(told)
        return box

    def _title(self) -> str:
        name, places = self._bridge.name(self._key), self._bridge.places(self._key)
        if self._plan is None:
            return f"{name}  {self._product.value}"
        plan = self._plan
        side = "long" if plan.side > 0 else "short"
        units = plan.held or (plan.request.quantity if plan.request is not None else 0)
        text = f"{name}  {plan.product.value}  {side} {fmt.quantity(units)}"
        return f"{text}  entry {fmt.exact(float(plan.entry), places)}" if plan.entry else text

    def _fill(self, spec: ExitSpec, targets: tuple[Target, ...]) -> None:
        self.stop.put(spec.stop)
        self.trail.put(spec.trail)
        self.even.put(spec.break_even)
        for leg, part, target in zip(self.targets, self.parts, targets, strict=False):
            leg.put(target.at)
            part.setValue(target.percent)

    def spec(self) -> ExitSpec:
        """What the form says."""
        rows = [
            Target(offset, part.value())
            for leg, part in zip(self.targets, self.parts, strict=True)
            if (offset := leg.read()) is not None
        ]
        base = self._plan.spec if self._plan is not None else ExitSpec()
        if self.beside is not None and not self.beside.isChecked():
            base = msgspec.structs.replace(base, steps=None, under=None)
        return msgspec.structs.replace(
            base,
            stop=self.stop.read(),
            targets=tuple(rows),
            trail=self.trail.read(),
            break_even=self.even.read(),
        )

    def _submit(self) -> None:
        if self._sending:
            return
        self.answer.setText("")
        for leg in (self.stop, self.trail, self.even, *self.targets):
            leg.field.set_error("")
            if problem := leg.value.problem():
                leg.field.set_error(problem)
                return
        self._sending = True
        self.save.setEnabled(False)
        self._bridge.spawn(self._send(self.spec()), "save stop and targets")

    async def _send(self, spec: ExitSpec) -> None:
        watch = self._bridge.watch
        try:
            if self._plan is not None:
                await watch.change(self._plan.plan_id, spec, self._mode)
            else:
                exchange, symbol = self._key
                await watch.protect(symbol, exchange, self._product, self._mode, spec)
        except AppError as error:
            if not is_open(self):
                raise
            self._told(error)
            self._sending = False
            self.save.setEnabled(True)
            return
        self._bridge.notice.emit("info", f"Exits of {self._bridge.name(self._key)} are set.")
        if is_open(self):
            self.close()

    def _told(self, error: AppError) -> None:
        text = self._bridge.names.spoken(self._bridge.clean(error.message))
        legs = {
            "stop": self.stop,
            "trail": self.trail,
            "break_even": self.even,
            "target": self.targets[0],
        }
        name = error.field if isinstance(error, InvalidOrder) else ""
        if name in legs:
            legs[name].field.set_error(text)
        else:
            self.answer.setText(text)

"""The part of an alert's form that says what must happen."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import msgspec
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from openalgo_desktop.core.alerts import (
    MAX_BARS,
    PRICE,
    AlertTrigger,
    AlertWhen,
    AlertWish,
    OfStudy,
    Source,
)
from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.fields import CountField, DecimalField, Field, PriceField, StillCombo
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.rooms.automation import alert_words
from openalgo_desktop.ui.rooms.automation.alert_sources import SourceChoice

TOUCH, CLOSE = "At each price", "At bar close"
#: Intervals that are offered; any other one can be typed.
SPANS = ("1m", "3m", "5m", "15m", "30m", "1h", "D", "W")
USUAL_SPAN = "5m"
_LEVEL = 1e8


class Condition(QObject):
    """Fields with their editors; ``changed`` when other ones are to be shown or a value changed."""

    changed = Signal()

    def __init__(self, owner: QWidget, bridge: Bridge) -> None:
        super().__init__(owner)
        self._bridge = bridge
        self._key: Key = ("", "")
        self._offers: tuple[OfStudy, ...] = ()
        self.subject, self.line, self.beside = (SourceChoice(owner, bridge) for _ in range(3))
        self.when, self.span = StillCombo(), StillCombo()
        for kind, text in alert_words.WHEN.items():
            self.when.addItem(text, kind.value)
        self.span.setEditable(True)
        self.span.addItems(SPANS)
        self.span.setCurrentText(USUAL_SPAN)
        self.trigger = Segments("dialog-alert-trigger", "When it looks", (TOUCH, CLOSE))
        self.bars = CountField()
        self.bars.setRange(1, MAX_BARS)
        self.bars.setValue(5)
        self.price, self.upper_price = PriceField(), PriceField()
        self.percent = _number(2, 1000, " %")
        self.value, self.upper_value = _number(4), _number(4)
        self.fields = self._make_fields()
        self.editors: dict[str, PriceField | DecimalField] = {
            "level": self.price, "percent": self.percent, "value": self.value,
            "upper": self.upper_price, "upper-value": self.upper_value,
        }  # fmt: skip
        for choice in (self.subject, self.line, self.beside):
            choice.changed.connect(self.changed.emit)
        self.when.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.trigger.changed.connect(lambda _: self.changed.emit())
        for editor in self.editors.values():
            editor.valueChanged.connect(lambda _: self.changed.emit())
        self.offer()

    def _make_fields(self) -> dict[str, Field]:
        rows: dict[str, tuple[str, QWidget]] = {
            "subject": ("Tell when", self.subject),
            "when": ("Condition", self.when),
            "line": ("Line", self.line),
            "level": ("Price", self.price),
            "percent": ("Per cent", self.percent),
            "value": ("Level", self.value),
            "beside": ("Second line", self.beside),
            "upper": ("Second price", self.upper_price),
            "upper-value": ("Second level", self.upper_value),
            "bars": ("Within bars", self.bars),
            "trigger": ("It looks", self.trigger),
            "span": ("Interval of the bars", self.span),
        }
        return {
            name: Field(caption, editor, f"dialog-alert-{_OBJECTS.get(name, name)}")
            for name, (caption, editor) in rows.items()
        }

    # -- what is offered ----------------------------------------------------------------------
    def take_symbol(self, key: Key, tick: float) -> None:
        """The instrument: its drawings are offered, its prices are given."""
        self._key = key
        for editor in (self.price, self.upper_price):
            editor.set_tick(tick)
        self.offer()

    def offer_studies(self, offers: tuple[OfStudy, ...]) -> None:
        """Studies of the chart that the form came from."""
        self._offers = offers
        self.offer()

    def offer(self) -> None:
        """Offer what there is now."""
        name = partial(self._bridge.alerts.name, self._key)
        drawings = self._bridge.alerts.drawings(self._key)
        lines: list[Source] = [*self._offers, *drawings]
        self.subject.offer([("LTP", PRICE)], self._offers, name)
        self.line.offer([("Level", None), ("LTP", PRICE)], lines, name)
        self.beside.offer([("Level", None)], lines, name)

    # -- what is shown ------------------------------------------------------------------------
    @property
    def chosen(self) -> AlertWhen:
        """The condition."""
        return AlertWhen(self.when.currentData())

    @property
    def on_study(self) -> bool:
        """Whether levels are those of a study."""
        return isinstance(self.subject.source(), OfStudy)

    def shown(self) -> list[Field]:
        """The fields that apply, in their order."""
        when, names = self.chosen, ["subject", "when"]
        if when.of_day or when.of_move:
            names += ["percent", *(["bars"] if when.of_move else [])]
        else:
            names += ["line", *self._level(self.line, "level", "value")]
        if when.of_channel:
            names += ["beside", *self._level(self.beside, "upper", "upper-value")]
        names.append("trigger")
        wish = self.fill(AlertWish(*self._key, when))
        names += ["span"] if wish.needs_bars else []
        self.fields["percent"].caption.setText("Change of the day" if when.of_day else "Per cent")
        return [self.fields[name] for name in names]

    def _level(self, choice: SourceChoice, price: str, value: str) -> list[str]:
        if choice.source() is not None:
            return []
        return [value if self.on_study else price]

    # -- the wish -----------------------------------------------------------------------------
    def fill(self, wish: AlertWish) -> AlertWish:
        """The wish with this condition."""
        when, study = self.chosen, self.on_study
        plain = when.of_day or when.of_move
        level = self.percent if plain else self.value if study else self.price
        closes = self.trigger.value() == CLOSE and not when.of_day
        upper = (self.upper_value if study else self.upper_price) if when.of_channel else None
        made = msgspec.structs.replace(
            wish,
            when=when,
            level=_exact(level.value()),
            subject=PRICE if when.of_day else self.subject.source() or PRICE,
            against=None if plain else self.line.source(),
            upper=None if upper is None else _exact(upper.value()),
            beside=self.beside.source() if when.of_channel else None,
            bars=self.bars.value() if when.of_move else 0,
            trigger=AlertTrigger.CLOSE if closes else AlertTrigger.TOUCH,
        )
        span = self.span.currentText().strip() if made.needs_bars else ""
        return msgspec.structs.replace(made, span=span)

    def show(self, wish: AlertWish) -> None:
        """Show the condition of a wish."""
        name = partial(self._bridge.alerts.name, wish.key)
        when = wish.when
        self.subject.choose(wish.subject, name(wish.subject))
        self.when.setCurrentIndex(self.when.findData(when.value))
        for choice, source in ((self.line, wish.against), (self.beside, wish.beside)):
            choice.choose(source, "" if source is None else name(source))
        level = self.value if self.on_study else self.price
        (self.percent if when.of_day or when.of_move else level).setValue(float(wish.level))
        if wish.upper is not None:
            upper = self.upper_value if self.on_study else self.upper_price
            upper.setValue(float(wish.upper))
        if wish.bars:
            self.bars.setValue(wish.bars)
        self.trigger.choose(CLOSE if wish.trigger is AlertTrigger.CLOSE else TOUCH)
        if wish.span:
            self.span.setCurrentText(wish.span)

    def field_of(self, name: str) -> Field | None:
        """Where a refusal of that field is told."""
        if name in ("level", "upper"):
            of = {"level": ("percent", "level", "value"), "upper": ("upper", "upper-value")}[name]
            return next((self.fields[one] for one in of if self.fields[one].isVisible()), None)
        return self.fields.get(name)


#: Names of widgets that were there before the fields were called so.
_OBJECTS = {"level": "price"}


def _number(places: int, top: float = _LEVEL, suffix: str = "") -> DecimalField:
    field = DecimalField(places)
    field.setRange(-top, top)
    field.setSuffix(suffix)
    return field


def _exact(value: float) -> Decimal:
    return Decimal(str(round(value, 6)))

"""How long the ticket's order works, and how much of it the depth shows. Only what the account of
the mode and the exchange take is offered."""

from __future__ import annotations

from collections.abc import Callable

from openalgo_desktop.core.enums import PriceType, Validity
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.ui.engine.ordering import OrderDoor
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.fields import CountField, Field
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.widgets import plain_tip

VALIDITY_TIP = "DAY: until the session ends. IOC: trades what it can at once, the rest is cancelled"


class TicketTerms:
    """Two inputs of the form, and when they are there. A new symbol begins with DAY and all of the
    quantity shown: what was meant for another order must not stick."""

    def __init__(self, orders: OrderDoor, changed: Callable[[], None]) -> None:
        self._orders = orders
        self._row: Instrument | None = None
        self.validity = Segments(
            "ticket-validity", "Validity", tuple(validity.value for validity in Validity)
        )
        self.validity.setToolTip(plain_tip(VALIDITY_TIP))
        self.disclosed = CountField()
        self.disclosed_field = Field("Disclosed", self.disclosed, "ticket-disclosed")
        self.validity.changed.connect(lambda _: changed())
        self.disclosed.valueChanged.connect(lambda _: changed())

    def begin(self, row: Instrument) -> None:
        """A new ticket for ``row``."""
        self._row = row
        lots = row.lot_size > 1
        self.disclosed_field.caption.setText("Disclosed lots" if lots else "Disclosed")
        self.set(Validity.DAY, 0)

    def set(self, validity: Validity, disclosed: int) -> None:
        """Fill in, ``disclosed`` in units; nobody touched it."""
        lot = max(1, self._row.lot_size) if self._row is not None else 1
        for part in (self.validity, self.disclosed):
            part.blockSignals(True)
        self.validity.choose(validity.value)
        self.disclosed.setValue(disclosed // lot)
        for part in (self.validity, self.disclosed):
            part.blockSignals(False)

    def offer(self, kind: PriceType) -> list[Field]:
        """Offer what a price type has, where there is a choice; the fields for the grid."""
        if self._row is None:
            return []
        offered = self._orders.validities(kind)
        self.validity.allow(tuple(validity.value for validity in offered))
        self.validity.setVisible(len(offered) > 1)
        return [self.disclosed_field] if self._discloses(kind) else []

    def _discloses(self, kind: PriceType) -> bool:
        """Whether a part may be shown: what trades at once or not at all shows nothing."""
        row = self._row
        if row is None or self.validity.value() != Validity.DAY:
            return False
        return self._orders.least_disclosed(kind, row.key, 1) is not None

    def values(self, kind: PriceType, quantity: int) -> tuple[Validity, int]:
        """Validity, and the units that are disclosed of ``quantity`` (0: all). What is disclosed
        whole is not said: it is no part."""
        validity = Validity(self.validity.value())
        if validity not in self._orders.validities(kind):
            validity = Validity.DAY
        units = 0
        if self._row is not None and self._discloses(kind):
            units = self.disclosed.value() * max(1, self._row.lot_size)
        return validity, 0 if units == quantity else units

    def show_least(self, kind: PriceType, quantity: int) -> None:
        """Say how little may be disclosed of ``quantity`` units."""
        row = self._row
        if row is None or not quantity or not self._discloses(kind):
            return
        least = self._orders.least_disclosed(kind, row.key, quantity)
        if least is None:
            return
        lot = max(1, row.lot_size)
        what = f"{fmt.quantity(least // lot)} lots" if lot > 1 else fmt.quantity(least)
        tip = f"How much the depth shows at a time: at least {what}. 0: all of it"
        if self.disclosed.toolTip() != plain_tip(tip):
            self.disclosed.setToolTip(plain_tip(tip))

"""Lines of the broker's good-till-triggered orders: a line for each trigger that waits."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from openalgo_desktop.core.enums import GttStatus, Mode
from openalgo_desktop.core.gtt import Gtt, GttRequest, moved_leg
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.ui.chart import PriceLine
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dock import Spawn
from openalgo_desktop.ui.rooms.market.one_click import OneClick

GTT = "gtt"
#: A trigger is known by its side of the market: its number may change when they are read again.
BELOW, ABOVE = "below", "above"


def size_text(units: int, instrument: Instrument) -> str:
    """Lots where there are lots, else units: ``2 lots``, ``150``."""
    lot = instrument.lot_size
    if lot <= 1 or units % lot:
        return fmt.quantity(units)
    lots = units // lot
    return f"{fmt.quantity(lots)} lot{'' if abs(lots) == 1 else 's'}"


class GttLines:
    """One of a chart's lines."""

    def __init__(self, bridge: Bridge, hand: OneClick, spawn: Spawn, parent: QWidget) -> None:
        self._bridge, self._hand, self._spawn, self._parent = bridge, hand, spawn, parent
        self._busy: set[str] = set()  # trigger ids that are being changed

    @staticmethod
    def owns(line_id: str) -> bool:
        """Whether it is a line of these."""
        return line_id.startswith(f"{GTT}|")

    def of(self, instrument: Instrument) -> list[PriceLine]:
        """The lines of an instrument."""
        return [
            PriceLine(
                f"{GTT}|{row.trigger_id}|{BELOW if leg.below else ABOVE}",
                leg.trigger_price,
                f"GTT {row.action.value} {size_text(row.quantity, instrument)}",
                row.action.value.lower(),
                draggable=True,
                closable=True,
            )
            for row in self._bridge.gtts.of(instrument.key)
            for leg in row.legs
            if leg.status is GttStatus.PENDING
        ]

    def _find(self, line_id: str) -> tuple[Gtt, int] | None:
        """The order and the number of its trigger; None where either waits no more."""
        _, trigger_id, side = line_id.split("|")
        return next(
            (
                (row, number)
                for row in self._bridge.gtts.rows
                if row.trigger_id == trigger_id
                for number, leg in enumerate(row.legs)
                if leg.status is GttStatus.PENDING and leg.below is (side == BELOW)
            ),
            None,
        )

    def move(self, line_id: str, price: float, mode: Mode, *, asked: bool = False) -> bool:
        """Bring a trigger to ``price`` by one change at the broker; whether it is on its way."""
        found = self._find(line_id)
        if found is None:
            return False
        row, number = found
        instrument = self._bridge.instrument(row.key)
        if instrument is None or row.trigger_id in self._busy:
            return False
        if why := self._hand.why_not(row.key, mode, asked=asked):
            self._bridge.notice.emit("warning", f"Not changed: {why}")
            return False
        self._bridge.arm.touch()
        self._busy.add(row.trigger_id)
        request = moved_leg(row, number, price, instrument.tick_size)
        self._spawn(self._move(row, request, mode), "move GTT", sends=True)
        return True

    async def _move(self, row: Gtt, request: GttRequest, mode: Mode) -> None:
        try:
            await self._bridge.watch.modify_gtt(row, request, mode)
        finally:
            self._busy.discard(row.trigger_id)

    def close(self, line_id: str, mode: Mode) -> None:
        """Cancel the whole order at the broker; unless armed that is asked about."""
        found = self._find(line_id)
        if found is not None and (row := found[0]).trigger_id not in self._busy:
            self._busy.add(row.trigger_id)
            self._spawn(self._close(row, mode), "cancel GTT", sends=True)

    async def _close(self, row: Gtt, mode: Mode) -> None:
        both = " Both of its triggers end." if len(row.legs) > 1 else ""
        text = f"The broker's GTT of {self._bridge.name(row.key)} is cancelled then.{both}"
        try:
            if self._hand.armed or await confirm(
                self._parent, "Cancel this GTT?", text, "Cancel GTT"
            ):
                await self._bridge.watch.cancel_gtt(row.trigger_id, mode)
        finally:
            self._busy.discard(row.trigger_id)

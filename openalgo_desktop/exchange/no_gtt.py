"""The good-till-triggered calls of a gateway that has none."""

from __future__ import annotations

from openalgo_desktop.core.errors import NotSupported
from openalgo_desktop.core.gtt import Gtt, GttRequest
from openalgo_desktop.core.model import BookRows, OrderAck


class NoGtt:
    """Refuses each of them; a gateway that has good-till-triggered orders overrides them all."""

    @property
    def broker(self) -> str:
        """The broker's id."""
        raise NotImplementedError

    async def gtt_place(self, request: GttRequest, tag: str) -> OrderAck:
        """Place a GTT; the acknowledgement carries its trigger id."""
        raise self._no_gtt()

    async def gtt_modify(self, trigger_id: str, request: GttRequest) -> OrderAck:
        """Replace triggers, prices and quantity of an active GTT."""
        raise self._no_gtt()

    async def gtt_cancel(self, trigger_id: str) -> OrderAck:
        """Cancel an active GTT."""
        raise self._no_gtt()

    async def gtt_orders(self) -> BookRows[Gtt]:
        """Active GTTs, newest first."""
        raise self._no_gtt()

    def _no_gtt(self) -> NotSupported:
        return NotSupported(f"{self.broker} has no good-till-triggered orders.")

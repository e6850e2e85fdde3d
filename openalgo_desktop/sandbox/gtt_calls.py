"""The good-till-triggered calls of the sandbox as a gateway."""

from __future__ import annotations

from openalgo_desktop.core.gtt import Gtt, GttRequest
from openalgo_desktop.core.model import BookRows, Key, OrderAck
from openalgo_desktop.exchange.host import PaperGateway
from openalgo_desktop.sandbox.gtt import GttDesk


class GttCalls(PaperGateway):
    """A paper gateway that has GTTs."""

    gtts: GttDesk

    async def gtt_place(self, request: GttRequest, tag: str) -> OrderAck:
        """Place a GTT; the acknowledgement carries its trigger id."""
        instrument = self._instruments.require(request.symbol, request.exchange)
        ltp = await self._last(request.key)
        gtt = self.gtts.place(request, tag, instrument, ltp, self._clock.now())
        self.publish(request.key)
        await self.stored()
        return OrderAck(gtt.trigger_id)

    async def gtt_modify(self, trigger_id: str, request: GttRequest) -> OrderAck:
        """Replace triggers, prices and quantity of an active GTT."""
        gtt = self.gtts.find(trigger_id)
        ltp = await self._last(gtt.key)
        instrument = self.book.instrument(gtt.key)
        self.gtts.modify(trigger_id, request, instrument, ltp, self._clock.now())
        self.publish(gtt.key)
        await self.stored()
        return OrderAck(trigger_id)

    async def gtt_cancel(self, trigger_id: str) -> OrderAck:
        """Cancel an active GTT."""
        gtt = self.gtts.cancel(trigger_id, self._clock.now())
        self.publish(gtt.key)
        await self.stored()
        return OrderAck(trigger_id)

    async def gtt_orders(self) -> BookRows[Gtt]:
        """Active GTTs, newest first."""
        return BookRows(self.gtts.active())

    async def _last(self, key: Key) -> float:
        tick = await self.quote(key)
        return tick.ltp if tick is not None else 0.0

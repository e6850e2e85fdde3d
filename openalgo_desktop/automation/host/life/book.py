"""What quotas and promotion read in the strategy book."""

from __future__ import annotations

from openalgo_desktop.automation.host.life.ports import Result
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.strategies.hosted import TradeRecord
from openalgo_desktop.core.strategy_book import StrategyBooks


class BookResults:
    """See :class:`Results`."""

    def __init__(self, books: StrategyBooks) -> None:
        self._books = books

    def today(self, name: str, mode: Mode) -> Result | None:
        """See :class:`Results`. Open profit counts whole, also of what was carried over."""
        found = self._books.summary(name, mode)
        if found is None:
            return None
        net = None
        if found.open is not None:
            net = float(found.day_realised - found.day_charges + found.open)
        return Result(net, float(found.drawdown))

    def orders(self, name: str, mode: Mode) -> int:
        """See :class:`Results`."""
        return len(self._books.orders(name, mode))

    async def record(self, name: str, mode: Mode) -> TradeRecord:
        """All that it did in a mode."""
        await self._books.until_read(mode)
        found, days = self._books.summary(name, mode), self._books.curve(name, mode)
        trades = await self._books.trades(name, mode)
        orders = {row.order_id for row in trades}
        orders |= {row.order_id for row in self._books.orders(name, mode)}
        return TradeRecord(
            days=len(days),
            orders=len(orders),
            trades=len(trades),
            net_pnl=None if found is None else found.net,
            drawdown=None if found is None else found.max_drawdown,
            charges=None if found is None else found.charges,
            first_day=days[0].day.isoformat() if days else "",
            last_day=days[-1].day.isoformat() if days else "",
        )

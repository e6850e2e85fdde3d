"""The two fill models.

*Touch* has the prices of the reference sandbox: whole fills at the last price, the limit or the
opposite quote. *Book* walks the visible depth, fills in parts, and keeps limit orders in a queue.
"""

from __future__ import annotations

from openalgo_desktop.core.enums import Action, FeedMode, PriceType
from openalgo_desktop.core.money import to_tick
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.exchange.matching import Market, Resting


class TouchModel:
    """Everything fills whole.

    MARKET at the opposite quote (last price when there is none); a limit order that is marketable
    when it arrives at the last price, later at its limit; stops at the last price. A limit order
    needs the last price at or through its limit and, unless the last trade was exactly there, no
    opposite quote beyond it: a buy limit does not fill below the ask.
    """

    refuses_passed_stops = False

    def market(self, tick: Tick, traded: int) -> Market:
        """The market of one tick."""
        return _Touch(tick)


class _Touch:
    __slots__ = ("_tick",)

    def __init__(self, tick: Tick) -> None:
        self._tick = tick

    def fills(self, order: Resting) -> list[tuple[int, float]]:
        tick, buys = self._tick, order.action is Action.BUY
        quote = tick.ask if buys else tick.bid
        kind = order.price_type
        if kind is PriceType.MARKET:
            return [(order.quantity, quote if quote > 0 else tick.ltp)]
        if kind is PriceType.SLM:
            return [(order.quantity, tick.ltp)]
        limit = order.price
        if (tick.ltp > limit) if buys else (tick.ltp < limit):
            return []
        beyond = quote > 0 and ((quote > limit) if buys else (quote < limit))
        if beyond and tick.ltp != limit:
            return []
        at_last = order.fresh or kind is PriceType.SL
        return [(order.quantity, tick.ltp if at_last else limit)]


class BookModel:
    """Matches against what is displayed.

    Market orders walk the opposite levels and wait for the next tick with the rest. A limit order
    takes what its limit reaches, then queues: ``queue_share`` of the quantity displayed at its
    price stands before it and goes by traded volume at that price; once the price trades through,
    it fills by the volume traded. Without depth, quotes with quantities are one level; with a last
    price only, a limit needs a trade beyond it. ``slippage_bps`` (1/100 of a per cent) worsens
    every price that an order without a limit gets.
    """

    refuses_passed_stops = True

    def __init__(self, slippage_bps: float = 0.0, queue_share: float = 1.0) -> None:
        self._slippage = slippage_bps / 10_000.0
        self._queue_share = queue_share

    def market(self, tick: Tick, traded: int) -> Market:
        """The market of one tick; orders that meet it share its quantities."""
        return _Book(tick, traded, self._slippage, self._queue_share)


class _Book:
    __slots__ = ("_asks", "_bids", "_queue_share", "_slippage", "_tick", "_traded")

    def __init__(self, tick: Tick, traded: int, slippage: float, queue_share: float) -> None:
        self._tick = tick
        self._traded = traded
        self._slippage = slippage
        self._queue_share = queue_share
        self._asks = _levels(tick, buys=True)
        self._bids = _levels(tick, buys=False)

    def fills(self, order: Resting) -> list[tuple[int, float]]:
        if not order.price_type.has_price:
            return self._market_order(order)
        if order.fresh:
            taken = self._take(order, order.quantity, order.price)
            if sum(quantity for quantity, _ in taken) < order.quantity:
                order.ahead = self._displayed(order)
            return taken
        return self._resting(order)

    def _market_order(self, order: Resting) -> list[tuple[int, float]]:
        levels = self._asks if order.action is Action.BUY else self._bids
        if levels is None:
            return [(order.quantity, self._worse(order, self._tick.ltp))]
        taken = self._take(order, order.quantity, None)
        return [(quantity, self._worse(order, price)) for quantity, price in taken]

    def _worse(self, order: Resting, price: float) -> float:
        if not self._slippage:
            return price
        slipped = to_tick(price * (1 + order.action.sign * self._slippage), order.tick_size)
        return max(order.tick_size, slipped)

    def _take(self, order: Resting, wanted: int, limit: float | None) -> list[tuple[int, float]]:
        """Walk the opposite side, using it up, as far as the limit goes."""
        buys = order.action is Action.BUY
        levels = self._asks if buys else self._bids
        if levels is None:
            ltp = self._tick.ltp
            reached = limit is None or ((ltp < limit) if buys else (ltp > limit))
            return [(wanted, ltp)] if reached else []
        taken: list[tuple[int, float]] = []
        for level in levels:
            price, quantity = level
            if limit is not None and ((price > limit) if buys else (price < limit)):
                break
            part = min(wanted, int(quantity))
            if part > 0:
                level[1] -= part
                wanted -= part
                taken.append((part, price))
            if not wanted:
                break
        return taken

    def _resting(self, order: Resting) -> list[tuple[int, float]]:
        """A waiting limit order trades at its own price with whoever comes to it."""
        limit, buys, ltp = order.price, order.action is Action.BUY, self._tick.ltp
        got = sum(quantity for quantity, _ in self._take(order, order.quantity, limit))
        left = order.quantity - got
        through = (ltp < limit) if buys else (ltp > limit)
        if left and self._has_levels and self._traded:
            if through:
                order.ahead = 0.0
                got += self._use_volume(left)
            elif ltp == limit:
                order.ahead -= self._traded
                if order.ahead < 0:
                    got += min(left, int(-order.ahead))
                    order.ahead = 0.0
        return [(got, limit)] if got else []

    @property
    def _has_levels(self) -> bool:
        return self._asks is not None or self._bids is not None

    def _use_volume(self, wanted: int) -> int:
        part = min(wanted, self._traded)
        self._traded -= part
        return part

    def _displayed(self, order: Resting) -> float:
        """Quantity estimated to stand before the order at its price."""
        own = self._bids if order.action is Action.BUY else self._asks
        if not own:
            return 0.0
        for price, quantity in own:
            if price == order.price:
                return quantity * self._queue_share
        behind = (order.price - own[-1][0]) * order.action.sign < 0
        return own[-1][1] * self._queue_share if behind else 0.0


def _levels(tick: Tick, *, buys: bool) -> list[list[float]] | None:
    """Levels that an order of that side can take, or None when only a price is known."""
    if tick.depth is not None:
        side = tick.depth.sell if buys else tick.depth.buy
        return [[level.price, float(level.quantity)] for level in side if level.price > 0]
    price, quantity = (tick.ask, tick.ask_quantity) if buys else (tick.bid, tick.bid_quantity)
    if tick.mode >= FeedMode.QUOTE and price > 0 and quantity > 0:
        return [[price, float(quantity)]]
    return None

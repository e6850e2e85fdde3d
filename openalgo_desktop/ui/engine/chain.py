"""The door to option chains: which options there are on an instrument, and views of one expiry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from openalgo_desktop.analytics.contracts import Contracts
from openalgo_desktop.analytics.live_chain import ChainFinder, LiveChain
from openalgo_desktop.core.chain import ChainHead, ChainName, ChainStrike, Family
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.ticks import Part

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal
    from openalgo_desktop.ui.engine.bridge import Bridge

#: Volatility and greeks are found again this often while somebody looks, milliseconds.
SOLVE_MS = 250


@dataclass(frozen=True, slots=True)
class Pair:
    """Call and put of a strike; ``quoted`` is what tells the price of the underlying."""

    name: str
    expiry: date
    strike: float
    call: Instrument
    put: Instrument
    quoted: Key


class ChainView:
    """One expiry as a dock looks at it; :meth:`close` with the dock. ``seen`` says whether
    somebody looks: nothing is solved for a hidden one. ``on_solved`` hears of the places of
    strikes whose figures changed; the head may have changed with it."""

    def __init__(
        self,
        chain: LiveChain,
        parent: QObject,
        seen: Callable[[], bool],
        on_solved: Callable[[set[int]], None],
    ) -> None:
        self._chain = chain
        self._seen = seen
        self._on_solved = on_solved
        self.problem = ""  # why prices could not be asked for at the start
        self.on_close: Callable[[ChainView], None] = lambda view: None
        self._timer = QTimer(parent)
        self._timer.setInterval(SOLVE_MS)
        self._timer.timeout.connect(self._solve)
        self._timer.start()

    @property
    def name(self) -> ChainName:
        """Which chain it is."""
        return self._chain.name

    @property
    def rows(self) -> list[ChainStrike]:
        """All strikes, ascending; the same objects for the life of the view."""
        return self._chain.rows

    @property
    def head(self) -> ChainHead:
        """Figures of the expiry as a whole, as last solved."""
        return self._chain.head

    @property
    def seconds(self) -> float:
        """Until the options expire."""
        return self._chain.seconds

    @property
    def stirred(self) -> bool:
        """Whether :meth:`take` would find new prices."""
        return self._chain.stirred

    def take(self) -> set[int]:
        """Take new prices over; places of the strikes that have some."""
        return self._chain.absorb()

    def look(self, first: int, end: int) -> None:
        """The strikes at these places are on the screen: stream them, too."""
        self._chain.look(first, end)

    async def prime(self) -> None:
        """Ask once for what does not stream yet."""
        try:
            await self._chain.prime()
        except AppError as error:
            self.problem = error.message
        self._solve()

    def _solve(self) -> None:
        if self._seen():
            self._on_solved(self._chain.solve())

    def close(self) -> None:
        """Want no more prices, tell nobody any more."""
        self._timer.stop()
        self._timer.deleteLater()
        self._seen = lambda: False
        self._chain.close()
        self.on_close(self)


class ChainDoor:
    """Finds and opens chains; ``close`` with the bridge."""

    def __init__(self, terminal: Terminal, bridge: Bridge) -> None:
        self._terminal = terminal
        self._bridge = bridge
        self._finder = ChainFinder(
            terminal.instruments, Contracts(terminal.instruments, terminal.hub), terminal.clock
        )
        self._views: list[ChainView] = []

    def close(self) -> None:
        """Close all views."""
        for view in tuple(self._views):
            view.close()

    @property
    def open_views(self) -> int:
        """How many chains are followed."""
        return len(self._views)

    def family(self, row: Instrument) -> Family | None:
        """The options on what ``row`` is or rests on; None where there are none."""
        return self._finder.family(row)

    def expiries(self, family: Family) -> list[date]:
        """Expiries that are not over, ascending."""
        return self._finder.expiries(family)

    def quoted(self, key: Key) -> Key | None:
        """What tells the price that the options on ``key`` rest on; None where there are none."""
        row = self._bridge.instrument(key)
        family = self.family(row) if row is not None else None
        return family.quoted if family is not None else None

    def pair(self, key: Key) -> Pair | None:
        """Call and put of an option's strike; of anything else those at the money of the nearest
        expiry. None where one of them is not listed, or where the money is not known yet."""
        row = self._bridge.instrument(key)
        family = self.family(row) if row is not None else None
        days = self.expiries(family) if family is not None else []
        if row is None or family is None or not days:
            return None
        if row.is_option and row.expiry is not None:
            expiry, strike = row.expiry, row.strike
        else:
            tick = self._bridge.latest(family.quoted)
            known = tick is not None and tick.knows(Part.LTP) and tick.ltp > 0
            strikes = self._terminal.instruments.strikes(family.name, family.exchange, days[0])
            if tick is None or not known or not strikes:
                return None
            expiry, strike = days[0], min(strikes, key=lambda one: abs(one - tick.ltp))
        find = self._terminal.instruments.option
        call, put = (
            find(family.name, family.exchange, expiry, strike, kind) for kind in ("CE", "PE")
        )
        if call is None or put is None:
            return None
        return Pair(family.name, expiry, strike, call, put, family.quoted)

    def open(
        self,
        name: ChainName,
        seen: Callable[[], bool],
        on_solved: Callable[[set[int]], None],
        *,
        span: int | None = None,
        by_future: bool = False,
    ) -> ChainView:
        """Follow an expiry: ``span`` strikes on each side of the money are streamed (None: all).
        ``by_future`` rests volatilities on the future of the expiry, where there is one, instead
        of on the synthetic one."""
        terminal = self._terminal
        chain = LiveChain(terminal.hub, terminal.instruments, terminal.clock, name, span, by_future)
        view = ChainView(chain, self._bridge, seen, on_solved)
        self._views.append(view)
        view.on_close = self._views.remove
        self._bridge.spawn(view.prime(), "chain-prices")
        return view

"""The keys of watchlist, ladder and depth."""

from __future__ import annotations

from openalgo_desktop.ui.kit.keys import DockKey

K = DockKey
WATCHLIST = (
    K("remove", "Take the rows from the list", "Delete"),
    K("note", "Note on the row", "F2"),
    K("up", "Move the row up", "Ctrl+Up", repeats=True),
    K("down", "Move the row down", "Ctrl+Down", repeats=True),
)
#: Sizes of the ladder that have a key.
SIZES = 5
LADDER = (
    K("centre", "Last price to the middle", "Space"),
    K("higher", "Show higher prices", "Up", repeats=True),
    K("lower", "Show lower prices", "Down", repeats=True),
    K("page-up", "Show much higher prices", "PgUp", repeats=True),
    K("page-down", "Show much lower prices", "PgDown", repeats=True),
    *(K(f"size-{n}", f"Take size {n}", f"Alt+{n}") for n in range(1, SIZES + 1)),
    K("join-bid", "Armed: buy at the best bid", "Q", sends=True),
    K("join-ask", "Armed: sell at the best ask", "W", sends=True),
    K("buy-market", "Armed: buy at market", "A", sends=True),
    K("sell-market", "Armed: sell at market", "D", sends=True),
    K("cancel-mine", "Armed: cancel my orders of the symbol", "E", sends=True),
    K("flatten", "Armed: cancel my orders of the symbol and close it", "R", sends=True),
    K("reverse", "Armed: turn what is held to the other side", "V", sends=True),
    K("give-up", "Give up what was pressed or dragged", "Escape", fixed=True),
)
DEPTH = (
    K("move", "Choose a price", "Up / Down / Left / Right", fixed=True),
    K("take", "Put the price into the ticket", "Return"),
)

"""The keys of positions, holdings and journal."""

from __future__ import annotations

from openalgo_desktop.ui.kit.keys import DockKey

K = DockKey
POSITIONS = (
    K("close", "Close the position at market, after a question", "Delete", sends=True),
    K("stop", "Edit the stop", "F2"),
)
HOLDINGS = (K("sell-all", "Ticket: sell what can be sold; nothing is sent", "Delete"),)
JOURNAL = (K("note", "Edit tags or note", "F2"),)

"""Option chain."""

from __future__ import annotations

from openalgo_desktop.ui.kit.kinds import DockKind, Place

KINDS = (DockKind("chain", "Option chain", "chain.ChainDock", Place.LEFT, many=True),)

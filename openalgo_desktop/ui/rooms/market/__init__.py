"""Watchlist, chart, depth, ladder."""

from __future__ import annotations

from openalgo_desktop.ui.kit.kinds import DockKind, Place

KINDS = (
    DockKind("watchlist", "Watchlist", "watchlist.WatchlistDock", Place.LEFT, many=True),
    DockKind("chart", "Chart", "chart.ChartDock", Place.CENTRE, many=True),
    DockKind("ladder", "Ladder", "ladder.LadderDock", Place.RIGHT, many=True),
    DockKind("depth", "Market depth", "depth.DepthDock", Place.RIGHT, many=True),
)

"""Keys, monitor and request builder of the local API."""

from __future__ import annotations

from openalgo_desktop.ui.kit.kinds import DockKind, Place

KINDS = (DockKind("api-monitor", "API", "api_monitor.ApiMonitorDock", Place.BOTTOM),)

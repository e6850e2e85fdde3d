"""Webhook strategies, alerts and what else works by itself."""

from __future__ import annotations

from openalgo_desktop.ui.kit.kinds import DockKind, Place

KINDS = (DockKind("alerts", "Alerts", "alerts.AlertsDock", Place.BOTTOM),)

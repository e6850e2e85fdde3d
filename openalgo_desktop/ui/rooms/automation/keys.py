"""The keys of alerts and strategies."""

from __future__ import annotations

from openalgo_desktop.ui.kit.keys import DockKey

K = DockKey
ALERTS = (K("edit", "Edit the alert", "F2"), K("delete", "Delete the alert", "Delete"))
STRATEGIES = (K("edit", "Edit the strategy", "F2"), K("delete", "Delete the strategy", "Delete"))

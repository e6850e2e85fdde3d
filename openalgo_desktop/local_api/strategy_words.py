"""Texts about made strategies that clients know; endpoints and webhook say the same."""

from __future__ import annotations

NO_ENGINE = "The strategy engine does not run in this session."
NOT_FOUND = "Strategy not found"
NOT_RUNNING = "This strategy is not running"
LIVE_DISABLED = (
    "This strategy is not enabled for live trading. Enable it on the strategy page, or start it "
    "with mode 'sandbox'."
)
NO_START = "A signal strategy has no start: its first signal opens the run"
ALL_REJECTED = "Every entry order was rejected"
EXITS_REFUSED = "The broker refused every exit order. The run goes on and is watched; stop it again"

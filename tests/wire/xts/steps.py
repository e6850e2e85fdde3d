"""What the recordings of XTS members leave open: the names of their sessions' values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.wire.folders import Steps


def _session(recorded: Mapping[str, Any]) -> dict[str, str]:
    """A logged-in session. The recordings do not say the market user nor the feed's own session
    where a member has one, and the address of the trading API is the only one they know."""
    return {
        "access_token": recorded["auth_token"],
        "feed_user": recorded["client_id"],
        "stream_token": recorded["feed_token"],
        "stream_user": recorded["client_id"],
        "trading_url": f"{recorded['base_urls'][0]}/interactive",
    }


STEPS = Steps(session=_session)

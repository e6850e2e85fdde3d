"""The recordings call the registered address by another name."""

from __future__ import annotations

from tests.wire.folders import Steps

STEPS = Steps(session=lambda recorded: {"redirect_uri": recorded["redirect_url"]})

"""The sandbox is entered with a token; the recorder put a marker word where it is."""

from __future__ import annotations

from tests.wire.folders import Steps

STEPS = Steps(
    login=lambda given: {"access_token": ""} if "code" in given else {"client_id": "1100003626"}
)

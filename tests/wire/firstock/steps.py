"""The recordings call Firstock's API key the secret, and the user id of a login ``userid``."""

from __future__ import annotations

from tests.wire.folders import Steps

STEPS = Steps(
    session=lambda recorded: {"api_key": recorded["api_secret"]},
    login=lambda given: {
        "client_id": given["userid"],
        "password": given["password"],
        "totp": given["totp"],
    },
)

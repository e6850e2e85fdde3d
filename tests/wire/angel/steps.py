"""The recordings' names of the values of a login."""

from __future__ import annotations

from tests.wire.folders import Steps

_LOGIN = {"clientcode": "client_id", "broker_pin": "pin", "totp_code": "totp"}

STEPS = Steps(
    session=lambda recorded: {"access_token": recorded["auth_token"]},
    login=lambda given: {_LOGIN.get(name, name): value for name, value in given.items()},
)

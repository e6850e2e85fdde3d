"""What the recordings of XTS members leave open: the names of their sessions' values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.wire.folders import Steps

#: The user of all recordings.
PAGE_USER = "IIFL1"


def _session(recorded: Mapping[str, Any]) -> dict[str, str]:
    """A logged-in session. The recordings do not say the market user nor the feed's own session
    where a member has one."""
    return {
        "access_token": recorded["auth_token"],
        "feed_user": recorded["client_id"],
        "stream_token": recorded["feed_token"],
        "stream_user": recorded["client_id"],
    }


def _login(given: Mapping[str, Any]) -> dict[str, str]:
    """What the page comes back with: the sheets say JSON with the user beside the token, of which
    the recorder kept the token. A recording that names the fields of the login has them as they
    are."""
    if "request_token" not in given:
        return {name: str(value) for name, value in given.items()}
    token = given["request_token"]
    page = {"accessToken": token, "token": token, "userID": PAGE_USER}
    return {"request_token": json.dumps(page)}


STEPS = Steps(session=_session, login=_login)

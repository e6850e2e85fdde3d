"""Words of the recordings that only DhanHQ has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openalgo_desktop.brokers.kit.rest.values import pick
from openalgo_desktop.brokers.kit.spec import Call
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import NotSupported
from tests.wire.feed import Feed
from tests.wire.folders import Steps
from tests.wire.harness import Wire


async def _step(wire: Wire, op: str, given: Mapping[str, Any]) -> Any:
    """The consent that begins a login in the browser."""
    logins = [login for login in wire.broker.spec.logins if login.needs_browser]
    calls = [step for login in logins for step in login.steps if isinstance(step, Call)]
    if not calls:
        raise NotSupported("There is no login in the browser here.")
    data = await wire.rest.call(calls[0].op, wire.session.context())
    return {"consent_id": pick(data, calls[0].gives["consent_id"])}


def _frames(feed: Feed, case: Mapping[str, Any]) -> Sequence[Any] | None:
    """The end of a price subscription was recorded without a name: of the first share."""
    if case["input"]["action"] == "unsubscribe" and not case["input"]["symbols"]:
        return feed.line("market").ending({("NSE", "SBIN"): FeedMode.LTP})
    return None


STEPS = Steps(
    session=lambda recorded: {"app_secret": recorded["api_secret"]}, step=_step, frames=_frames
)

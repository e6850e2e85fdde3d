"""Who may call what, how often: rate limits, keys, rights, and the action centre."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from typing import Any

from openalgo_desktop.core.api_rows import QUEUED_KEY, QUEUED_MODE, ApiKey
from openalgo_desktop.core.enums import KeyRights, Mode
from openalgo_desktop.core.tools import CALLER_HEADER, MCP_CALLER, Writes
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.limits import RateLimiter
from openalgo_desktop.local_api.table import ApiError, Call, Endpoint, Need
from openalgo_desktop.trading.lane import Lane

log = logging.getLogger(__name__)

#: Wrong keys are counted and told in one log line per this many seconds.
WRONG_KEY_LOG_SECONDS = 60.0
#: What a key that is bound to an account may do with that account only. (What moves a strategy is
#: judged by the mode and account of its run, not by the switch.)
_OF_ACCOUNT = (Need.TRADE, Need.ACCOUNT)
_MCP = f"{MCP_CALLER}:"
QUEUED = "Order queued for approval in Action Center"


class TooMany(ApiError):
    """The rate limit says no; one form for all endpoints."""

    def __init__(self, wait: float) -> None:
        self.seconds = max(1, math.ceil(wait))
        super().__init__(
            429,
            "Rate limit exceeded. Please slow down your requests.",
            with_mode=False,
            retry_after=self.seconds,
        )


class Gate:
    """The checks between a parsed request and its handler."""

    def __init__(self, ctx: ApiContext) -> None:
        self._ctx = ctx
        self._limiter = RateLimiter(time.monotonic)
        self._wrong_keys = 0
        self._wrong_keys_told = -WRONG_KEY_LOG_SECONDS

    def cached(self, data: dict[str, Any]) -> ApiKey | None:
        """The key of a request when it was verified before."""
        text = data.get("apikey")
        return self._ctx.keys.cached(text) if isinstance(text, str) and text else None

    def limit(self, row: Endpoint, client: str, *, known: bool) -> None:
        """Count a request; raises :class:`TooMany`. Callers without a known key share a window
        of their own: a flood of wrong keys cannot starve good clients."""
        limit = row.limit
        text = self._ctx.settings[limit] if limit.startswith("limits.") else limit
        wait = self._limiter.take((client, row.method, row.path, known), text)
        if wait:
            raise TooMany(wait)

    async def recognised(self, row: Endpoint, data: dict[str, Any]) -> ApiKey | None:
        """The key of a request that was not verified before; None for a wrong one, which is
        refused in its turn."""
        text = data.get("apikey")
        if row.need is Need.NOTHING or not isinstance(text, str) or not text:
            return None
        return await self._ctx.keys.verify(text)

    def wrong_key(self, row: Endpoint, data: dict[str, Any], mode: Mode) -> ApiError:
        """The refusal of the endpoint."""
        self._count_wrong_key()
        status, message = row.bad_key
        fields = {"mode": mode.api_text} if row.name == "pnl/symbols" else {}
        if "{" in message:
            message = message.format_map(data)
        return ApiError(status, message, with_mode=False, **fields)

    async def key_of_queued(self, payload: dict[str, Any]) -> ApiKey | None:
        """The bound key that sent what waited for a human; None for a free one. Raises
        :class:`ApiError` when it was revoked since."""
        number = payload.get(QUEUED_KEY)
        if number is None:
            return None
        key = await self._ctx.keys.find(int(number))
        if key is None:
            raise ApiError(409, "The API key that sent this was revoked since; nothing was sent.")
        return key

    def check_rights(self, row: Endpoint, key: ApiKey, lane: Lane) -> None:
        """Raise 403 for what the key may not do."""
        mode = lane.mode
        if (row.owner or row.need is Need.STRATEGY) and key.bound:
            whose = f"strategy {key.strategy!r}" if key.strategy else f"{key.mode} mode"
            raise _forbidden(f"API key '{key.name}' is bound to {whose}; {row.name} is not for it.")
        if row.need in (Need.TRADE, Need.STRATEGY) and key.rights is KeyRights.READ:
            raise _forbidden(f"API key '{key.name}' may only read.")
        paper_only = key.rights is KeyRights.SANDBOX and mode is not Mode.SANDBOX
        if row.need is Need.TRADE and paper_only:
            raise _forbidden(f"API key '{key.name}' may trade in the sandbox only.")
        bound = key.account_id if row.need in _OF_ACCOUNT else ""
        if bound and not self._is_account(bound, lane):
            raise _forbidden(f"API key '{key.name}' belongs to account {bound}.")

    def _is_account(self, bound: str, lane: Lane) -> bool:
        """Whether an account takes the orders of a lane (without one the desk says so itself). A
        paper account is meant, too, by the account whose prices it trades at."""
        takes = lane.read.account_id
        if lane.mode is Mode.SANDBOX and bound == self._ctx.account_status().account_id:
            return True
        return takes in ("", bound)

    def check_caller(self, row: Endpoint, source: str, mode: Mode) -> None:
        """Raise 403 for an order of a language model that the owner did not switch on."""
        if row.need not in (Need.TRADE, Need.STRATEGY) or not source.startswith(_MCP):
            return
        allowed = self._ctx.settings["mcp.writes"]
        if allowed == Writes.OFF:
            raise _forbidden("Orders of language models are switched off (setting mcp.writes).")
        if allowed == Writes.SANDBOX and mode is not Mode.SANDBOX:
            raise _forbidden("Language models may trade in the sandbox only (setting mcp.writes).")
        if row.need is Need.STRATEGY:  # a run sends its orders later, without anybody's yes
            raise _forbidden("Language models may not start and stop strategies.")

    async def semi_auto(self, call: Call) -> dict[str, Any] | None:
        """The answer of a request that has to wait for a human; None lets it pass.

        Placements are queued in both modes; what changes or cancels is refused while orders are
        live, because a human may be deciding about them.
        """
        row, approvals = call.endpoint, self._ctx.approvals
        if approvals is None or not (row.queued or row.refused_in_semi_auto):
            return None
        if not approvals.needed(call.source):
            return None
        if row.queued:
            call.begin_write()
            pending = await approvals.queue(row.path, queued_payload(call), call.source)
            return {
                "status": "success",
                "message": QUEUED,
                "mode": "semi_auto",
                "pending_order_id": pending,
            }
        if call.mode is Mode.LIVE:
            raise _forbidden(row.refused_in_semi_auto)
        return None

    def _count_wrong_key(self) -> None:
        self._wrong_keys += 1
        now = time.monotonic()
        if now - self._wrong_keys_told >= WRONG_KEY_LOG_SECONDS:
            log.warning("%d request(s) with a wrong API key", self._wrong_keys)
            self._wrong_keys, self._wrong_keys_told = 0, now


def source_of(headers: Mapping[str, str], key: ApiKey) -> str:
    """Who asks: ``api:NAME``, or ``mcp:NAME`` where our own MCP server says that a language model
    does. Whoever else says so is only held to more."""
    if headers.get(CALLER_HEADER) == MCP_CALLER:
        return f"{_MCP}{key.name}"
    return f"api:{key.name}"


def queued_payload(call: Call) -> dict[str, Any]:
    """What waits for a human: the fields, the mode in which they were sent, and the bound key."""
    payload = {**call.data, QUEUED_MODE: call.mode.value}
    if call.key is not None and call.key.bound:
        payload[QUEUED_KEY] = call.key.key_id
    return payload


def approved_fields(payload: dict[str, Any], mode: Mode) -> dict[str, Any]:
    """The fields of an approved request. One that was sent in the other mode is refused: a
    paper order must not become a real one by a switch in between."""
    fields = dict(payload)
    fields.pop(QUEUED_KEY, None)
    sent = fields.pop(QUEUED_MODE, mode.value)
    if sent != mode.value:
        raise ApiError(
            409,
            f"This request was queued in {sent} mode and the mode is {mode.value} now. "
            "Switch back, or reject it.",
        )
    return fields


def _forbidden(message: str) -> ApiError:
    return ApiError(403, message, with_mode=False)

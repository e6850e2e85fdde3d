"""The public webhook of made strategies: its words, its windows, and who may send. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from enum import StrEnum

PREFIX = "oaws_"
_TOKEN = re.compile(r"oaws_[A-Za-z0-9_-]{43}\Z")
#: Bytes of an alert at most.
MAX_BODY = 16_384
#: The same action again within this time is the same alert; seconds.
DEDUPE_SECONDS = 60.0
#: No start within this time of a stop; seconds.
COOLING_SECONDS = 30.0


class HookResult(StrEnum):
    """What became of an alert; part of the answer."""

    OK = "ok"
    TOKEN = "rejected_token"
    LOCKED = "rejected_locked"
    IP = "rejected_ip"
    PAYLOAD = "rejected_payload"
    INVALID_ACTION = "rejected_invalid_action"
    LIVE_DISABLED = "rejected_live_disabled"
    APPROVAL = "rejected_approval"  # ours: its orders wait in the action centre
    DEDUPE = "rejected_dedupe"
    COOLING_OFF = "rejected_cooling_off"
    ENGINE_ERROR = "rejected_engine_error"
    RATE_LIMITED = "rate_limited"
    # Of the log only.
    TAKEN = "taken"  # on disk; the engine has not answered yet
    LOST = "unknown"  # the program ended in between
    QUEUED = "queued"  # orders of a webhook strategy
    DUPLICATE = "duplicate"
    REFUSED = "refused"


def is_token(text: str) -> bool:
    """Whether it has the form of a token."""
    return _TOKEN.match(text) is not None


def may_send(address: str, ranges: Iterable[str]) -> bool:
    """Whether an address is in one of the CIDR ranges; anybody may where there is none. An
    address that cannot be read is in none."""
    wanted = tuple(ranges)
    if not wanted:
        return True
    try:
        sender = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(sender, ipaddress.IPv6Address) and sender.ipv4_mapped is not None:
        sender = sender.ipv4_mapped
    return any(sender in network for text in wanted if (network := _network(text)) is not None)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None

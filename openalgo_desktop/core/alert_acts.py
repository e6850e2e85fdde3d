"""What an alert may do beside telling. Pure words.

An order or a strategy has a fixed mode, and an account where it is live: neither follows a switch.
What moves money is done at most once for each time that the alert tells, and never on what is first
seen after a start, a lost feed or a night: only on what was seen to become true.
"""

from __future__ import annotations

import re
from typing import TypeAlias
from urllib.parse import urlsplit

import msgspec

from openalgo_desktop.core.addresses import is_loopback
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.model import OrderRequest

#: Longest address and body of a post, letters; so many acts of one alert, orders of one day.
URL_LENGTH, BODY_LENGTH, MAX_ACTS, MAX_A_DAY = 1000, 4000, 5, 50


_PLACE = re.compile(r"\{\{\s*\w+\s*\}\}")


class PostTo(msgspec.Struct, frozen=True, tag="post"):
    """An HTTP POST of JSON. ``body`` is a template with the placeholders of a message, JSON itself;
    empty for the usual one. ``secret`` names a value of the vault that is sent as the header
    ``header``, or stands where ``url`` says ``{{secret}}``."""

    url: str
    body: str = ""
    secret: str = ""
    header: str = "Authorization"


class RunStrategy(msgspec.Struct, frozen=True, tag="run-strategy"):
    """Start a strategy in a mode; live in one ``account`` only (empty in the sandbox)."""

    name: str
    mode: Mode
    account: str = ""


class StopStrategy(msgspec.Struct, frozen=True, tag="stop-strategy"):
    """Stop a hosted strategy."""

    name: str


class SendOrder(msgspec.Struct, frozen=True, tag="order"):
    """An order through risk gate and approvals. ``per_day`` is how many a day an alert that tells
    each time may send; it has to be said."""

    request: OrderRequest
    mode: Mode
    account: str
    per_day: int = 0


Act: TypeAlias = PostTo | RunStrategy | StopStrategy | SendOrder
#: Acts that are written down before they are done, because doing them twice does harm.
Deed: TypeAlias = RunStrategy | StopStrategy | SendOrder


def act_name(act: Act) -> str:
    """What the log calls it; an address is shown by its host only."""
    if isinstance(act, PostTo):
        return f"POST to {urlsplit(act.url).hostname or '?'}"
    if isinstance(act, RunStrategy):
        return f"run {act.name} ({act.mode.value})"
    if isinstance(act, StopStrategy):
        return f"stop {act.name}"
    row = act.request
    return f"{row.action.value} {row.quantity} {row.symbol} ({act.mode.value})"


def check_act(act: Act, again: bool) -> None:
    """Raises :class:`InvalidOrder` with a sentence that names the field; ``again`` for an alert
    that tells each time. What the order desk says of an order it says when it goes out."""
    if isinstance(act, PostTo):
        check_post(act)
    elif isinstance(act, SendOrder):
        _check_order(act, again)
    elif not act.name:
        raise InvalidOrder("Action: name the strategy.", field="acts")
    elif isinstance(act, RunStrategy) and act.mode is Mode.LIVE and not act.account:
        raise InvalidOrder("Action: say in which account it is started live.", field="acts")


def check_post(act: PostTo) -> None:
    """Raises :class:`InvalidOrder` for an address that is not https (or of this machine)."""
    try:
        parts = urlsplit(act.url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or len(act.url) > URL_LENGTH:
        raise InvalidOrder(
            "Webhook: give an address such as https://example.com/hook.", field="acts"
        )
    if parts.username or parts.password:
        raise InvalidOrder("Webhook: no password in the address; use the secret.", field="acts")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise InvalidOrder(
            "Webhook: the address must begin with https:// (http:// only for this machine).",
            field="acts",
        )
    if len(act.body) > BODY_LENGTH:
        raise InvalidOrder(f"Webhook: the body has more than {BODY_LENGTH} letters.", field="acts")
    if act.body and not _is_json(act.body):
        raise InvalidOrder("Webhook: the body is no JSON.", field="acts")
    if "{{secret}}" in act.body:
        raise InvalidOrder(
            "Webhook: the secret goes into the header or the address, not into the body.",
            field="acts",
        )
    in_path = "{{secret}}" in act.url
    if in_path and ("{{secret}}" in parts.netloc or not act.secret):
        raise InvalidOrder(
            "Webhook: {{secret}} stands in the path, and the secret has a name.", field="acts"
        )
    if act.secret and not in_path and not act.header.isascii():
        raise InvalidOrder("Webhook: the header has letters that it cannot have.", field="acts")


def _is_json(template: str) -> bool:
    """Whether it is JSON when its placeholders are filled in; one outside quotes is a number."""
    try:
        msgspec.json.decode(_PLACE.sub("0", template))
    except msgspec.DecodeError:
        return False
    return True


def _check_order(act: SendOrder, again: bool) -> None:
    if act.request.quantity <= 0:
        raise InvalidOrder("Order: give a quantity above 0.", field="acts")
    if not act.account:
        raise InvalidOrder("Order: say of which account.", field="acts")
    if again and not 0 < act.per_day <= MAX_A_DAY:
        raise InvalidOrder(
            f"Order: an alert that tells each time says how many orders a day it may send, 1 to "
            f"{MAX_A_DAY}.",
            field="acts",
        )

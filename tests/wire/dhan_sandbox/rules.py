"""Where recordings of the sandbox are wrong beyond their own ``deviation``, and on whose word."""

from __future__ import annotations

from typing import Any

from tests.wire.vectors import ABSENT, Rule

SHEET = "dhan_sandbox sheet"
_MADE_UP = (
    f"{SHEET}: the sandbox serves no market data; what the reference shows are random numbers "
    "around bars, which must not be made up"
)
_FUNDS = {
    "method": "GET",
    "url": "https://sandbox.dhan.co/v2/fundlimit",
    "query": {},
    "headers": {},
    "encoding": "none",
    "body": None,
}
_DATA = ("quotes", "multiquotes", "depth", "history")
_LOGIN = f"{SHEET}: a token of the DevPortal is pasted and checked with /v2/fundlimit; the logins "


def _leaves(case: dict[str, Any]) -> bool:
    return bool(case["http"])


RULES: tuple[Rule, ...] = (
    Rule(
        ops="login",
        field="/expect/details",
        condition=lambda case: "details" in case["expect"],
        source=_LOGIN + "tell more of the user",
        should_be=lambda case: ABSENT,
    ),
    Rule(
        ops="login",
        field="/http_response",
        condition=_leaves,
        source=_LOGIN + "of the live account are recorded here once more",
        should_be=lambda case: [
            {"status": 200, "body": {"dhanClientId": "1100003626", "availabelBalance": 1.0}}
        ],
    ),
    Rule(
        ops="login",
        field="/http",
        condition=_leaves,
        source=_LOGIN + "of the live account are recorded here once more",
        should_be=lambda case: [_FUNDS],
    ),
    Rule(
        ops="login_step",
        field="/expect",
        condition=_leaves,
        source=_LOGIN + "in the browser are those of the live account",
        should_be=lambda case: {"error": None},
    ),
    Rule(
        ops="login_step",
        field="/http",
        condition=_leaves,
        source=_LOGIN + "in the browser are those of the live account",
        should_be=lambda case: [],
    ),
    Rule(
        ops=_DATA,
        field="/expect",
        condition=_leaves,
        source=_MADE_UP,
        should_be=lambda case: {"error": None},
    ),
    Rule(ops=_DATA, field="/http", condition=_leaves, source=_MADE_UP, should_be=lambda case: []),
    Rule(
        ops="margin",
        field="/expect/total_margin_required",
        condition=lambda case: "totalMargin" in case["http_response"][0]["body"],
        source="https://dhanhq.co/docs/v2/funds: totalMargin is the margin of an answer for one "
        "leg; the reference looked for the other spelling",
        should_be=lambda case: case["http_response"][0]["body"]["totalMargin"],
    ),
)

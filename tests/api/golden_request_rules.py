"""Differences that concern every request alike; a part of the table of ``golden_rules``."""

from __future__ import annotations

from tests.api import golden_checks as checks
from tests.api.golden_case import Case
from tests.api.golden_compare import Freedom
from tests.api.golden_rule import Rule, error, with_broker


def _json_kind(case: Case) -> bool:
    """Whether the request says that its body is JSON, or text that may be JSON."""
    kind = (case.headers or {}).get("Content-Type", "application/json") or ""
    return kind.partition(";")[0].strip().lower() in ("application/json", "text/plain")


REQUEST_RULES: tuple[Rule, ...] = (
    Rule(
        "*",
        "the body is JSON but not an object (`null`, a list)",
        "400 `The request body must be a JSON object.`",
        "the reference crashes (500)",
        when=lambda case: (
            case.method == "POST"
            and case.raw_body is not None
            and _json_kind(case)
            and case.status == 500
            and not isinstance(case.request, dict)
        ),
        status=400,
        body=error("The request body must be a JSON object."),
    ),
    Rule(
        "*",
        "Content-Type is neither JSON nor plain text, or is missing",
        "415 `Send a JSON object with Content-Type application/json.`",
        "the reference crashes (500)",
        when=lambda case: case.method == "POST" and not _json_kind(case),
        status=415,
        body=error("Send a JSON object with Content-Type application/json."),
    ),
    Rule(
        "*",
        "the rate limit is exceeded",
        "429 with `status`, `message`, `retry_after` (seconds), and a Retry-After header",
        "the reference has three forms, the real one without `status`",
        when=lambda case: case.status == 429,
        body=error("Rate limit exceeded. Please slow down your requests.", retry_after=1),
        freedom=Freedom(free=("retry_after",)),
        check=checks.retry_after,
    ),
    Rule(
        "depth",
        "wrong API key",
        "403 `Invalid openalgo apikey`, as everywhere",
        "the reference answers 404 `Broker-specific module not found`",
        when=lambda case: case.status == 404 and "module" in str(case.message),
        status=403,
        body=error("Invalid openalgo apikey"),
    ),
    Rule(
        "ping",
        "success",
        "`broker` is the account's own (`simulator` in the tests)",
        "the recording was made with another broker",
        when=lambda case: case.ok,
        change=with_broker,
    ),
    Rule(
        "*",
        "CORS headers while no origin is configured (`api.cors_origins`)",
        "none",
        "web pages have no business here unless the user says so",
        when=lambda case: any(name.startswith("Access-Control") for name in case.answer_headers),
        dropped_headers=("Access-Control-Allow-Origin", "Access-Control-Allow-Methods"),
    ),
    Rule(
        "history (DataFrame)",
        "candles as the public client shows them",
        "candles of the account's own market",
        "the stand-in broker of the recording made a saw-tooth on every weekday",
        freedom=Freedom(
            free=[
                f"_dataframe.head[*].{name}" for name in ("open", "high", "low", "close", "volume")
            ]
        ),
        check=checks.candle_frame,
    ),
)

"""Differences from the recorded reference that are kept on purpose: one table of rules.

The runner applies them, ``docs/api-differences.md`` shows them (``python -m
tests.api.golden_rules`` writes its table, a test compares). A rule says when it holds in terms of
the request and the recorded answer, never by the name of a case.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.api.golden_case import Case
from tests.api.golden_checks import Check
from tests.api.golden_compare import Freedom
from tests.api.golden_live_rules import LIVE_RULES
from tests.api.golden_order_rules import ORDER_RULES
from tests.api.golden_request_rules import REQUEST_RULES
from tests.api.golden_rest_rules import REST_RULES
from tests.api.golden_rule import Rule
from tests.api.golden_stream_rules import STREAM_RULES


@dataclass
class Expectation:
    """What we are to answer in one case."""

    status: int
    body: Any
    freedom: Freedom
    dropped_headers: frozenset[str]
    checks: list[Check]


def expectation(case: Case, rules: Sequence[Rule] | None = None) -> Expectation:
    """The recorded answer with all rules applied that hold, in order."""
    status, body = case.status, case.body
    held = [rule for rule in (RULES if rules is None else rules) if rule.holds(case)]
    for rule in held:
        status = status if rule.status is None else rule.status
        body = body if rule.body is None else rule.body
        if rule.change is not None:
            body = rule.change(copy.deepcopy(body))
        if rule.edit is not None:
            body = rule.edit(copy.deepcopy(body), case)
    freedom = Freedom(
        free=[path for rule in held for path in rule.freedom.free],
        extra=[path for rule in held for path in rule.freedom.extra],
        missing=[path for rule in held for path in rule.freedom.missing],
        any_length=[path for rule in held for path in rule.freedom.any_length],
        exact=[path for rule in held for path in rule.freedom.exact],
        near=[pair for rule in held for pair in rule.freedom.near],
        by_id=[path for rule in held for path in rule.freedom.by_id],
        unordered=[path for rule in held for path in rule.freedom.unordered],
    )
    dropped = frozenset(name for rule in held for name in rule.dropped_headers)
    checks = [rule.check for rule in held if rule.check is not None]
    return Expectation(status, body, freedom, dropped, checks)


def markdown() -> str:
    """The rules as the table of ``docs/api-differences.md``."""
    lines = ["| endpoint | when | this program | why |", "|---|---|---|---|"]
    for rule in RULES:
        endpoint = "all" if rule.endpoint == "*" else f"`{rule.endpoint}`"
        lines.append(f"| {endpoint} | {rule.condition} | {rule.answer} | {rule.reason} |")
    return "\n".join(lines) + "\n"


DOC = Path(__file__).resolve().parents[2] / "docs" / "api-differences.md"
BEGIN, END = "<!-- rules: begin -->\n", "<!-- rules: end -->\n"
RULES: tuple[Rule, ...] = (*REQUEST_RULES, *REST_RULES, *ORDER_RULES, *LIVE_RULES, *STREAM_RULES)


def write_docs() -> None:
    """Put the table into the docs."""
    text = DOC.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    DOC.write_text(f"{head}{BEGIN}{markdown()}{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    write_docs()

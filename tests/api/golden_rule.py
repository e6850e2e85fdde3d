"""One difference from the recording that is kept on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tests.api.golden_case import Case
from tests.api.golden_checks import Check
from tests.api.golden_compare import Freedom


@dataclass(frozen=True)
class Rule:
    """``endpoint`` is a pattern; ``condition``, ``answer`` and ``reason`` are for people.

    ``status`` and ``body`` replace the recorded ones; ``change`` edits a copy of the recorded
    body (``edit`` too, and sees the case, with what came before it); ``freedom`` lists paths X"""

    endpoint: str
    condition: str
    answer: str
    reason: str
    when: Callable[[Case], bool] = lambda case: True
    status: int | None = None
    body: Any = None
    change: Callable[[Any], Any] | None = None
    edit: Callable[[Any, Case], Any] | None = None
    freedom: Freedom = field(default_factory=Freedom)
    dropped_headers: tuple[str, ...] = ()
    check: Check | None = None

    def holds(self, case: Case) -> bool:
        """Whether the rule speaks of this case."""
        return fnmatchcase(case.endpoint, self.endpoint) and self.when(case)


def error(message: str, **fields: Any) -> dict[str, Any]:
    """The body of a refusal."""
    return {"status": "error", "message": message, **fields}


def with_broker(body: Any) -> Any:
    """The recording's broker replaced by the simulator, wherever ``broker`` stands."""
    if isinstance(body, dict):
        return {
            key: "simulator" if key == "broker" and value == "zerodha" else with_broker(value)
            for key, value in body.items()
        }
    return [with_broker(item) for item in body] if isinstance(body, list) else body

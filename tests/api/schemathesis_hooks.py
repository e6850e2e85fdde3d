"""Hooks of the schemathesis run: every generated key becomes the real one, and 501 (documented:
not with this broker, not in this version) is no failure.

Runs in a side environment; imports nothing of the program.
"""

import os
from typing import Any

import schemathesis

KEY = os.environ["API_KEY"]


@schemathesis.hook
def map_body(_context: Any, body: Any) -> Any:
    """Put the key into a JSON body that has one."""
    if isinstance(body, dict) and isinstance(body.get("apikey"), str):
        body["apikey"] = KEY
    return body


@schemathesis.hook
def map_query(_context: Any, query: Any) -> Any:
    """Put the key into a query that has one."""
    if isinstance(query, dict) and "apikey" in query:
        query["apikey"] = KEY
    return query


@schemathesis.check
def no_unexpected_5xx(_context: Any, response: Any, _case: Any) -> None:
    """Bad input must never look like our failure."""
    assert response.status_code < 500 or response.status_code == 501, response.text

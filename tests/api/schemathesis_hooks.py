"""Hooks of the schemathesis run: every generated key becomes the real one.

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

"""Tools that a language model may call, as plain rows: what an endpoint of the local API, or a
function of ours, looks like from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.near import did_you_mean

#: Header by which our own MCP server says that a language model asks, and its value. It makes the
#: engine stricter only: ``mcp.writes`` is looked at, and the source of an order is ``mcp:<key>``.
CALLER_HEADER = "X-OpenAlgo-Caller"
MCP_CALLER = "mcp"
#: Strategy name of a call that names none.
MCP_STRATEGY = "MCP"


class Toolset(StrEnum):
    """Groups in which tools are given or held back."""

    ORDERS = "orders"
    ACCOUNT = "account"
    MARKET = "market"
    OPTIONS = "options"
    REFERENCE = "reference"
    RESEARCH = "research"
    MESSAGES = "messages"


class Writes(StrEnum):
    """What language models may do with orders; the setting ``mcp.writes``."""

    OFF = "off"
    SANDBOX = "sandbox"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class ToolRow:
    """One tool. ``schema`` is the JSON schema of its arguments (an object without other fields).

    ``route`` and ``method`` are the call of the local API that it makes, in which ``names`` says
    what arguments are called; without a route a function of the MCP server answers. ``rows``: the
    answer is a list, the argument ``limit`` (how many rows at most) is ours; ``newest`` is the
    field by whose time the newest come first, and of a ``master`` only the beginning is read.
    ``writes``: it changes orders, positions or what others are told, so it needs the trade right;
    ``destructive`` and ``idempotent`` are the hints of MCP.
    """

    name: str
    doc: str
    toolset: Toolset
    schema: Mapping[str, Any]
    route: str = ""
    method: str = "POST"
    names: Mapping[str, str] = field(default_factory=dict)
    rows: bool = False
    newest: str = ""
    master: bool = False
    writes: bool = False
    destructive: bool = False
    idempotent: bool = False
    hidden: bool = False  # not given to models: tools of ours ask it
    ours: bool = False  # what it answers is of this program alone, no text of others


def toolsets(text: str) -> frozenset[Toolset]:
    """The toolsets of a list such as ``market, options``; all of them when it is empty. Raises
    :class:`ConfigError` that names the word."""
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    known = [toolset.value for toolset in Toolset]
    for word in words:
        if word not in known:
            raise ConfigError(
                f"{word!r} is no toolset.{did_you_mean(word, known)} There are {', '.join(known)}."
            )
    return frozenset(map(Toolset, words or known))

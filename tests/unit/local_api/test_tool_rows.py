"""The endpoint table as tools: every endpoint is one or is left out by name, schemas are plain."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from openalgo_desktop.automation.mcp.arguments import fields, problems, with_defaults
from openalgo_desktop.automation.mcp.own import OWN
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.tools import Toolset, toolsets
from openalgo_desktop.local_api.endpoints import TABLE
from openalgo_desktop.local_api.strategy_endpoints import STRATEGIES
from openalgo_desktop.local_api.table import Need
from openalgo_desktop.local_api.tool_rows import TOOLS, tool_rows

ROWS = {row.name: row for row in (*tool_rows(), *(tool.row for tool in OWN))}
#: What models are not given: the mode of everybody, strategies that run on by themselves, the bot's
#: own switches, and what is no question of a person.
LEFT_OUT = {
    *("analyzer/toggle", "strategy/start", "strategy/stop", "strategy/close_all"),
    *("strategy/close_leg", "ping", "chart", "ticker/*", "/docs", "/health/status"),
    *("telegram/broadcast", "telegram/start", "telegram/stop", "telegram/config"),
    *("telegram/preferences", "telegram/users", "telegram/stats"),
}


def test_every_endpoint_is_a_tool_or_left_out_by_name() -> None:
    there = {tool.path for tool in TOOLS}
    served = {row.path for row in (*TABLE, *STRATEGIES) if not row.stub and row.group != "Webhooks"}
    assert served - there == LEFT_OUT


def test_what_trades_writes_and_what_reads_does_not() -> None:
    needs = {(row.method, row.route): row.need for row in (*TABLE, *STRATEGIES)}
    for row in tool_rows():
        trades = needs[row.method, row.route] is Need.TRADE
        assert row.writes is (trades or row.toolset is Toolset.MESSAGES), row.name
        assert row.destructive is trades
    assert not any(tool.row.writes for tool in OWN)


def _plain(schema: dict[str, Any]) -> None:
    """One type (or null), no key, nothing unknown is taken."""
    if schema.get("type") == "object":
        assert schema["additionalProperties"] is False
        assert "apikey" not in schema["properties"]
        for name, part in schema["properties"].items():
            if name != "params":  # of an indicator: the registry knows its names
                _plain(part)
    elif schema.get("type") == "array":
        _plain(schema["items"])
    else:
        kinds = schema["type"]
        assert isinstance(kinds, str) or (len(kinds) == 2 and kinds[1] == "null")


@pytest.mark.parametrize("name", sorted(ROWS))
def test_schemas_are_plain_and_their_examples_fit(name: str) -> None:
    row = ROWS[name]
    _plain(dict(row.schema))
    for example in row.schema.get("examples", ()):
        assert problems(row.schema, example) == []
    assert row.doc.endswith(".")
    json.dumps(row.schema)


def test_names_defaults_and_choices() -> None:
    row = ROWS["place_order"]
    properties = row.schema["properties"]
    assert properties["action"]["enum"] == ["BUY", "SELL"]
    assert properties["price_type"]["default"] == "MARKET"
    assert properties["strategy"]["default"] == "MCP"
    assert row.schema["required"] == ["exchange", "symbol", "action", "quantity"]
    history = ROWS["get_historical_data"].schema["properties"]
    assert (history["bars"]["default"], history["source"]["enum"]) == (20, ["api", "db"])
    assert history["interval"]["enum"] == [i.value for i in Interval]
    assert ROWS["history"].schema["properties"]["interval"]["enum"] == [i.value for i in Interval]


def test_arguments_become_fields_of_the_api() -> None:
    row = ROWS["place_split_order"]
    given = with_defaults(row, {"symbol": "SBIN", "price_type": "LIMIT", "split_size": 2})
    sent = fields(row, given)
    assert (sent["pricetype"], sent["splitsize"], sent["strategy"]) == ("LIMIT", 2, "MCP")
    assert "price_type" not in sent
    listing = ROWS["get_order_book"]
    assert fields(listing, with_defaults(listing, {})) == {}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"symbl": "SBIN"}, "'symbl' is no argument. Did you mean symbol?"),
        ({"symbol": 5}, "symbol: 5 must be a text."),
        ({"quantity": True}, "quantity: True must be a number."),
        ({"quantity": 0}, "quantity: 0 must be more than 0."),
        ({"quantity": float("nan")}, "NaN and Infinity are no numbers here"),
        ({"action": "buy"}, "action: 'buy' must be one of: BUY, SELL."),
        ({"exchange": "NSEE"}, "exchange: 'NSEE' must be one of: NSE, NFO,"),
        ({}, "symbol: missing."),
    ],
)
def test_what_does_not_fit_is_named_with_the_fix(arguments: dict[str, Any], sentence: str) -> None:
    assert any(sentence in text for text in problems(ROWS["place_order"].schema, arguments))


def test_an_endpoint_that_is_only_answered_is_no_tool() -> None:
    rows = [replace(row, stub=row.path == "quotes") for row in TABLE]
    assert "get_quote" not in {row.name for row in tool_rows(rows)}


def test_toolsets_are_read_and_a_wrong_word_is_named() -> None:
    assert toolsets("") == frozenset(Toolset)
    assert toolsets(" market , OPTIONS") == {Toolset.MARKET, Toolset.OPTIONS}
    with pytest.raises(ConfigError, match=r"'optoins' is no toolset. Did you mean options\?"):
        toolsets("optoins")

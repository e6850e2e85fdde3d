"""The table of freeze quantities: shipped, of the master, of the user."""

from __future__ import annotations

from datetime import date

import pytest

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.freeze import FreezeTable, freeze_text
from openalgo_desktop.core.model import Instrument

TABLE = FreezeTable.from_json(resource_text("exchange/freeze.json"))


def option(name: str, exchange: str = "NFO", freeze: int = 0) -> Instrument:
    return Instrument(
        f"{name}29DEC26100CE", exchange, name, "CE", expiry=date(2026, 12, 29), freeze_qty=freeze
    )


def test_the_table_fills_what_the_master_leaves_open() -> None:
    assert TABLE.of(option("NIFTY")) == 1800
    assert TABLE.of(option("NIFTY", freeze=1)) == 1800  # 1 means that it does not know
    assert TABLE.of(option("NIFTY", freeze=1200)) == 1200
    assert TABLE.of(option("SENSEX", "BFO")) == 1000
    assert TABLE.of(option("UNHEARD")) == 0
    assert TABLE.of(Instrument("NIFTY", "NSE", "NIFTY", freeze_qty=1)) == 0


def test_the_users_own_go_first_and_0_is_no_limit() -> None:
    own = TABLE.with_own("nifty=900, BFO:SENSEX=0,M&M=5000")
    assert own.of(option("NIFTY", freeze=1200)) == 900
    assert own.of(option("SENSEX", "BFO")) == 0
    assert own.of(option("M&M")) == 5000
    assert own.of(option("BANKNIFTY")) == 600
    assert [row.freeze_qty for row in own.applied([option("NIFTY"), option("X")])] == [900, 0]


@pytest.mark.parametrize("text", ["NIFTY", "NIFTY=", "NIFTY=-1", "NIFTY=1.5", "=5", "NIFTY=٥"])
def test_other_entries_are_named(text: str) -> None:
    with pytest.raises(ConfigError, match="is not like NIFTY=1800"):
        freeze_text(text)


def test_the_setting() -> None:
    settings = Settings({"trading.freeze_quantities": "nifty=900"})
    assert settings["trading.freeze_quantities"] == "NIFTY=900"

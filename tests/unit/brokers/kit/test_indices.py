"""Unified names of indices: the shared file, and files of brokers and families beside it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from openalgo_desktop.brokers.kit.master import indices
from openalgo_desktop.brokers.kit.master.indices import index_symbol
from openalgo_desktop.config.resources import resource_path
from openalgo_desktop.core.enums import INDEX_EXCHANGES
from openalgo_desktop.core.errors import ConfigError

SHIPPED = sorted(resource_path("brokers/indices").glob("*.json"))


@pytest.mark.parametrize(
    ("name", "exchange", "symbol"),
    [
        ("Nifty 50", "NSE_INDEX", "NIFTY"),
        ("NIFTY-BANK", "NSE_INDEX", "BANKNIFTY"),
        ("INDIA_VIX", "NSE_INDEX", "INDIAVIX"),
        ("SNSX50", "BSE_INDEX", "SENSEX50"),
        ("BSE CG", "BSE_INDEX", "BSECAPITALGOODS"),
        ("AUTO", "NSE_INDEX", "AUTO"),
        ("AUTO", "BSE_INDEX", "BSEAUTO"),
        ("Mcx Bulldex", "MCX_INDEX", "MCXBULLDEX"),
    ],
)
def test_shared_names(name: str, exchange: str, symbol: str) -> None:
    assert index_symbol(name, exchange) == symbol
    assert index_symbol(name, exchange, "a-broker-without-a-file") == symbol


def test_names_of_the_families() -> None:
    assert index_symbol("Nifty Index", "NSE_INDEX", "noren") == "NIFTY"
    assert index_symbol("FIN", "BSE_INDEX", "xts") == "BSEFINANCIALSERVICES"
    assert index_symbol("FIN", "BSE_INDEX") == "FIN"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    shutil.copytree(resource_path("brokers/indices"), tmp_path / "brokers/indices")
    monkeypatch.setattr("openalgo_desktop.config.resources.resource_root", lambda: tmp_path)
    indices._names.cache_clear()
    yield tmp_path / "brokers/indices"
    indices._names.cache_clear()


def test_a_file_of_a_broker_goes_before_the_shared_one(folder: Path) -> None:
    names = {"about": "words", "NSE_INDEX": {"Nifty 50": "OWN", "N-50": "NIFTY"},
             "GLOBAL_INDEX": {"^GSPC": "US500"}}  # fmt: skip
    (folder / "mine.json").write_text(json.dumps(names))
    assert index_symbol("NIFTY 50", "NSE_INDEX", "mine") == "OWN"
    assert index_symbol("n50", "NSE_INDEX", "mine") == "NIFTY"
    assert index_symbol("^GSPC", "GLOBAL_INDEX", "mine") == "US500"
    assert index_symbol("Nifty Bank", "NSE_INDEX", "mine") == "BANKNIFTY"
    assert index_symbol("Nifty 50", "NSE_INDEX") == "NIFTY"
    assert index_symbol("^GSPC", "GLOBAL_INDEX") == "^GSPC"


def test_two_names_that_become_one_are_refused(folder: Path) -> None:
    (folder / "mine.json").write_text('{"NSE_INDEX": {"N 50": "NIFTY", "N-50": "OTHER"}}')
    with pytest.raises(ConfigError, match="mine"):
        index_symbol("N50", "NSE_INDEX", "mine")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_files_are_good(path: Path) -> None:
    shared = indices._read("shared") if path.stem != "shared" else {}
    for exchange, names in indices._read(path.stem).items():
        assert exchange in {str(known) for known in INDEX_EXCHANGES}
        for name, symbol in names.items():
            assert symbol and symbol == "".join(symbol.split()).upper()
            assert name != symbol or shared.get(exchange, {}).get(name), f"{name} says nothing"
            assert shared.get(exchange, {}).get(name) != symbol, f"{name} is in the shared file"

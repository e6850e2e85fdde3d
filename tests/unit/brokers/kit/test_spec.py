"""The small languages of a spec, and the registry."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

import openalgo_desktop.brokers as home
from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.kit.rest.values import compute, fill, number, pick, render
from openalgo_desktop.brokers.kit.spec import Op
from openalgo_desktop.brokers.registry import Registry, our_ids
from openalgo_desktop.brokers.zerodha import BROKER
from openalgo_desktop.core.enums import Product, surfaced
from openalgo_desktop.core.errors import BadCredentials, ConfigError
from openalgo_desktop.core.totp import totp

SPEC = BROKER.spec


# -- languages ------------------------------------------------------------------------------
def test_values_keep_types_and_leave_out_what_is_empty() -> None:
    table = {
        "a": "$price",
        "b": "$price:text",
        "c": "$quantity:text",
        "d": "$none?",
        "e": "$zero:int?",
        "f": "fixed",
        "g": {"h": ["$quantity:float", "$none?"]},
    }
    context = {"price": 812.350, "quantity": 10, "zero": 0}
    assert render(table, context) == {
        "a": 812.35,
        "b": "812.35",
        "c": "10",
        "f": "fixed",
        "g": {"h": [10.0]},
    }
    with pytest.raises(ConfigError, match="'missing'"):
        render({"a": "$missing"}, {})


def test_templates_quote_parts_of_addresses() -> None:
    assert fill("/a/{x}?k={y}", {"x": "M&M/1", "y": "a b"}, quoted=True) == "/a/M%26M%2F1?k=a%20b"
    assert fill("{x}", {"x": 100.0}) == "100"
    with pytest.raises(ConfigError):
        fill("{nothing}", {})


def test_paths_take_the_first_that_is_there() -> None:
    row = {"a": {"b": [1, {"c": 2}]}, "n": None, "m": 5}
    assert pick(row, "a.b.1.c") == 2
    assert pick(row, "n|x.y|m") == 5
    assert pick(row, "a.b.9", 0) == 0
    assert pick(row, "") is row


def test_numbers_of_replies() -> None:
    assert number("1,23,456.50") == 123456.5
    assert number("n/a") == 0
    assert number(None) == 0


def test_one_time_codes_are_those_of_rfc_6238() -> None:
    """Appendix B of the RFC, the last six digits of its eight."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for moment, code in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        assert totp(secret, moment) == code
    assert totp(" gezd gnbv-gy3t qojq gezd gnbv gy3t qojq", 59) == "287082"
    with pytest.raises(BadCredentials) as caught:
        totp("not base32!", 0)
    assert caught.value.field == "totp_secret"


def test_computed_values() -> None:
    # SHA-256 of "abc", from FIPS 180-2
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert compute("sha256:{a}{b}", {"a": "a", "b": "bc"}, 0) == digest
    assert compute("base64:{a}:{b}", {"a": "id", "b": "pw"}, 0) == "aWQ6cHc="
    assert compute("{a}", {"a": "plain"}, 0) == "plain"


def test_foreign_values_are_shown_but_cannot_be_sent() -> None:
    mtf = surfaced(Product, "MTF")
    assert mtf == "MTF" and str(mtf) == "MTF" and mtf not in set(Product)
    with pytest.raises(ValueError, match="MTF"):
        Product("MTF")


# -- registry -------------------------------------------------------------------------------
def test_brokers_are_found_by_folder(tmp_path: Path) -> None:
    for folder in ("third", "kit", "families", "simulator"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text("raise SystemExit('imported')\n")
    (tmp_path / "plain.py").touch()
    (tmp_path / "data").mkdir()
    assert our_ids([str(tmp_path)]) == {"third"}
    packed = shutil.make_archive(str(tmp_path / "all"), "zip", tmp_path)
    assert our_ids([packed]) == {"third"}  # a program in one file
    assert {"zerodha", "openalgo"} <= our_ids()
    assert not {"kit", "families", "simulator"} & our_ids()


def test_an_adapter_that_does_not_load_hurts_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, text in (("broken", "import no_such_library\n"), ("empty", "")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text(text)
    monkeypatch.setattr(home, "__path__", [*home.__path__, str(tmp_path)])
    registry = Registry([])
    assert {"broken", "empty", "zerodha"} <= set(registry.ids())
    for name, said in (("broken", "no_such_library"), ("empty", "BROKER")):
        with pytest.raises(ConfigError, match=f"Broker {name} .* cannot be loaded: .*{said}"):
            registry.get(name)
    assert set(registry.all()) == set(registry.ids()) - {"broken", "empty"}


def test_the_ids_import_no_adapter() -> None:
    code = (
        "import sys\n"
        "from openalgo_desktop.brokers.registry import Registry\n"
        "ids = Registry().ids()\n"
        "home = 'openalgo_desktop.brokers.'\n"
        "print([m for m in sys.modules if m.startswith(home) and m != home + 'registry'])\n"
        "print('zerodha' in ids)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "True"]


@dataclass
class Entry:
    """An entry point of another package."""

    name: str
    value: str
    offered: Any

    def load(self) -> Any:
        if isinstance(self.offered, Exception):
            raise self.offered
        return self.offered


def test_other_packages_bring_brokers() -> None:
    spec = msgspec.structs.replace(SPEC, id="third", title="Third party")
    registry = Registry([Entry("third", "third:BROKER", Broker(spec, BROKER.api))])  # type: ignore[list-item]
    assert "third" in registry.ids()
    assert registry.get("third").spec.title == "Third party"
    assert registry.get("zerodha").spec is SPEC


def test_a_bad_package_does_not_hurt_the_others() -> None:
    wrong = msgspec.structs.replace(SPEC, id="wrong", logins=())
    registry = Registry(
        [
            Entry("broken", "broken:B", ImportError("no module")),  # type: ignore[list-item]
            Entry("wrong", "wrong:B", Broker(wrong, BROKER.api)),  # type: ignore[list-item]
            Entry("nothing", "nothing:B", object()),  # type: ignore[list-item]
            Entry("zerodha", "mine:B", Broker(SPEC)),  # type: ignore[list-item]
        ]
    )
    assert registry.get("zerodha") is BROKER
    assert set(registry.all()) == set(Registry([]).ids())
    for name, said in (("broken", "no module"), ("wrong", "logins"), ("nothing", "Broker")):
        with pytest.raises(ConfigError, match=said):
            registry.get(name)
    with pytest.raises(ConfigError, match="this version has"):
        registry.get("nobody")


def test_an_operation_is_read_only_unless_it_says_so() -> None:
    assert not Op(method="GET", path="/x").write
    writes = {name for name, op in SPEC.ops.items() if op.write}
    gtts = {"gtt_place", "gtt_modify", "gtt_cancel"}
    assert {"place", "modify", "cancel", "convert"} | gtts == writes

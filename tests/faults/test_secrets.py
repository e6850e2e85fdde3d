"""Planted secrets are looked for in everything that the program leaves behind."""

from __future__ import annotations

import base64
import json
import logging
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError, RejectedByBroker
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal
from openalgo_desktop.storage.vault import Vault
from tests.e2e.driver import Program, run_command

PLANTED = {
    "zerodha.password": "Planted-Pass-8731",
    "zerodha.totp_secret": "JBSWY3DPEHPK3PXPJBSWY3DP",
    "zerodha.access_token": "plantedaccesstoken0123456789abcd",
    "telegram.token": "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
}
WRONG_KEY = "deadbeef" * 8
ORDER = {
    "strategy": "s", "symbol": "SBIN", "exchange": "NSE", "action": "BUY",
    "quantity": 1, "pricetype": "MARKET", "product": "MIS",
}  # fmt: skip


def shapes(secret: str) -> Iterator[bytes]:
    """How a secret may look at rest."""
    raw = secret.encode()
    yield raw
    yield secret.encode("utf-16-le")
    yield raw.hex().encode()
    yield base64.b64encode(raw).rstrip(b"=")[:-1]


def leaks(folder: Path, secrets: dict[str, str], *texts: str) -> list[str]:
    """Where a secret is found: every file below ``folder`` but the vault's own key file, and
    ``texts``."""
    places = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "vault.key"
    }
    assert any(name.endswith(".log") for name in places), "no log was written"
    assert any(name.startswith("openalgo.db") for name in places)
    places |= {f"output {i}": text.encode() for i, text in enumerate(texts)}
    return [
        f"{name} in {place}"
        for place, content in places.items()
        for name, secret in secrets.items()
        if any(shape in content for shape in shapes(secret))
    ]


async def plant(config: Path) -> None:
    vault = Vault(config)
    await vault.open()
    for name, value in PLANTED.items():
        await vault.set(name, Secret(value))


async def test_nothing_that_a_run_leaves_behind_contains_a_secret(tmp_path: Path):
    data = tmp_path / "data"
    await plant(data / "config")
    program = Program(data, "--log-level", "DEBUG", "--sim-control")
    with program:
        secrets = {**PLANTED, "API key": program.api_key, "wrong key": WRONG_KEY}
        program.call("placeorder", **ORDER)
        with program.http() as http:
            for path, body in (
                ("/api/v1/funds", {"apikey": WRONG_KEY}),
                ("/api/v1/placeorder", {"apikey": WRONG_KEY, **ORDER}),
                ("/api/v1/placeorder", {"apikey": program.api_key, "symbol": 5}),
                ("/api/v1/placeorder", {"apikey": program.api_key, **ORDER, "quantity": -1}),
                (f"/api/v1/quotes?apikey={program.api_key}", {"apikey": program.api_key}),
                ("/simulator/control", {"apikey": program.api_key, "faults": {"x": 1}}),
            ):
                http.post(path, body)
            http.request("POST", "/api/v1/funds", f'{{"apikey": "{program.api_key}"'.encode())
            http.request("GET", f"/api/v1/instruments?apikey={program.api_key}&exchange=NSE")
        program.kill()
        program.start()
    (data / "logs" / "openalgo-2026-01-01.log").write_text("an old log: " + json.dumps(secrets))
    bundle = tmp_path / "bundle.zip"
    doctor = run_command(data, "doctor", "--bundle", str(bundle))
    assert doctor.returncode == 0, doctor.stderr
    (data / "logs" / "openalgo-2026-01-01.log").unlink()
    with zipfile.ZipFile(bundle) as content:
        assert {"summary.txt", "logs/crash.log"} <= set(content.namelist())
        content.extractall(data / "bundle")
    secrets["pepper"] = await _pepper(data / "config")
    assert leaks(data, secrets, program.output, doctor.stdout, doctor.stderr) == []


async def _pepper(config: Path) -> str:
    vault = Vault(config)
    await vault.open()
    pepper = await vault.get("api.pepper")
    assert pepper is not None
    return pepper.reveal()


async def test_a_broker_that_answers_with_our_secrets_does_not_get_them_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Error texts of brokers go into journal, audit trail, log and notices."""
    data = tmp_path / "data"
    await plant(data / "config")
    overrides: dict[str, Any] = {"api.enabled": False, "log.level": "DEBUG"}
    terminal = Terminal(TerminalOptions(data_dir=data, mode=Mode.LIVE, overrides=overrides))
    await terminal.start()
    try:
        everything = json.dumps(PLANTED)

        async def refuse(*_: object) -> None:
            raise RejectedByBroker(f"cannot use {everything}")

        async def fail(*_: object) -> None:
            raise ValueError(f"unreadable: {everything}")

        request = _market_order()
        for broken in (refuse, fail):
            monkeypatch.setattr(terminal.desk.gateway, "place", broken)
            with pytest.raises(AppError):
                await terminal.desk.place(request, "window")
        logging.getLogger("openalgo_desktop.test").error("said %s", everything)
        await terminal.kill_switch.trip("window")
        await terminal.db.flush()
        rows = await terminal.audit.search()
    finally:
        await terminal.stop()
    captured = capsys.readouterr()
    assert any(row.what == "order place" for row in rows)
    assert leaks(data, PLANTED, captured.out, captured.err) == []


def _market_order():
    from openalgo_desktop.core.enums import Action
    from openalgo_desktop.core.model import OrderRequest

    return OrderRequest("SBIN", "NSE", Action.BUY, 1)


def test_the_scan_can_find_something(tmp_path: Path):
    (tmp_path / "a.log").write_bytes(b"x" + "Planted-Pass-8731".encode("utf-16-le"))
    (tmp_path / "openalgo.db").write_bytes(base64.b64encode(b"Planted-Pass-8731"))
    found = leaks(tmp_path, {"p": "Planted-Pass-8731"}, "Planted-Pass-8731")
    assert sorted(found) == [
        "p in a.log",
        "p in openalgo.db",
        "p in output 0",
    ]

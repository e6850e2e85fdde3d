"""Every example runs as it is against the program, and every address in the pages answers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.e2e import clients
from tests.e2e.driver import ROOT, Program

EXAMPLES = ROOT / "examples"
_URL = re.compile(r"http://127\.0\.0\.1:5000/[^\s\"`)]+")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("examples") / "data") as running:
        yield running


def _run(program: Program, *command: str, **more: str) -> str:
    env = {
        **os.environ,
        "OPENALGO_KEY": program.api_key,
        "OPENALGO_URL": program.rest_url,
        "OPENALGO_WS": program.ws_url,
        **more,
    }
    done = subprocess.run(
        command, env=env, cwd=EXAMPLES, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_first_order_with_the_public_client(program: Program) -> None:
    text = _run(program, sys.executable, "python/first_order.py")
    assert re.search(r"placed \d+\ncomplete at [\d.]+\nposition 10\nClosed 1 positions", text), text


def test_the_script_of_the_readme(program: Program) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    for told, real in (
        ("YOUR_KEY", program.api_key),
        ("http://127.0.0.1:5000", program.rest_url),
        ("ws://127.0.0.1:8765", program.ws_url),
    ):
        assert told in script
        script = script.replace(told, real)
    assert "'order_status': 'complete'" in _run(program, sys.executable, "-c", script)


def test_stream(program: Program) -> None:
    text = _run(program, sys.executable, "python/stream.py", TICKS="4")
    assert "Authentication successful" in text
    assert re.search(r"^NSE SBIN [\d.]+$", text, re.MULTILINE), text


def test_bot(program: Program) -> None:
    text = _run(program, sys.executable, "python/moving_average.py", "1")
    assert re.match(r"target (0|10) ", text), text


def test_node(program: Program) -> None:
    node = shutil.which("node")
    assert node, "Node is among the test programs that run.py installs"
    text = _run(program, node, "node/order.mjs")
    assert re.match(r"SBIN [\d.]+\n\d+ (complete|open)\n", text), text


def test_curl(program: Program) -> None:
    text = _run(program, "sh", "curl/orders.sh")
    assert '"orderid"' in text and "Canceled" in text, text


@pytest.mark.parametrize("name", ["spreadsheets.md", "amibroker.md"])
def test_links_of_spreadsheets_and_amibroker(program: Program, name: str) -> None:
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    links = [link for link in _URL.findall(text) if "apikey=" in link]
    assert links
    with program.http() as http:
        for link in links:
            path = link.removeprefix("http://127.0.0.1:5000").replace("YOUR_KEY", "")
            status, answer, _ = http.request("GET", path + program.api_key)
            assert status == 200, (link, status, answer[:200])
            assert "NSE" in answer or '"data"' in answer, (link, answer[:200])


def test_every_example_is_listed_and_there(program: Program) -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    files = {
        str(path.relative_to(EXAMPLES))
        for path in EXAMPLES.rglob("*")
        if path.is_file() and path.name != "README.md" and "__pycache__" not in path.parts
    }
    assert files == set(re.findall(r"\]\(([\w./]+)\)", text))
    assert clients.parameters()


def test_a_browser_is_led_to_the_page_and_a_program_is_not(program: Program) -> None:
    page = {"Accept": "text/html,application/xhtml+xml"}
    with program.http() as http:
        for path in ("/", "/api/v1", "/api/v1/"):
            status, _, headers = http.request("GET", path, headers=page)
            assert (status, headers["location"]) == (302, "/docs")
            assert http.request("GET", path)[0] == 404
        status, text, headers = http.request("GET", "/docs", headers=page)
        assert status == 200 and "WebSocket stream" in text
        assert "ws://127.0.0.1:*" in headers["content-security-policy"]

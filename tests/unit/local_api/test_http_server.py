"""aiohttp without its client, until somebody asks for it; in processes of their own."""

from __future__ import annotations

import subprocess
import sys


def _python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_serving_does_not_import_the_client() -> None:
    code = (
        "import sys, openalgo_desktop.local_api.http_server as h;"
        "print('aiohttp.client' in sys.modules, 'aiohttp.connector' in sys.modules, h.web.Response)"
    )
    assert _python(code) == "False False <class 'aiohttp.web_response.Response'>"


def test_who_asks_for_the_client_gets_it() -> None:
    code = (
        "import openalgo_desktop.local_api.http_server as h, aiohttp;"
        "from importlib.metadata import version;"
        "from aiohttp import ClientSession;"
        "print(ClientSession is aiohttp.client.ClientSession, aiohttp.web is h.web,"
        " aiohttp.__version__ == version('aiohttp'), aiohttp.hdrs.HOST)"
    )
    assert _python(code) == "True True True Host"


def test_a_simulated_headless_engine_imports_no_http_client() -> None:
    code = (
        "import sys, openalgo_desktop.shell.engine;"
        "print([n for n in ('httpx', 'alembic', 'keyring', 'PySide6', 'aiohttp.client',"
        " 'sqlalchemy.dialects.postgresql', 'openalgo_desktop.brokers.kit', 'marshmallow')"
        " if n in sys.modules])"
    )
    assert _python(code) == "[]"


def test_a_small_command_imports_no_engine() -> None:
    code = (
        "import sys, openalgo_desktop.shell.call, openalgo_desktop.shell.main;"
        "print([n for n in ('asyncio', 'numpy', 'sqlalchemy', 'aiohttp', 'marshmallow', 'msgspec')"
        " if n in sys.modules])"
    )
    assert _python(code) == "[]"


def test_an_engine_without_mcp_imports_nothing_of_it() -> None:
    code = (
        "import sys, openalgo_desktop.shell.engine, openalgo_desktop.runtime.terminal;"
        "print([n for n in ('mcp', 'pydantic', 'starlette', 'uvicorn', 'jsonschema', 'httpx')"
        " if n in sys.modules])"
    )
    assert _python(code) == "[]"

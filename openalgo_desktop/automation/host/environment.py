"""The environment of a hosted script: a table of what it gets. Nothing is inherited but by name.

Ours has secrets (the passphrase of the vault may be a variable), and a script prints
``os.environ`` sooner or later.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from openalgo_desktop.automation.host.ports import Grant, Program

#: Taken over from us where we have them: how text and time look, where programs are.
_POSIX = ("PATH", "LANG", "LANGUAGE", "TZ")
#: Without SYSTEMROOT no socket opens on Windows.
_WINDOWS = ("PATH", "PATHEXT", "SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "TZ", "NUMBER_OF_PROCESSORS")
#: Any name that begins so.
_LOCALE = "LC_"
_POSIX_PATH = "/usr/local/bin:/usr/bin:/bin"
#: For pip only: ways through a company's network, and its own choice of an index.
_NETWORK = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "HOME", "USERPROFILE", "APPDATA"),
)


def for_script(
    program: Program,
    grant: Grant,
    *,
    home: Path,
    temporary: Path,
    venv: Path | None,
    ours: Mapping[str, str] | None = None,
    windows: bool = sys.platform == "win32",
) -> dict[str, str]:
    """All variables of the script's process. ``ours`` is our own environment."""
    names = _WINDOWS if windows else _POSIX
    found = _taken(os.environ if ours is None else ours, names)
    if not windows:
        found.setdefault("PATH", _POSIX_PATH)
    if venv is not None:
        binaries = str(venv / ("Scripts" if windows else "bin"))
        found["PATH"] = binaries + (";" if windows else ":") + found.get("PATH", "")
        found["VIRTUAL_ENV"] = str(venv)
    found |= program.variables
    found |= {
        "OPENALGO_API_KEY": grant.api_key.reveal(),
        "OPENALGO_HOST": grant.host,
        "OPENALGO_WS_URL": grant.ws_url,
        "STRATEGY_ID": program.strategy_id,
        "STRATEGY_NAME": program.name,
        "OPENALGO_STRATEGY_EXCHANGE": program.exchange,
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
    }
    if windows:
        found |= {"USERPROFILE": str(home), "TEMP": str(temporary), "TMP": str(temporary)}
    else:
        found |= {"HOME": str(home), "TMPDIR": str(temporary)}
    return found


def for_tools(ours: Mapping[str, str] | None = None) -> dict[str, str]:
    """Of pip and of the check of a script: no secret of ours, but the way to a package index."""
    own = os.environ if ours is None else ours
    found = _taken(own, (*_POSIX, *_WINDOWS, *_NETWORK))
    found |= {name: value for name, value in own.items() if name.startswith("PIP_")}
    return found | {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "PIP_NO_INPUT": "1"}


def _taken(ours: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {
        name: value for name, value in ours.items() if name in names or name.startswith(_LOCALE)
    }

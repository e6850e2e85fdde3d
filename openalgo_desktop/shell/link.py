"""The way from a command to the running engine: its owner's door on loopback.

Standard library only, and never through a proxy, whatever the environment says.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from openalgo_desktop.config.operations import PREFIX, TOKEN_HEADER
from openalgo_desktop.core.errors import NetError
from openalgo_desktop.storage.datadir import DataDirectory

#: A kill switch that works through a large book may take its time; seconds.
TIMEOUT = 120.0


class NoEngine(NetError):
    """Nothing runs on this data folder."""


class Link:
    """One engine's door. Raises :class:`NoEngine` when none runs on the folder."""

    def __init__(self, data_dir: Path | None, *, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout  # seconds
        self.folder = DataDirectory(data_dir)
        told = self.folder.announced()
        self._url, self._token = told.get("control_url", ""), told.get("control_token", "")
        # After a crash the file is old: neither token nor password goes to who has the port now.
        if not self._url or not self._token or not _lives(told.get("pid", "")):
            raise NoEngine(
                f"No program runs on the data folder {self.folder.path}. Start "
                "`openalgo-desktop headless` or the window, or name the folder with --data-dir."
            )

    def ask(self, group: str, verb: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to an operation, a refusal too. Raises :class:`NetError`."""
        import http.client  # not for --help

        where = urlsplit(self._url)
        connection = http.client.HTTPConnection(
            where.hostname or "", where.port, timeout=self._timeout
        )
        headers = {TOKEN_HEADER: self._token, "Content-Type": "application/json"}
        try:
            path = f"{PREFIX}{group}/{verb}"
            connection.request("POST", path, json.dumps(body).encode(), headers)
            answer = json.loads(connection.getresponse().read())
        except ConnectionRefusedError:
            raise NoEngine("The program that ran on this data folder has ended.") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NetError(
                f"No answer from the running program ({type(error).__name__}: {error}). What was "
                "asked may have been done: look before you ask again."
            ) from None
        finally:
            connection.close()
        return answer if isinstance(answer, dict) else {}


def _lives(pid: str) -> bool:
    """Whether a process of this id runs."""
    if os.name != "posix" or not pid.isdigit():  # signal 0 ends a process on Windows
        return pid.isdigit()
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True

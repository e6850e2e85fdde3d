"""Becomes the keeper of this system."""

from __future__ import annotations

import os
import sys

from openalgo_desktop.automation.host.keeper import files


def main(arguments: list[str]) -> None:
    """Of the process; ``arguments`` is the run's folder. The environment is the script's."""
    if sys.platform != "win32":
        from openalgo_desktop.automation.host.keeper.spawn import become_keeper

        become_keeper()
    spec = files.read(arguments[0], files.SPEC)
    if spec is None:
        sys.exit(f"{arguments[0]} has no {files.SPEC}")
    if sys.platform == "win32":
        from openalgo_desktop.automation.host.keeper.windows.keeper import Keeper
    else:
        from openalgo_desktop.automation.host.keeper.posix import Keeper
    Keeper(arguments[0], spec, dict(os.environ)).run()

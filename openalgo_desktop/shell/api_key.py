"""``api-key``: the default API key of this machine."""

from __future__ import annotations

import argparse

from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.shell.options import run_async, terminal_options
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.datadir import DataDirectory
from openalgo_desktop.storage.keys import ApiKeys
from openalgo_desktop.storage.vault import Vault


def run(args: argparse.Namespace) -> int:
    """Print the key; it is made when there is none."""
    print(run_async(default_key(terminal_options(args))))
    return 0


async def default_key(options: TerminalOptions) -> str:
    directory = DataDirectory(options.data_dir)
    directory.create()
    database = Database(directory.database_url)
    await database.start()
    try:
        vault = Vault(directory.config, key_file=options.vault_key_file)
        await vault.open()
        return (await ApiKeys(database, vault, SystemClock()).ensure_default()).reveal()
    finally:
        await database.stop()

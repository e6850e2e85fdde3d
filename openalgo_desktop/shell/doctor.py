"""``doctor``: the state of the installation, or a check of a broker."""

from __future__ import annotations

import argparse
import asyncio
import platform
import sys

from openalgo_desktop import __version__
from openalgo_desktop.accounts import host_settings
from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.core.redact import Redactor
from openalgo_desktop.logs import write_bundle
from openalgo_desktop.settings import SETTINGS, Settings, setting_row
from openalgo_desktop.shell.options import (
    env_file_of,
    run_async,
    stored_settings,
    terminal_options,
)
from openalgo_desktop.storage.datadir import DataDirectory
from openalgo_desktop.storage.vault import Vault


def run(args: argparse.Namespace) -> int:
    """Print the state, or check the broker; 1 when a check failed."""
    return run_async(_doctor(args))


async def _doctor(args: argparse.Namespace) -> int:
    options = terminal_options(args)
    if args.account:
        from openalgo_desktop.shell import broker_check

        return await broker_check.doctor(
            args.account,
            data_dir=options.data_dir,
            key_file=options.vault_key_file,
            settings=await stored_settings(options),
            clock=SystemClock(options.clock_start),
        )
    directory = DataDirectory(options.data_dir)
    vault = Vault(directory.config, key_file=options.vault_key_file)
    redactor = Redactor()
    vault.watch(redactor.add)
    await vault.open()
    settings = Settings(options.overrides)
    if args.bundle is not None:  # a look at the installation makes no database
        settings = await stored_settings(options)
    lines = [
        f"OpenAlgo Desktop {__version__}, Python {sys.version.split()[0]}, {platform.platform()}",
        f"data folder    {directory.path}",
        f"config folder  {directory.config}",
        f"database       {directory.shown_database_url}",
        f"secrets        {vault.protection()}",
        f".env file      {env_file_of(args) or 'none'}",
        "settings (defaults, and --set of this run):",
        *(f"  {key} = {settings[key]}    {row.help}" for key, row in SETTINGS.items()),
        *(f"  {key} = {settings[key]}    {setting_row(key).help}" for key in host_settings()),
    ]
    if args.bundle is None:
        print(*lines, sep="\n")
        return 0
    count = await asyncio.to_thread(
        write_bundle, args.bundle, directory.logs, "\n".join(lines), redactor
    )
    print(f"{args.bundle}: {count} files. Look through it before you give it away.")
    return 0

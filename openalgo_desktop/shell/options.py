"""From parsed arguments to the options of a run, and what commands without an engine share."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path
from typing import Any

from openalgo_desktop import openalgo_env
from openalgo_desktop.app import TerminalOptions
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.settings import Settings
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.datadir import DataDirectory
from openalgo_desktop.storage.state import KeyValueStore


def env_file_of(args: argparse.Namespace) -> Path | None:
    """The .env of an OpenAlgo server that counts for this run."""
    if args.env_file is not None:
        return Path(args.env_file)
    folder = args.data_dir or DataDirectory().path
    return openalgo_env.find_env_file(Path.cwd(), folder)


def terminal_options(args: argparse.Namespace) -> TerminalOptions:
    """Options of the Terminal from parsed arguments."""
    env_file = env_file_of(args)
    env = openalgo_env.read_env_file(env_file) if env_file is not None else {}
    if database := openalgo_env.database_url(env):
        os.environ.setdefault("OPENALGO_DATABASE_URL", database)
    overrides: dict[str, Any] = openalgo_env.overrides(os.environ, env) | dict(args.overrides)
    for key, value in (
        ("api.rest_port", args.rest_port),
        ("api.ws_port", args.ws_port),
        ("simulator.seed", args.sim_seed),
        ("simulator.rate", args.sim_rate),
        ("log.level", args.log_level),
    ):
        if value is not None:
            overrides[key] = value
    return TerminalOptions(
        data_dir=args.data_dir,
        broker=args.broker,
        mode=Mode(args.mode) if args.mode else None,
        overrides=overrides,
        clock_start=args.clock,
        sim_universe=args.sim_universe,
        sim_frozen=args.sim_frozen,
        sim_control=args.sim_control,
        vault_key_file=args.vault_key_file,
    )


async def stored_settings(options: TerminalOptions) -> Settings:
    """Settings as a terminal on this data folder would have them."""
    directory = DataDirectory(options.data_dir)
    directory.create()
    database = Database(directory.database_url)
    await database.start()
    try:
        settings = Settings(options.overrides)
        settings.load(await KeyValueStore(database).all("settings"))
        return settings
    finally:
        await database.stop()


def run_async(main: Any) -> int:
    try:
        import uvloop
    except ImportError:
        return int(asyncio.run(main))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return int(runner.run(main))

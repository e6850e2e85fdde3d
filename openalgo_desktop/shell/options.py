"""From parsed arguments to the options of a run, and what commands without an engine share."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from openalgo_desktop.config import openalgo_env
from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.datadir import DataDirectory
from openalgo_desktop.storage.state import KeyValueStore

T = TypeVar("T")

#: Settings that have an option of their own, and its name.
_OPTIONS = {
    "api.rest_port": "rest_port",
    "api.ws_port": "ws_port",
    "simulator.seed": "sim_seed",
    "simulator.rate": "sim_rate",
    "log.level": "log_level",
}


def env_file_of(args: argparse.Namespace) -> Path | None:
    """The .env of an OpenAlgo server that counts for this run: the one that was named, or one
    beside our own configuration. Never one of the folder that the program happens to start in."""
    if args.env_file is not None:
        return Path(args.env_file)
    directory = DataDirectory(args.data_dir)
    return openalgo_env.find_env_file(directory.config, directory.path)


def env_of(args: argparse.Namespace) -> openalgo_env.EnvSettings:
    """What this run takes from OpenAlgo's names; a named file's database too."""
    path = env_file_of(args)
    file = openalgo_env.read_env_file(path) if path is not None else {}
    if args.env_file is not None and (database := openalgo_env.database_url(file)):
        os.environ.setdefault("OPENALGO_DATABASE_URL", database)
    return openalgo_env.env_settings(
        os.environ, file, str(path or ".env"), named=args.env_file is not None
    )


def terminal_options(args: argparse.Namespace) -> TerminalOptions:
    """Options of the Terminal from parsed arguments."""
    env = env_of(args)
    overrides: dict[str, Any] = dict(env.values)
    origins = dict(env.origins)
    given = [(key, value, "--set") for key, value in args.overrides]
    for key, option in _OPTIONS.items():
        if (value := getattr(args, option)) is not None:
            given.append((key, value, f"--{option.replace('_', '-')}"))
    for key, value, origin in given:
        overrides[key], origins[key] = value, origin
    return TerminalOptions(
        data_dir=args.data_dir,
        broker=args.broker,
        mode=Mode(args.mode) if args.mode else None,
        overrides=overrides,
        origins=origins,
        notes=env.notes,
        warnings=env.warnings,
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
        settings = Settings(options.overrides, options.origins)
        settings.load(await KeyValueStore(database).all("settings"))
        return settings
    finally:
        await database.stop()


def run_async(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end, on uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)

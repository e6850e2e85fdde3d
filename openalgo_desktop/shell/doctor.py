"""``doctor``: what counts on this machine and what runs, or a check of a broker.

It only looks: where nothing is, nothing is made, and what is broken is a line of the answer
instead of the end of it. Everything passes the redactor.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.core.errors import AppError, NetError
from openalgo_desktop.core.redact import Redactor
from openalgo_desktop.runtime.about import libraries
from openalgo_desktop.runtime.accounts import host_settings
from openalgo_desktop.runtime.diagnostics import Findings, lines, program_facts, write_bundle
from openalgo_desktop.runtime.hands.state import setting_facts
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.shell.link import Link, NoEngine
from openalgo_desktop.shell.options import (
    env_file_of,
    run_async,
    stored_settings,
    terminal_options,
)
from openalgo_desktop.storage.datadir import DataDirectory
from openalgo_desktop.storage.vault import Vault

#: A running engine answers at once or has a problem; seconds.
_PATIENCE = 10.0


def run(args: argparse.Namespace) -> int:
    """Print the state, or check the broker; 1 when something is wrong."""
    return run_async(_broker(args) if args.account else _state(args))


async def _broker(args: argparse.Namespace) -> int:
    from openalgo_desktop.shell import broker_check

    options = terminal_options(args)
    return await broker_check.doctor(
        args.account,
        data_dir=options.data_dir,
        key_file=options.vault_key_file,
        settings=await stored_settings(options),
        clock=SystemClock(options.clock_start),
    )


async def _state(args: argparse.Namespace) -> int:
    redactor = Redactor()
    found = await look(args, redactor)
    shown = found.cleaned(redactor)
    text = json.dumps(shown, ensure_ascii=False) if args.json else "\n".join(lines(shown))
    if args.bundle is None:
        print(text)
        return 1 if found.problems else 0
    logs = Path(found.folders["logs"])
    texts = {"summary.txt": text}
    names = await asyncio.to_thread(write_bundle, args.bundle, logs, texts, redactor)
    print(f"{args.bundle}: {len(names)} files. Look through it before you give it away.")
    return 0


# -- looking --------------------------------------------------------------------------------
async def look(args: argparse.Namespace, redactor: Redactor) -> Findings:
    """Everything that can be seen without changing anything. ``redactor`` learns the secrets."""
    found = Findings(program_facts(), libraries())
    directory = DataDirectory(args.data_dir)
    options = TerminalOptions()
    try:
        options = terminal_options(args)
    except AppError as error:
        found.problems.append(error.message)
    found.folders = {
        "data": str(directory.path),
        "configuration": str(directory.config),
        "logs": str(directory.logs),
        "database": directory.shown_database_url,
        ".env file": str(env_file_of(args) or "none"),
    }
    vault = Vault(directory.config, key_file=args.vault_key_file)
    vault.watch(redactor.add)
    try:
        if reason := await vault.open_or_lock():
            found.problems.append(reason)
        found.secrets = vault.protection()
    except AppError as error:
        found.problems.append(error.message)
        found.secrets = "they do not open"
    if not _ask_engine(args, found):
        await _read_folder(options, directory, found)
    known = {row["key"] for row in found.settings}
    found.settings += [
        {"key": key, "value": "", "from": "default"} for key in host_settings() if key not in known
    ]
    return found


def _ask_engine(args: argparse.Namespace, found: Findings) -> bool:
    """What the running engine says of itself and of its settings; False when none answers."""
    try:
        link = Link(args.data_dir, timeout=_PATIENCE)
        facts = _rows(link.ask("engine", "status", {}))
        settings = _rows(link.ask("settings", "list", {}))
    except NoEngine:
        return False
    except NetError as error:
        told = DataDirectory(args.data_dir).announced()
        found.running = {"process": told.get("pid", ""), "since": told.get("since", "")}
        found.problems.append(error.message)
        return False
    found.running = {str(row["what"]): str(row["is"]) for row in facts}
    found.settings = settings
    found.folders["database"] = found.running.get("database", found.folders["database"])
    return True


def _rows(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    if answer.get("status") != "success":
        raise NetError(str(answer.get("message", "The running program refused to answer.")))
    rows: list[dict[str, Any]] = answer["rows"]
    return rows


async def _read_folder(options: TerminalOptions, directory: DataDirectory, found: Findings) -> None:
    """The settings that a start with these options would have."""
    settings = Settings()
    found.notes += [*options.notes, *options.warnings]
    try:
        settings = Settings(options.overrides, options.origins)
        if directory.has_database:
            settings = await stored_settings(options)
    except AppError as error:
        found.problems.append(error.message)
    found.settings = setting_facts(settings)

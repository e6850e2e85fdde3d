"""The owner's commands (``kill``, ``keys``, ``settings``...): arguments from the table, the answer
from the running engine, or from the data folder when none runs and the operation allows that."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from openalgo_desktop.config.operation import Field, Operation
from openalgo_desktop.config.operations import GROUPS, OPERATIONS, operation
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.texttable import table
from openalgo_desktop.shell.entrance import importing
from openalgo_desktop.shell.link import Link, NoEngine

Ask = Callable[[Operation, dict[str, Any]], dict[str, Any]]


# -- arguments ------------------------------------------------------------------------------
def add_groups(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    """A command for each group and below it one for each operation."""
    for group, help_text in GROUPS.items():
        parser = add_parser(group, help=help_text, description=help_text)
        verbs = parser.add_subparsers(dest="verb", metavar="WHAT", required=True)
        for row in OPERATIONS:
            if row.group == group and not row.hidden:
                _add_operation(verbs.add_parser(row.verb, help=row.help, description=row.help), row)


def _add_operation(parser: argparse.ArgumentParser, row: Operation) -> None:
    for field in row.fields:
        if field.kind != "secret":
            _add_field(parser, field)
    if row.confirm:
        parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--json", action="store_true", help="the answer as JSON")
    parser.add_argument("--data-dir", type=Path, help="folder of the running program")
    parser.add_argument(
        "--password-stdin",
        action="store_true",
        help="password of the app lock on standard input, its code on a second line",
    )
    if row.offline:
        parser.add_argument("--vault-key-file", type=Path, help="key file of the secret vault")
    parser.set_defaults(module="hands", verb=row.verb, vault_key_file=None, parser=parser)


def _add_field(parser: argparse.ArgumentParser, field: Field) -> None:
    name = f"--{field.name.replace('_', '-')}" if field.option else field.name
    options: dict[str, Any] = {"help": field.help}
    if field.kind == "flag":
        parser.add_argument(name, action="store_true", **options)
        return
    if field.metavar:
        options["metavar"] = field.metavar
    if field.choices:
        options["choices"] = field.choices
    if field.kind == "int":
        options["type"] = int
    if field.kind == "path":
        options["type"] = _whole_path
    if field.option:
        options |= {"dest": field.name, "required": field.required}
        if field.kind == "list":
            options["action"] = "append"
    elif not field.required:
        options["nargs"] = "?"
    parser.add_argument(name, **options)


def _whole_path(text: str) -> str:
    """The engine stands in another folder. ``sample:NAME`` is no path."""
    return text if text.startswith("sample:") else str(Path(text).expanduser().absolute())


# -- run ------------------------------------------------------------------------------------
def run(args: argparse.Namespace) -> int:
    """Do it and print the answer: 0 done, 1 done in part, 2 refused."""
    row = operation(args.command, args.verb)
    assert row is not None, "the parser knows only operations of the table"
    plain = [field.name for field in row.fields if field.kind != "secret"]
    data = {name: getattr(args, name) for name in plain if getattr(args, name) is not None}
    secrets: dict[str, str] | None = None
    if row.preview and row.seen not in data:
        shown, secrets = _good(args, _row(row.group, row.preview), _same(row, data), None)
        if not args.yes:
            _show(shown)
        data[row.seen] = shown.get("next", "")
    if row.confirm and not args.yes:
        _confirm(row.confirm)
    data |= {field.name: _secret(field) for field in row.fields if field.kind == "secret"}
    answer, secrets = _good(args, row, data, secrets)
    _print(args, answer)
    while row.more and answer.get("next"):
        token = {"token": answer["next"]}
        answer, secrets = _good(args, _row(row.group, row.more), token, secrets)
        _print(args, answer)
    return 1 if answer.get("failed") else 0


def _row(group: str, verb: str) -> Operation:
    row = operation(group, verb)
    assert row is not None, "the table names only operations of itself"
    return row


def _same(row: Operation, data: dict[str, Any]) -> dict[str, Any]:
    """The arguments that the preview of an operation takes, too."""
    names = {field.name for field in _row(row.group, row.preview).fields}
    return {name: value for name, value in data.items() if name in names}


def _good(
    args: argparse.Namespace,
    row: Operation,
    data: dict[str, Any],
    secrets: dict[str, str] | None,
) -> tuple[dict[str, Any], dict[str, str] | None]:
    """As :func:`ask`; a refusal is raised."""
    answer, secrets = ask(args, row, data, secrets)
    if answer.get("status") != "success":
        raise ConfigError(str(answer.get("message", "The program refused without a reason.")))
    return answer, secrets


def _print(args: argparse.Namespace, answer: dict[str, Any]) -> None:
    if not args.json:
        _show(answer)
        return
    told = {k: v for k, v in answer.items() if k != "status" and (k != "next" or v)}
    print(json.dumps(told, ensure_ascii=False), flush=True)


def ask(
    args: argparse.Namespace,
    row: Operation,
    data: dict[str, Any],
    secrets: dict[str, str] | None = None,
) -> tuple[dict[str, Any], dict[str, str] | None]:
    """The answer to one operation and the secrets of the app lock that it needed (for the next
    one); they are asked for once."""
    answer = _ask(args, row, data, secrets)
    if answer.get("needs") and secrets is None:
        secrets = _secrets(answer["needs"], from_stdin=args.password_stdin)
        answer = _ask(args, row, data, secrets)
    return answer, secrets


def _ask(
    args: argparse.Namespace,
    row: Operation,
    data: dict[str, Any],
    secrets: dict[str, str] | None = None,
) -> dict[str, Any]:
    body = {"args": data, **(secrets or {})}
    try:
        return Link(args.data_dir).ask(row.group, row.verb, body)
    except NoEngine:
        if not row.offline:
            raise
    with importing():
        from openalgo_desktop.shell.offline import ask_folder
    return ask_folder(args.data_dir, args.vault_key_file, row, body)


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise ConfigError(f"{question} Say --yes to go on.")
    if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
        raise ConfigError("Nothing was done.")


def _secret(field: Field) -> str:
    """One line of standard input; at a terminal it is asked for and not shown."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    import getpass

    return getpass.getpass(f"{field.help}: ").strip()


def _secrets(needs: Sequence[str], *, from_stdin: bool) -> dict[str, str]:
    """Password and code of the app lock; never an argument, for those are seen by others."""
    if from_stdin:
        lines = sys.stdin.read().splitlines()
        return dict(zip(needs, lines, strict=False))
    if not sys.stdin.isatty():
        raise ConfigError("The app lock asks for its password: give it with --password-stdin.")
    import getpass

    labels = {"password": "Password of the app lock: ", "code": "One-time code: "}
    return {name: getpass.getpass(labels[name]) for name in needs}


# -- the answer -----------------------------------------------------------------------------
def _show(answer: dict[str, Any]) -> None:
    if rows := answer.get("rows"):
        print(*table(rows), sep="\n")
    if text := answer.get("text"):
        print(text, flush=True)

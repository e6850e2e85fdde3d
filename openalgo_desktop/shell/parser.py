"""What the command line takes, as a table: each command, its module, its own arguments. Nothing
heavy is imported here, so that ``--help`` and small commands answer at once."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import TypeVar

from openalgo_desktop import __version__
from openalgo_desktop.config.operations import GROUPS
from openalgo_desktop.config.settings import SETTINGS, setting_row
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.near import did_you_mean
from openalgo_desktop.shell.hands import add_groups

PROGRAM = "openalgo-desktop"
T = TypeVar("T")


def _read_as(read: Callable[[str], T], what: str) -> Callable[[str], T]:
    """A kind of argument; ``what`` it is said not to be where ``read`` fails."""

    def kind(text: str) -> T:
        try:
            return read(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not {what}") from None

    return kind


_ISO = _read_as(datetime.fromisoformat, "an ISO time")
_CLOCK = _read_as(time.fromisoformat, "a time as HH:MM")
_DAY = _read_as(date.fromisoformat, "a day as YYYY-MM-DD")


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r}: expected KEY=VALUE with a known KEY")
    try:
        setting_row(key)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(error.message) from None
    return key, value


# -- options of the engine ------------------------------------------------------------------
def _engine_options(parser: argparse.ArgumentParser) -> None:
    """Options of every run of the engine; they come after a command's own in its help."""
    group = parser.add_argument_group("engine options")
    add = group.add_argument
    add(
        "--broker",
        default="simulator",
        metavar="NAME",
        help="data and order account: simulator, zerodha, openalgo or a broker of another "
        "package; NAME:2 for a second account of a broker",
    )
    add("--mode", choices=[m.value for m in Mode], help="start in this mode (default: sandbox)")
    add("--data-dir", type=Path, help="folder for database, logs and configuration")
    add("--rest-port", type=int, help="REST port, 0 picks a free one")
    add("--ws-port", type=int, help="WebSocket port, 0 picks a free one")
    add("--ready-file", type=Path, help="written (0600) when everything answers")
    add("--set", dest="overrides", type=_pair, action="append", default=[], metavar="KEY=VALUE")
    add(
        "--env-file",
        type=Path,
        metavar="FILE",
        help="the .env of an OpenAlgo server (default: one beside our own configuration)",
    )
    add("--vault-key-file", type=Path, help="key file of the secret vault")
    add("--clock", type=_ISO, metavar="ISO", help="the terminal's clock starts here and runs on")
    add("--log-level", choices=SETTINGS["log.level"].choices)
    sim = parser.add_argument_group("simulator")
    sim.add_argument("--sim-seed", type=int)
    sim.add_argument("--sim-rate", type=float, help="ticks per second over the whole universe")
    sim.add_argument("--sim-universe", type=Path, metavar="FILE", help="instruments as JSON rows")
    sim.add_argument("--sim-frozen", action="store_true", help="prices move only when told")
    sim.add_argument("--sim-control", action="store_true", help="open POST /simulator/control")


# -- own options of each command ------------------------------------------------------------
def _nothing(parser: argparse.ArgumentParser) -> None:
    """No options of its own."""


def _doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("account", nargs="?", help="broker to check with read-only calls")
    parser.add_argument(
        "--bundle", type=Path, metavar="FILE", help="write a zip for a problem report, no secrets"
    )
    parser.add_argument("--json", action="store_true", help="the state as JSON")


def _login(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("account", help="broker, or broker:2 for a second account")
    parser.add_argument("--login", default="", metavar="ID", help="which of its logins")
    parser.add_argument("--stdin", action="store_true", help="fields as JSON on standard input")
    parser.add_argument("--logout", action="store_true", help="end the session instead")


def _call(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("endpoint", help="such as placeorder, or ticker/NSE:SBIN")
    parser.add_argument("fields", nargs="*", metavar="KEY=VALUE", help="values may be JSON")
    parser.add_argument("--url", help="address of the REST API (default: of the running program)")
    parser.add_argument("--key", help="API key (default: the default key of this machine)")
    parser.add_argument("--get", action="store_true", help="where a path has GET and POST: GET")


def _audit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", nargs="?", default="", help="words that an entry contains")
    parser.add_argument("--who", default="", help="window, cli, api:NAME, ...")
    parser.add_argument("--days", type=float, default=7.0, help="how far back (default: 7)")
    parser.add_argument("--limit", type=int, default=200, help="newest entries shown")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write all of them to a file")


def _screenshot(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="folder for the PNG files")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="names, such as 'window-*'")
    parser.add_argument("--themes", default="dark,light", help="names, comma separated, or 'all'")
    parser.add_argument(
        "--sizes", default="1920x1080", help="comma separated, such as 1366x768,1920x1080@1.5"
    )


def _named(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r}: expected NAME=VALUE")
    return name.strip(), value


def _rehearse(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("program", help="a file, a folder, sample:NAME, or a program of this terminal")
    add("--day", type=_DAY, metavar="YYYY-MM-DD", help="first day (default: the last trading day)")
    add("--days", type=int, default=1, metavar="N", help="so many trading days (default: 1)")
    add("--from", dest="begin", type=_CLOCK, metavar="HH:MM", help="begins at (IST)")
    add("--to", dest="end", type=_CLOCK, metavar="HH:MM", help="ends at (default: its schedule)")
    add("--speed", type=float, default=60.0, help="seconds of the day in one (default: 60)")
    add("--parameter", type=_named, action="append", default=[], metavar="NAME=VALUE")
    add("--output", action="store_true", help="print the last lines of its output, too")
    add("--json", action="store_true", help="the report as JSON, nothing else")


def _import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("database", type=Path, help="openalgo.db of the server, or its folder")
    parser.add_argument("--env", type=Path, metavar="FILE", help="its .env: API limits are taken")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be taken")
    parser.add_argument(
        "--password-stdin",
        action="store_true",
        help="password of the app lock on standard input, its code on a second line",
    )


@dataclass(frozen=True, slots=True)
class Command:
    """One command: ``module`` of this package has its ``run(args) -> exit code``."""

    name: str
    help: str
    module: str
    own: Callable[[argparse.ArgumentParser], None] = _nothing


COMMANDS: tuple[Command, ...] = (
    Command("gui", "the trading window (default)", "engine"),
    Command("headless", "engine and local API without a window", "engine"),
    Command("login", "log in to a broker", "login", _login),
    Command("call", "one request to the running program: call quotes symbol=SBIN", "call", _call),
    Command("api-key", "print the API key of this machine", "api_key"),
    Command("mcp", "let language models in over standard input and output (MCP)", "mcp"),
    Command(
        "rehearse",
        "drive a program over days of the simulated market, many times as fast",
        "rehearse",
        _rehearse,
    ),
    Command("audit", "search or export the audit trail", "audit", _audit),
    Command("doctor", "show the state of the installation, or check a broker", "doctor", _doctor),
    Command(
        "import",
        "take webhook strategies, API limits and watch lists from an OpenAlgo server's database",
        "import_openalgo",
        _import,
    ),
    Command("screenshot", "pictures of every screen", "engine", _screenshot),
)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description="A trading terminal with the OpenAlgo local API inside."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for command in COMMANDS:
        sub = commands.add_parser(command.name, help=command.help)
        command.own(sub)
        _engine_options(sub)
        sub.set_defaults(module=command.module, parser=sub)
    add_groups(commands.add_parser)
    return parser


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The parsed arguments. Raises :class:`ConfigError` for what a command does not know, with its
    near misses; the parser itself ends the program where it can say more."""
    args, unknown = build_parser().parse_known_args(with_command(arguments))
    if not unknown:
        return args
    word = unknown[0].partition("=")[0]
    called = args.parser.prog
    options = dict.fromkeys(re.findall(r"--[a-z][\w-]*", args.parser.format_help()))
    near = did_you_mean(word, options) if word.startswith("-") else ""
    raise ConfigError(f"{called} does not know {word!r}.{near} `{called} --help` shows all.")


def names() -> list[str]:
    """All commands."""
    return [*(command.name for command in COMMANDS), *GROUPS]


def with_command(arguments: Sequence[str]) -> list[str]:
    """The arguments with the command first; without one it is ``gui``.

    Raises :class:`ConfigError` for a word that is no command, with its near misses.
    """
    words = list(arguments)
    known = names()
    if words and not words[0].startswith("-"):
        if words[0] not in known:
            raise ConfigError(
                f"There is no command {words[0]!r}.{did_you_mean(words[0], known)} "
                f"Commands: {', '.join(known)}."
            )
        return words
    if {"-h", "--help", "--version"} & set(words[:1]):
        return words
    command = next((word for word in words if word in known), "gui")
    if command in words:  # options first: engine options belong to the command
        words.remove(command)
    return [command, *words]

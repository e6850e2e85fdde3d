"""The command line: gui (default), headless, login, call, audit, doctor, api-key, screenshot."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from openalgo_desktop import __version__, console, openalgo_env
from openalgo_desktop.accounts import host_settings
from openalgo_desktop.app import Terminal, TerminalOptions
from openalgo_desktop.brokers.registry import SIMULATOR, Registry
from openalgo_desktop.core.clock import SystemClock, api_timestamp
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError, ConfigError
from openalgo_desktop.core.redact import Redactor
from openalgo_desktop.local_api.network import url_host
from openalgo_desktop.logs import catch_crashes, write_bundle
from openalgo_desktop.settings import SETTINGS, Settings, setting_row
from openalgo_desktop.storage.audit import AuditTrail
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.datadir import DataDirectory
from openalgo_desktop.storage.keys import ApiKeys
from openalgo_desktop.storage.state import KeyValueStore
from openalgo_desktop.storage.vault import Vault

#: Awaited once everything answers.
OnReady = Callable[[Terminal], Awaitable[None]]


def _iso(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an ISO time") from None


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    try:
        setting_row(key)
    except ConfigError:
        equals = ""
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r}: expected KEY=VALUE with a known KEY")
    return key, value


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    add = common.add_argument
    add(
        "--broker",
        default=SIMULATOR,
        metavar="NAME",
        help=f"data and order account: {', '.join([SIMULATOR, *Registry().ids()])}; "
        "NAME:2 for a second account of a broker",
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
        help="the .env of an OpenAlgo server (default: .env here or in the data folder)",
    )
    add("--vault-key-file", type=Path, help="key file of the secret vault")
    add("--clock", type=_iso, metavar="ISO", help="the terminal's clock starts here and runs on")
    add("--log-level", choices=SETTINGS["log.level"].choices)
    sim = common.add_argument_group("simulator")
    sim.add_argument("--sim-seed", type=int)
    sim.add_argument("--sim-rate", type=float, help="ticks per second over the whole universe")
    sim.add_argument("--sim-universe", type=Path, metavar="FILE", help="instruments as JSON rows")
    sim.add_argument("--sim-frozen", action="store_true", help="prices move only when told")
    sim.add_argument("--sim-control", action="store_true", help="open POST /simulator/control")
    return common


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(prog="openalgo-desktop", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    common = _common()
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("gui", parents=[common], help="the trading window (default)")
    commands.add_parser("headless", parents=[common], help="engine and local API without a window")
    commands.add_parser("api-key", parents=[common], help="print the API key of this machine")
    doctor = commands.add_parser(
        "doctor", parents=[common], help="show the state of the installation, or check a broker"
    )
    doctor.add_argument("account", nargs="?", help="broker to check with read-only calls")
    doctor.add_argument(
        "--bundle", type=Path, metavar="FILE", help="write a zip for a problem report, no secrets"
    )
    login = commands.add_parser("login", parents=[common], help="log in to a broker")
    login.add_argument("account", help="broker, or broker:2 for a second account")
    login.add_argument("--login", default="", metavar="ID", help="which of its logins")
    login.add_argument("--stdin", action="store_true", help="fields as JSON on standard input")
    login.add_argument("--logout", action="store_true", help="end the session instead")
    call = commands.add_parser(
        "call", parents=[common], help="one request to the running program: call quotes symbol=SBIN"
    )
    call.add_argument("endpoint", help="such as placeorder, or ticker/NSE:SBIN")
    call.add_argument("fields", nargs="*", metavar="KEY=VALUE", help="values may be JSON")
    call.add_argument("--url", help="address of the REST API (default: of the running program)")
    call.add_argument("--key", help="API key (default: the default key of this machine)")
    call.add_argument("--get", action="store_true", help="where a path has GET and POST: GET")
    audit = commands.add_parser("audit", parents=[common], help="search or export the audit trail")
    audit.add_argument("text", nargs="?", default="", help="words that an entry contains")
    audit.add_argument("--who", default="", help="window, api:NAME, ...")
    audit.add_argument("--days", type=float, default=7.0, help="how far back (default: 7)")
    audit.add_argument("--limit", type=int, default=200, help="newest entries shown")
    audit.add_argument("--csv", type=Path, metavar="FILE", help="write all of them to a file")
    shot = commands.add_parser("screenshot", parents=[common], help="pictures of every screen")
    shot.add_argument("--out", type=Path, required=True, help="folder for the PNG files")
    shot.add_argument("--only", default="*", metavar="PATTERN", help="names, such as 'window-*'")
    return parser


def _env_file(args: argparse.Namespace) -> Path | None:
    """The .env of an OpenAlgo server that counts for this run."""
    if args.env_file is not None:
        return Path(args.env_file)
    folder = args.data_dir or DataDirectory().path
    return openalgo_env.find_env_file(Path.cwd(), folder)


def terminal_options(args: argparse.Namespace) -> TerminalOptions:
    """Options of the Terminal from parsed arguments."""
    env_file = _env_file(args)
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


async def write_ready_file(path: Path, terminal: Terminal) -> None:
    """The ready file of the headless contract; appears at once and whole, mode 0600."""
    if terminal.api is None:
        raise ConfigError("--ready-file needs the local API: set api.enabled to true.")
    key = await terminal.keys.default()
    content = json.dumps(
        {
            "pid": os.getpid(),
            "rest_url": terminal.api.rest_url,
            "ws_url": terminal.api.ws_url,
            "api_key": key.reveal() if key else "",
            "broker": terminal.account.status.broker,
            "mode": terminal.desk.mode.value,
        }
    )

    def write() -> None:
        partial = path.with_name(path.name + ".partial")
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
        partial.replace(path)

    await asyncio.to_thread(write)


@contextlib.contextmanager
def ready_file(path: Path | None) -> Iterator[OnReady | None]:
    """What to await when everything answers, so that ``path`` tells it; gone again at the end."""
    if path is None:
        yield None
        return
    try:
        yield lambda terminal: write_ready_file(path, terminal)
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


async def _headless(args: argparse.Namespace, on_ready: OnReady | None) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows has no loop signal handlers
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    terminal = Terminal(terminal_options(args))
    catch_crashes(terminal.data_dir.logs)
    await terminal.start()
    try:
        if on_ready is not None:
            await on_ready(terminal)
        if terminal.api is not None:
            print(f"REST {terminal.api.rest_url}  WebSocket {terminal.api.ws_url}", flush=True)
        await stop.wait()
    finally:
        await terminal.stop()
    return 0


def _run_async(main: Any) -> int:
    try:
        import uvloop
    except ImportError:
        return int(asyncio.run(main))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return int(runner.run(main))


async def _default_key(options: TerminalOptions) -> str:
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


async def _api_key(args: argparse.Namespace) -> int:
    print(await _default_key(terminal_options(args)))
    return 0


async def _call(args: argparse.Namespace) -> int:
    from openalgo_desktop import call

    row, rest = call.find_endpoint(args.endpoint, "GET" if args.get else None)
    body = call.parse_fields(row, args.fields)
    options = terminal_options(args)
    url = args.url
    if not url and args.rest_port is None:
        url = DataDirectory(options.data_dir).announced().get("rest_url", "")
    if not url:
        settings = await _stored_settings(options)
        url = f"http://{url_host(settings['api.host'])}:{settings['api.rest_port']}"
    key = args.key or await _default_key(options)
    response = await asyncio.to_thread(call.call, url, key, row, rest, body)
    print(call.answer_text(response))
    return 0 if response.is_success else 1


async def _stored_settings(options: TerminalOptions) -> Settings:
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


async def _audit(args: argparse.Namespace) -> int:
    options = terminal_options(args)
    directory = DataDirectory(options.data_dir)
    directory.create()
    start = SystemClock(options.clock_start).now() - timedelta(days=args.days)
    database = Database(directory.database_url)
    await database.start()
    try:
        trail = AuditTrail(database)
        if args.csv is not None:
            count = await trail.export_csv(args.csv, args.text, who=args.who, start=start)
            print(f"{count} entries written to {args.csv}")
            return 0
        rows = await trail.search(args.text, who=args.who, start=start, limit=args.limit)
    finally:
        await database.stop()
    for row in reversed(rows):
        words = (row.who, row.mode, row.what, row.subject, row.detail, row.answer)
        print(api_timestamp(row.at), *(word for word in words if word), sep="  ")
    return 0


async def _login(args: argparse.Namespace) -> int:
    options = terminal_options(args)
    return await console.login(
        args.account,
        data_dir=options.data_dir,
        key_file=options.vault_key_file,
        settings=await _stored_settings(options),
        clock=SystemClock(options.clock_start),
        login_id=args.login,
        from_stdin=args.stdin,
        logout=args.logout,
    )


async def _doctor(args: argparse.Namespace) -> int:
    options = terminal_options(args)
    if args.account:
        return await console.doctor(
            args.account,
            data_dir=options.data_dir,
            key_file=options.vault_key_file,
            settings=await _stored_settings(options),
            clock=SystemClock(options.clock_start),
        )
    directory = DataDirectory(options.data_dir)
    vault = Vault(directory.config, key_file=options.vault_key_file)
    redactor = Redactor()
    vault.watch(redactor.add)
    await vault.open()
    settings = Settings(options.overrides)
    if args.bundle is not None:  # a look at the installation makes no database
        settings = await _stored_settings(options)
    lines = [
        f"OpenAlgo Desktop {__version__}, Python {sys.version.split()[0]}, {platform.platform()}",
        f"data folder    {directory.path}",
        f"config folder  {directory.config}",
        f"database       {directory.shown_database_url}",
        f"secrets        {vault.protection()}",
        f".env file      {_env_file(args) or 'none'}",
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


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    commands = {"gui", "headless", "api-key", "call", "login", "audit", "doctor", "screenshot"}
    if not (set(arguments) & commands) and not ({"-h", "--help", "--version"} & set(arguments)):
        arguments.insert(0, "gui")
    args = build_parser().parse_args(arguments)
    try:
        if args.command == "headless":
            with ready_file(args.ready_file) as on_ready:
                return _run_async(_headless(args, on_ready))
        if args.command == "api-key":
            return _run_async(_api_key(args))
        if args.command == "login":
            return _run_async(_login(args))
        if args.command == "call":
            return _run_async(_call(args))
        if args.command == "audit":
            return _run_async(_audit(args))
        if args.command == "doctor":
            return _run_async(_doctor(args))
        if args.command == "screenshot":
            from openalgo_desktop.ui.screenshot import run_screenshots

            return run_screenshots(args.out, terminal_options(args), args.only)
        from openalgo_desktop.ui.main import run_gui

        with ready_file(args.ready_file) as on_ready:
            return run_gui(terminal_options(args), on_ready)
    except AppError as error:
        print(f"openalgo-desktop: {error.message}", file=sys.stderr)
        return 2

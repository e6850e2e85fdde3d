"""What may be added, and the sentence for what may not; hashes, copies, parameters, manifests."""

from __future__ import annotations

from pathlib import Path

import pytest

from openalgo_desktop.automation.host.catalog import content, samples
from openalgo_desktop.automation.host.life.of_a_run import program_of
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.strategies.hosted import OnBreach, OnEngineRestart, Quotas
from tests.unit.automation.host.host_world import World

MANIFEST = """
entry = "run.py"
name = "Opening range"
exchange = "NFO"
on_engine_restart = "restart"
stall_minutes = 10

[schedule]
days = ["MON", "TUE"]
windows = ["09:20-11:00", "14:00-15:00"]

[quotas]
orders_per_minute = 20
day_loss = 5000
on_breach = "stop + square off"

[parameters.fast]
type = "int"
default = 9
low = 2
high = 50

[parameters.side]
type = "choice"
default = "both"
choices = ["both", "long"]

[parameters.verbose]
type = "bool"
default = true
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def folder(world: World, **files: str) -> Path:
    path = world.folder / "program"
    path.mkdir()
    for name, text in files.items():
        (path / name.replace("_toml", ".toml").replace("_py", ".py")).write_text(text)
    return path


async def test_a_manifest_is_taken_over(world: World) -> None:
    host = await world.engine()
    path = folder(world, run_py="", other_py="", strategy_toml=MANIFEST)
    (path / "requirements.txt").write_text("numpy\n")
    row = (await host.add(path)).hosted
    assert (row.name, row.entry, row.exchange) == ("Opening range", "run.py", "NFO")
    assert row.hours.windows == (("09:20", "11:00"), ("14:00", "15:00"))
    assert not row.hours.enabled  # a file does not start itself
    assert row.quotas == Quotas(orders_per_minute=20, day_loss=5000, on_breach=OnBreach.STOP)
    assert (row.on_engine_restart, row.stall_minutes) == (OnEngineRestart.RESTART, 10)
    program = program_of(row)
    assert program.requirements == Path(row.folder) / "requirements.txt"
    assert program.variables == {"PARAM_FAST": "9", "PARAM_SIDE": "both", "PARAM_VERBOSE": "true"}
    await host.set_parameter("Opening range", "fast", "21")
    for name, text, said in (
        ("fast", "99", "above 50"),
        ("fast", "x", "not a whole number"),
        ("side", "short", "none of both, long"),
        ("verbose", "perhaps", "true or false"),
        ("fats", "1", "Did you mean fast"),
    ):
        with pytest.raises(ConfigError, match=said):
            await host.set_parameter("Opening range", name, text)
    row = host.get("Opening range").hosted
    assert program_of(row).variables["PARAM_FAST"] == "21"
    await host.set_parameter("Opening range", "fast", "")
    assert host.get("Opening range").hosted.parameters == {}
    await host.close()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no .py file"),
        ({"a_py": "", "b_py": ""}, "Call it main.py"),
        ({"main_py": "def f(:\n"}, "main.py, line 1: .*Correct it"),
        ({"main_py": "x = 'a\x00b'"}, "main.py"),
        ({"strategy_toml": "entry = 'gone.py'", "a_py": ""}, "'gone.py' does not exist"),
        ({"strategy_toml": "entry = '../x.py'", "a_py": ""}, "outside the folder"),
        ({"strategy_toml": "entri = 'a.py'", "a_py": ""}, "entri"),
        ({"strategy_toml": "mode = 'live'", "a_py": ""}, "mode"),
        ({"strategy_toml": "[quotas]\nday_loss = -1", "a_py": ""}, "quotas.day_loss"),
        ({"strategy_toml": "[quotas]\norders_per_minute = 0", "a_py": ""}, "at least 1"),
        ({"strategy_toml": "exchange = 'NYSE'", "a_py": ""}, "exchange"),
        ({"strategy_toml": "[parameters.'a b']\ntype='int'", "a_py": ""}, "must begin"),
        ({"strategy_toml": "[parameters.a]\ntype='int'\ndefault='x'", "a_py": ""}, "whole number"),
        ({"strategy_toml": "[schedule]\nwindows=['0915']", "a_py": ""}, "like 09:15-15:30"),
    ],
)
async def test_what_is_wrong_is_a_sentence_and_leaves_nothing(
    world: World, files: dict[str, str], said: str
) -> None:
    host = await world.engine()
    with pytest.raises(ConfigError, match=said):
        await host.add(folder(world, **files), "x")
    assert not host.all() and not list(world.folder.glob("programs/*")) and not world.store.rows
    await host.close()


async def test_other_paths_and_names(world: World) -> None:
    host = await world.engine()
    world.others = ["Alerts"]
    text = world.folder / "notes.txt"
    text.write_text("no program")
    for path, name, said in (
        (world.folder / "gone.py", "", "no file or folder"),
        (text, "", "no Python file"),
        (Path("sample:tick_printr"), "", "Did you mean tick_printer"),
        (world.script(), "a:b", "must be without"),
        (world.script(), "x" * 81, "1 to 80"),
        (world.script(), "AUTO_SQUARE_OFF", "another one"),
        (world.script(), "alerts", "another strategy is called 'alerts'"),
    ):
        with pytest.raises(ConfigError, match=said):
            await host.add(path, name)
    assert not host.all()
    await host.close()


async def test_a_full_disk_keeps_no_copy(world: World) -> None:
    host = await world.engine()
    world.store.broken = ConfigError("full")
    with pytest.raises(ConfigError, match="full"):
        await host.add(world.script())
    assert not list(world.folder.glob("programs/*"))
    world.store.broken = None
    await host.close()


def test_the_hash_counts_code_only(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "main.py").write_text("import lib.a\n")
    (tmp_path / "lib" / "a.py").write_text("x = 1\n")

    def digest() -> str:
        return content.digest(tmp_path, "main.py", single=False)

    first = digest()
    (tmp_path / "state.json").write_text("{}")  # what it writes itself
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.py").write_text("")
    assert digest() == first
    seen = {first}
    (tmp_path / "lib" / "a.py").write_text("x = 2\n")
    seen.add(digest())
    (tmp_path / "lib" / "b.py").write_text("")
    seen.add(digest())
    (tmp_path / "requirements.txt").write_text("numpy\n")
    seen.add(digest())
    (tmp_path / "lib" / "b.py").rename(tmp_path / "lib" / "c.py")
    seen.add(digest())
    assert len(seen) == 5


def test_a_copy_follows_no_linked_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.py").write_text("KEY = 1\n")
    program = tmp_path / "program"
    program.mkdir()
    (program / "main.py").write_text("pass\n")
    (program / "link").symlink_to(tmp_path / "secret")
    (program / ".git").mkdir()
    content.copy(content.find(program), tmp_path / "copy")
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["main.py"]


def test_a_folder_that_is_too_large_is_refused_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "MAX_BYTES", 10)
    program = tmp_path / "program"
    program.mkdir()
    (program / "main.py").write_text("pass  # twelve\n")
    with pytest.raises(ConfigError, match="--link"):
        content.copy(content.find(program), tmp_path / "copy")
    assert not (tmp_path / "copy").exists() and not (tmp_path / "copy.partial").exists()


def test_samples_say_what_they_are() -> None:
    for row in samples.samples():
        assert row.what.endswith(".")
        assert content.find(samples.path_of(row.name)).entry


def test_code_beside_a_program_counts_in_its_hash(tmp_path: Path):
    """What a human promoted is not another program by an edit of what it imports."""
    lib, shared = tmp_path / "alone" / "lib", tmp_path / "elsewhere"
    for folder in (lib, tmp_path / "alone" / "other", shared, tmp_path / "many" / "env"):
        folder.mkdir(parents=True)
    for path in (lib / "signals.py", lib.parent / "other" / "x.py", shared / "s.py"):
        path.write_text("VALUE = 1\n")
    (lib.parent / "one.py").write_text("import os; from lib.signals import VALUE\n")
    many = tmp_path / "many"
    (many / "main.py").write_text("import shared.s, env.e\n")
    (many / "env" / "e.py").write_text("VALUE = 1\n")
    (many / "shared").symlink_to(shared)
    (shared / "back").symlink_to(many)
    (many / "tools").mkdir()
    (many / "tools" / "pyvenv.cfg").touch()

    def hashes() -> tuple[str, str]:
        alone = content.digest(lib.parent, "one.py", single=True)
        return alone, content.digest(many, "main.py", single=False)

    before = hashes()
    (lib.parent / "other" / "x.py").write_text("VALUE = 2\n")
    (many / "tools" / "t.py").write_text("VALUE = 2\n")
    assert hashes() == before
    (lib / "signals.py").write_text("VALUE = 2\n")
    (shared / "s.py").write_text("VALUE = 2\n")
    linked = hashes()
    assert linked[0] != before[0] and linked[1] != before[1]
    (many / "env" / "e.py").write_text("VALUE = 2\n")
    assert hashes()[1] != linked[1]

"""The files of a program: which of them starts, what they are worth (a hash), and their copy.

The hash counts what is code, not what a program writes beside itself: a human promotes code.
Everything here blocks and runs in threads.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec

from openalgo_desktop.automation.host.catalog.manifest import MANIFEST, Manifest, read_manifest
from openalgo_desktop.core.errors import ConfigError

#: Entry points that need no manifest, in this order.
ENTRIES = ("main.py", "strategy.py")
REQUIREMENTS = "requirements.txt"
#: Folders that belong to tools, not to the program.
LEFT_OUT = frozenset({"__pycache__", "node_modules", "venv", "env", "site-packages"})
_CODE = frozenset({".py", ".pyw", ".pyc", ".so", ".pyd", ".dll", ".pth", ".toml"})
MAX_FILES, MAX_BYTES = 2_000, 50 * 2**20


class Found(msgspec.Struct, frozen=True):
    """A program that can be added. ``folder`` is where its files are; of a ``single`` file the
    others beside it do not belong to it."""

    folder: Path
    entry: str
    single: bool
    manifest: Manifest


def find(path: Path) -> Found:
    """Which program ``path`` is: a ``.py`` file, or a folder with an entry point. Raises
    :class:`ConfigError` with the fix."""
    path = path.expanduser().absolute()
    if path.is_file():
        if path.suffix.lower() != ".py":
            raise ConfigError(
                f"path: {path.name} is no Python file. Give a file that ends in .py, or a folder."
            )
        check_entry(path)
        return Found(path.parent, path.name, True, Manifest())
    if not path.is_dir():
        raise ConfigError(f"path: there is no file or folder {path}.")
    manifest = read_manifest(path)
    entry = _entry(path, manifest)
    check_entry(path / entry)
    return Found(path, entry, False, manifest)


def _entry(folder: Path, manifest: Manifest) -> str:
    if manifest.entry:
        path = folder / manifest.entry
        inside = path.resolve().is_relative_to(folder.resolve())
        if Path(manifest.entry).is_absolute() or not inside:
            raise ConfigError(f"{MANIFEST}: entry {manifest.entry!r} is outside the folder.")
        if not path.is_file():
            raise ConfigError(f"{MANIFEST}: entry {manifest.entry!r} does not exist in {folder}.")
        return manifest.entry
    scripts = sorted(entry.name for entry in folder.glob("*.py") if entry.is_file())
    if len(scripts) == 1:
        return scripts[0]
    for name in ENTRIES:
        if name in scripts:
            return name
    what = (
        f"{len(scripts)} Python files ({', '.join(scripts[:5])}...)" if scripts else "no .py file"
    )
    raise ConfigError(
        f"path: {folder} has {what} and nothing says which one starts. Call it main.py, or write "
        f'{MANIFEST} with the line entry = "name.py".'
    )


def check_entry(path: Path) -> None:
    """Raises :class:`ConfigError` with line and reason where the file does not compile; nothing
    of it is executed."""
    try:
        source = path.read_bytes()
        compile(source, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        text = (error.text or "").strip()
        where = f" in `{text}`" if text else ""
        raise ConfigError(
            f"{path.name}, line {error.lineno}: {error.msg}{where}. Correct it, then try again."
        ) from None
    except (ValueError, UnicodeError) as error:
        raise ConfigError(f"{path.name} is no Python text: {error}.") from None
    except (RecursionError, MemoryError):
        raise ConfigError(f"{path.name} is nested too deeply to be compiled.") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None


def digest(folder: Path, entry: str, *, single: bool) -> str:
    """SHA-256 (hex) of the code: names and contents of its files; of a ``single`` one also of the
    scripts beside it, which it can import. Raises :class:`ConfigError`."""
    total = hashlib.sha256(entry.encode())
    try:
        for path in sorted(_code(folder, single)):
            name = path.relative_to(folder).as_posix().encode()
            content = hashlib.sha256(path.read_bytes()).digest()
            total.update(len(name).to_bytes(4, "big") + name + content)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be read: {error.strerror}.") from None
    return total.hexdigest()


def _code(folder: Path, single: bool) -> Iterator[Path]:
    for number, path in enumerate(_files(folder, deep=not single)):
        if number >= MAX_FILES:
            raise ConfigError(f"{folder} has more than {MAX_FILES} files; give one of its own.")
        if path.suffix.lower() in _CODE or path.name == REQUIREMENTS:
            yield path


def _files(folder: Path, *, deep: bool) -> Iterator[Path]:
    """Regular files, links to such included; no linked folder is entered."""
    with os.scandir(folder) as entries:
        rows = sorted(entries, key=lambda row: row.name)
    for row in rows:
        if row.name.startswith("."):
            continue
        if row.is_dir(follow_symlinks=False):
            if deep and row.name not in LEFT_OUT:
                yield from _files(Path(row.path), deep=True)
        elif row.is_file():
            yield Path(row.path)


def copy(found: Found, target: Path) -> None:
    """Copy a program to ``target``, whole or not at all. Raises :class:`ConfigError`."""
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(mode=0o700, parents=True)
        size = 0
        paths = [found.folder / found.entry] if found.single else _files(found.folder, deep=True)
        for number, path in enumerate(paths):
            size += path.stat().st_size
            if number >= MAX_FILES or size > MAX_BYTES:
                raise ConfigError(
                    f"path: {found.folder} has more than {MAX_FILES} files or "
                    f"{MAX_BYTES // 2**20} MB. Give a folder of the program's own, or --link."
                )
            place = partial / path.relative_to(found.folder)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(path, place)
        partial.replace(target)
    except OSError as error:
        raise ConfigError(f"{found.folder} cannot be copied: {error.strerror or error}.") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def delete(folder: Path) -> None:
    """Delete a copy of ours: first out of the way, so that half of it is never a program."""
    gone = folder.with_name(folder.name + ".partial")
    shutil.rmtree(gone, ignore_errors=True)
    try:
        folder.replace(gone)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"{folder} cannot be deleted: {error.strerror}.") from None
    shutil.rmtree(gone, ignore_errors=True)


def stamp(folder: Path, entry: str) -> tuple[int, int]:
    """Size and time of the entry, for a cheap look whether it was edited; zeros: it is gone."""
    try:
        facts = (folder / entry).stat()
    except OSError:
        return 0, 0
    return facts.st_size, facts.st_mtime_ns

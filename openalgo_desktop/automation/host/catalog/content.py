"""The files of a program: which of them starts, what they are worth (a hash), and their copy.

The hash counts what is code, not what a program writes beside itself: a human promotes code.
Everything here blocks and runs in threads.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from openalgo_desktop.automation.host.catalog.manifest import MANIFEST, Manifest, read_manifest
from openalgo_desktop.core.errors import ConfigError

#: Entry points that need no manifest, in this order.
ENTRIES = ("main.py", "strategy.py")
REQUIREMENTS = "requirements.txt"
#: Folders that belong to tools, not to the program; and those with this file, which are virtual
#: environments (a package of the program may be called ``env``).
LEFT_OUT = frozenset({"__pycache__", "node_modules", "site-packages"})
VENV = "pyvenv.cfg"
#: What follows ``import`` or ``from`` on a line; of its words those count that are folders.
_IMPORTS, _WORD = re.compile(r"\b(?:import|from)\b(.+)"), re.compile(r"\w+")
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
    scripts beside it, and of the folders beside it that they import. Raises
    :class:`ConfigError`."""
    total = hashlib.sha256(entry.encode())
    try:
        for path, content in sorted(_code(folder, single)):
            name = path.relative_to(folder).as_posix().encode()
            total.update(len(name).to_bytes(4, "big") + name + content)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be read: {error.strerror}.") from None
    return total.hexdigest()


def _code(folder: Path, single: bool) -> Iterator[tuple[Path, bytes]]:
    """Code files with the hash of each."""
    number = 0
    waiting, packages = [_files(folder, deep=not single)], _packages(folder) if single else {}
    while waiting:
        for path in waiting.pop():
            if (number := number + 1) > MAX_FILES:
                raise ConfigError(f"{folder} has more than {MAX_FILES} files; give one of its own.")
            if path.suffix.lower() not in _CODE and path.name != REQUIREMENTS:
                continue
            text = path.read_bytes()
            yield path, hashlib.sha256(text).digest()
            for name in _imported(text) & packages.keys():
                waiting.append(_files(packages.pop(name), deep=True))


def _packages(folder: Path) -> dict[str, Path]:
    """Folders in ``folder`` that a script there could import, by name."""
    with os.scandir(folder) as entries:
        return {row.name: Path(row.path) for row in entries if _is_own(row, links=True)}


def _imported(text: bytes) -> set[str]:
    """Words of the lines of a source that import: some more than the modules."""
    lines = _IMPORTS.findall(text.decode("utf-8", "replace"))
    return {word for line in lines for word in _WORD.findall(line)}


def _is_own(row: os.DirEntry[str], *, links: bool) -> bool:
    """Whether it is a folder of the program, not of a tool."""
    if row.name.startswith(".") or row.name in LEFT_OUT or not row.is_dir(follow_symlinks=links):
        return False
    return not os.path.exists(os.path.join(row.path, VENV))


def _files(
    folder: Path, *, deep: bool, links: bool = True, above: frozenset[str] = frozenset()
) -> Iterator[Path]:
    """Regular files, and links to such. With ``links`` a linked folder is entered, too, for its
    code runs as well; one that leads back to a folder ``above`` is not."""
    real = os.path.realpath(folder)
    if real in above:
        return
    with os.scandir(folder) as entries:
        rows = sorted(entries, key=lambda row: row.name)
    for row in rows:
        if row.name.startswith("."):
            continue
        if deep and _is_own(row, links=links):
            yield from _files(Path(row.path), deep=True, links=links, above=above | {real})
        elif row.is_file():
            yield Path(row.path)


def copy(found: Found, target: Path) -> None:
    """Copy a program to ``target``, whole or not at all. Raises :class:`ConfigError`."""
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(mode=0o700, parents=True)
        size = 0
        paths: Iterable[Path] = [found.folder / found.entry]
        if not found.single:
            paths = _files(found.folder, deep=True, links=False)
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

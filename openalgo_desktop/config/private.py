"""Files and folders that are this user's alone: made with narrow rights, never through a link."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)  # Windows has none
#: Rights of others than the owner.
_OTHERS = 0o077


def open_private(path: Path | str, flags: int) -> int:
    """A descriptor of a file that only the user can read (0600), made where it is missing; rights
    of others on an existing one are taken away. Raises :class:`OSError`, also for a link."""
    try:
        descriptor = os.open(path, flags | os.O_CREAT | _NO_FOLLOW, 0o600)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise OSError(error.errno, "it is a symbolic link, which is not followed") from None
        raise
    facts = os.fstat(descriptor)
    if os.name == "posix" and stat.S_ISREG(facts.st_mode) and facts.st_mode & _OTHERS:
        try:
            os.fchmod(descriptor, 0o600)
        except OSError:  # of another user, or a file system without rights
            os.close(descriptor)
            raise
    return descriptor


def narrow(folder: Path, files: Iterable[str]) -> str:
    """Take the rights of others on a folder of ours and on the files in it that match ``files``;
    returns a warning that says what was open, or empty."""
    if os.name != "posix":
        return ""
    found = [folder, *(path for pattern in files for path in folder.glob(pattern))]
    opened: list[str] = []
    failed: list[str] = []
    for path in found:
        try:
            mode = path.lstat().st_mode
            # A folder with the sticky bit (/tmp) is everybody's; it was given, it is not ours.
            if stat.S_ISLNK(mode) or mode & stat.S_ISVTX or not mode & _OTHERS:
                continue
            path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
            opened.append(str(path))
        except OSError:
            failed.append(str(path))
    said = []
    if opened:
        said.append(
            f"Other users of this machine could reach {', '.join(opened)}; that is shut now. If "
            "others use the machine, revoke the API keys and change the broker's password."
        )
    if failed:
        said.append(f"Other users of this machine can reach {', '.join(failed)}; shut that.")
    return " ".join(said)

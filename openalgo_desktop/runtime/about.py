"""What this program is and what it is made of: version, licence, source, the libraries in it."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from openalgo_desktop import __version__

NAME = "OpenAlgo Desktop"
DISTRIBUTION = "openalgo-desktop"
LICENCE = "AGPL-3.0-or-later"
WORDS = (
    "Free software: you may run, study, change and pass it on under the GNU Affero General Public "
    "License, version 3 or later. It comes without any warranty; it can lose you money."
)
INDEPENDENT = (
    "An independent program that speaks the API of OpenAlgo; OpenAlgo is a project of others."
)

#: Distributions that make most of the program, in the order of the list.
LIBRARIES = (
    *("PySide6_Essentials", "qasync", "numpy", "TA-Lib", "msgspec", "httpx", "sniffio"),
    *("websockets", "picows", "protobuf", "python-socketio", "aiomqtt", "nats-py", "aiohttp"),
    *("marshmallow", "SQLAlchemy", "alembic", "argon2-cffi", "cryptography", "keyring"),
    *("platformdirs", "uvloop", "python-telegram-bot", "mcp"),
)
#: What is shipped and is no Python distribution.
SHIPPED = (("Inter (font)", "OFL-1.1"), ("JetBrains Mono (font)", "OFL-1.1"))


class Part(NamedTuple):
    """A library: name, installed version, licence as its authors declare it."""

    name: str
    version: str
    licence: str


def libraries() -> dict[str, str]:
    """Installed versions of the main libraries."""
    return {name: _version(name) for name in LIBRARIES}


def parts() -> list[Part]:
    """Everything in the program with its licence."""
    found = [Part(name, _version(name), _licence(name)) for name in LIBRARIES]
    return [*found, *(Part(name, "", licence) for name, licence in SHIPPED)]


def source() -> str:
    """Where its source is: the address that the distribution names, else the folder of the running
    program, which is its source."""
    try:
        urls = metadata.metadata(DISTRIBUTION).get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        urls = []
    for text in urls:
        label, _, address = text.partition(", ")
        if label.lower() in ("source", "repository"):
            return str(address)
    return str(Path(__file__).resolve().parents[1])


def summary() -> str:
    """Name, version and licence on one line."""
    return f"{NAME} {__version__}, {LICENCE}"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _licence(name: str) -> str:
    try:
        facts = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    names = ("License-Expression", "License")
    declared = next((facts[name].strip() for name in names if name in facts), "")
    if 0 < len(declared) < 80:  # some write the whole licence there
        return declared
    classes = [text for text in facts.get_all("Classifier") or [] if text.startswith("License")]
    return ", ".join(text.rpartition(" :: ")[2] for text in classes) or "see its own files"

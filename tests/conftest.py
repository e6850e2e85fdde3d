"""For all tests: no window on anybody's screen, nothing read from the tester's own settings."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

# Before anything imports Qt; tests that want a real X server start theirs and say so to a child.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.pop("OPENALGO_VAULT_PASSPHRASE", None)
os.environ["OPENALGO_VAULT"] = "file"  # never the tester's keyring


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Programs that a test starts hear Ctrl+C, even when the tests are a shell's background job,
    in which it is ignored and that is inherited."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)

"""For all tests: no window on anybody's screen, nothing read from the tester's own settings."""

from __future__ import annotations

import os

# Before anything imports Qt; tests that want a real X server start theirs and say so to a child.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.pop("OPENALGO_VAULT_PASSPHRASE", None)
os.environ["OPENALGO_VAULT"] = "file"  # never the tester's keyring

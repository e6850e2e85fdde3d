"""``python -m openalgo_desktop``."""

from openalgo_desktop.shell.entrance import main

if __name__ == "__main__":
    raise SystemExit(main())

"""Where the interpreter enters; see the package."""

import sys
from pathlib import Path

# In isolated mode only this folder is on the path, and its names are not those of a program.
sys.path[:] = [entry for entry in sys.path if entry != sys.path[0]]
sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

from openalgo_desktop.automation.host.keeper.main import main  # noqa: E402

if __name__ == "__main__":
    main(sys.argv[1:])

"""Where the interpreter enters, isolated and without packages; see the package.

What the keeper imports is counted in milliseconds before a script starts and in megabytes beside
it, so there is no ``pathlib`` or ``typing`` in it, and what is rarely needed is imported late.
"""

import os
import sys

sys.path.append(os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 4)))

from openalgo_desktop.automation.host.keeper.start import main

if __name__ == "__main__":
    main(sys.argv[1:])

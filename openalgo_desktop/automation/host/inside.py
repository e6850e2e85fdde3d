"""``openalgo-desktop run-strategy FILE [ARGUMENT ...]``: a script on the Python of this program.

In a packaged program ``sys.executable`` is no interpreter, and this takes its place. The command
line sends these words here before it reads anything else, because a script's arguments are its own:

* ``run-strategy FILE ...``: the script as ``__main__``, as ``python FILE ...`` would;
* ``run-strategy --check FILE``: looks at it without running it (see :mod:`probe`);
* ``run-strategy --keeper FOLDER``: the keeper of a run (see :mod:`keeper`).
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from collections.abc import Sequence

_USAGE = "openalgo-desktop: run-strategy needs a script: openalgo-desktop run-strategy FILE\n"


def main(arguments: Sequence[str]) -> int:
    """The command without its own name; returns the exit code. What the script raises goes on."""
    word, *rest = arguments or [""]
    if word == "--keeper" and rest:
        from openalgo_desktop.automation.host.keeper.start import main as keep

        keep(rest)
        return 0
    if word == "--check" and rest:
        from openalgo_desktop.automation.host import probe

        sys.stdout.write(json.dumps(probe.look(os.path.abspath(rest[0]))) + "\n")
        return 0
    if not os.path.isfile(word):
        sys.stderr.write(_USAGE if not word else f"openalgo-desktop: there is no script {word}\n")
        return 2
    path = os.path.abspath(word)
    sys.argv[:] = [path, *rest]
    # As the interpreter does it: imports find what lies beside the script first.
    sys.path.insert(0, os.path.dirname(path))
    runpy.run_path(path, run_name="__main__")
    return 0

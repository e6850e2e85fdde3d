"""Looks at a script without running it. Executed as a file by the interpreter that will run the
script, so it imports nothing of ours, and reads with that interpreter's grammar; as a process of
its own, because compiling holds the interpreter's lock.

``python probe.py ENTRY`` prints one JSON object: ``python``, ``digest``, and either ``line``,
``error`` of what does not compile, or ``missing``: the modules that it imports (anywhere in it) and
that are not there, as [name, line].
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import os
import sys
import tokenize
from typing import Any


def imports(tree: ast.AST) -> dict[str, int]:
    """{top-level name: first line}"""
    found: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found.setdefault(alias.name.partition(".")[0], node.lineno)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.setdefault(node.module.partition(".")[0], node.lineno)
    return found


def there(name: str, folder: str) -> bool:
    """Whether an import of ``name`` finds something; nothing is imported for that."""
    if os.path.exists(os.path.join(folder, name + ".py")):
        return True
    if os.path.isdir(os.path.join(folder, name)):
        return True
    try:
        return name in sys.builtin_module_names or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def look(path: str) -> dict[str, Any]:
    """What the module's text says."""
    with open(path, "rb") as file:
        content = file.read()
    told: dict[str, Any] = {
        "python": ".".join(map(str, sys.version_info[:3])),
        "digest": hashlib.sha256(content).hexdigest(),
    }
    try:
        lines = iter(content.splitlines(keepends=True))
        encoding, _ = tokenize.detect_encoding(lambda: next(lines))
        source = content.decode(encoding)
        tree = ast.parse(source, path)
        compile(source, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        told["line"] = error.lineno or 0
        told["error"] = error.msg or "it is no Python"
        return told
    except UnicodeDecodeError as error:
        told["line"] = content[: error.start].count(b"\n") + 1
        told["error"] = f"it is not {error.encoding} text, as it has to be"
        return told
    except (ValueError, RecursionError, MemoryError) as error:
        told["line"] = 0
        told["error"] = str(error) or type(error).__name__
        return told
    folder = os.path.dirname(path)
    told["missing"] = [
        [name, line] for name, line in sorted(imports(tree).items()) if not there(name, folder)
    ]
    return told


if __name__ == "__main__":
    # The script's folder is what its imports see, not ours.
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[1]))
    print(json.dumps(look(os.path.abspath(sys.argv[1]))))  # noqa: T201

"""Runs a function inside a process that is held exactly as a worker is, and tells what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

CHILD = """
import json, os, sys, importlib, socket, asyncio, ctypes
from pathlib import Path
folder, module, name, arguments = Path(sys.argv[1]), sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
sys.path[:0] = json.loads(sys.argv[5])
from clerestory.serve.confine import confine, drop
found = getattr(importlib.import_module(module), name)
descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
listener = socket.create_server(("127.0.0.1", 0))
confine(descriptor, user=drop.account("nobody"), memory=1 << 20, listener=listener)
try:
    said = found(*arguments)
except OSError as problem:
    said = {"errno": problem.errno}
os.write(1, json.dumps(said).encode())
os._exit(0)
"""


def held(folder: Path, function: Any, *arguments: object) -> Any:
    """What a function of a module returned inside; {"errno": number} if it raised an OSError."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder), function.__module__, function.__name__,
         json.dumps(arguments), json.dumps(sys.path)],
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.returncode == 0, (done.returncode, done.stderr.decode())
    return json.loads(done.stdout)

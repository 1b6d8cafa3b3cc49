"""Compiles the search for circuits when the package is built or installed: one C file, no Python headers."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = "src/clerestory/attack/circuits.c"
SUFFIX = {"win32": "dll", "darwin": "dylib"}.get(sys.platform, "so")


class CompileCircuits(BuildHookInterface):  # type: ignore[type-arg]
    """Puts _circuits.so (or .dll, .dylib) beside circuits.py; the wheel is for one platform."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Runs before the wheel is made. Raises RuntimeError where no C compiler is found."""
        target = f"src/clerestory/attack/_circuits.{SUFFIX}"
        root = Path(self.root)
        compiler = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
        command = [compiler] if compiler else [sys.executable, "-m", "ziglang", "cc"]
        flags = ["-O2", "-ffp-contract=off", "-shared", "-o", str(root / target), str(root / SOURCE)]
        if sys.platform != "win32":
            flags += ["-fPIC", "-lm"]
        if subprocess.run([*command, *flags], check=False).returncode:  # noqa: S603
            raise RuntimeError(
                "no C compiler: install gcc or clang, or `pip install ziglang` into the building environment"
            )
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
        build_data["force_include"][str(root / target)] = f"clerestory/attack/_circuits.{SUFFIX}"

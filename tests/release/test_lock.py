"""Two builds at once: the second is told who is building; a killed one holds nothing."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from clerestory.errors import InputError
from clerestory.release.lock import lock

HOLD = """
import sys, time
from pathlib import Path
from clerestory.release.lock import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def holder(project: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(project)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def test_the_second_of_two_builds_is_told_about_the_first(tmp_path: Path) -> None:
    with holder(tmp_path) as first:
        try:
            with pytest.raises(InputError) as refused, lock(tmp_path):
                pass
            assert refused.value.exit_code == 2
            assert f"another build of this project is running (process {first.pid}, since 2" in str(
                refused.value
            )
        finally:
            os.kill(first.pid, signal.SIGKILL)
    with lock(tmp_path):
        pass


def test_the_lock_lies_in_a_private_folder_and_opens_at_the_end(tmp_path: Path) -> None:
    with lock(tmp_path) as held:
        assert stat.S_IMODE(held.file.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(held.file.stat().st_mode) == 0o600
        with pytest.raises(InputError), lock(tmp_path):
            pass
    with lock(tmp_path):
        pass

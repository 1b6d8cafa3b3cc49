"""Says what the tests need from the system and is not there, before they start."""

import shutil
import sys
from pathlib import Path


def chromium() -> str:
    """The path of the browser, or "" if there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), "")


def missing() -> list[str]:
    """Names of Debian packages that the tests need and that are not installed."""
    packages = []
    if not chromium():
        packages.append("chromium")
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        packages.append("postgresql")
    return packages


if __name__ == "__main__":
    absent = missing()
    if absent:
        print(
            f"The tests use a real browser and a real database. Please install: {' '.join(absent)}\n"
            f"  sudo apt-get install {' '.join(absent)}",
            file=sys.stderr,
        )
        sys.exit(2)

"""Says what the tests need from the system and is not there, before they start."""

import shutil
import sys
from pathlib import Path


def chromium() -> str:
    """The path of the browser, or "" if there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), "")


def nginx() -> str:
    """The path of nginx, or "" if there is none; Debian keeps it where only root looks."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin") or ""


def missing() -> list[str]:
    """Names of Debian packages that the tests need and that are not installed."""
    packages = []
    if not chromium():
        packages.append("chromium")
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        packages.append("postgresql")
    if not nginx():
        packages.append("nginx-light")
    return packages


if __name__ == "__main__":
    absent = missing()
    if absent:
        print(
            "The tests use a real browser, a real database and a real nginx. Please install: "
            f"{' '.join(absent)}\n"
            f"  sudo apt-get install {' '.join(absent)}",
            file=sys.stderr,
        )
        sys.exit(2)

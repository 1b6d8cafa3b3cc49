"""The command line: parses, calls one room, prints, exits. Each command imports late."""

from clerestory.cli.app import main

__all__ = ["main"]

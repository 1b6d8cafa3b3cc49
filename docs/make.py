"""Makes the parts of docs/ that are made: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer.main

from clerestory.cli.app import app
from clerestory.project.schemas import write_schemas

DOCS = Path(__file__).resolve().parent


def _options(command: Any) -> list[str]:
    lines = []
    for parameter in command.params:
        names = ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
        if parameter.param_type_name == "argument":
            names = f"`{(parameter.name or '').upper()}`"
        default = parameter.default
        plain = default is not None and not callable(default) and default != "" and default is not False
        shown = getattr(default, "value", default)
        said = (getattr(parameter, "help", None) or "").rstrip(".")
        lines.append(f"| {names} | {said} | {f'`{shown}`' if plain and not parameter.required else ''} |")
    return lines


def _commands(group: Any, before: str = "") -> list[tuple[str, Any]]:
    """Every command by its whole name, those of a group after it."""
    found = []
    for name, command in sorted(group.commands.items()):
        found.append((before + name, command))
        if hasattr(command, "commands"):
            found += _commands(command, f"{before}{name} ")
    return found


def command_reference() -> str:
    """docs/reference/commands.md, from the commands themselves."""
    group: Any = typer.main.get_command(app)
    parts = [
        "# Commands",
        "",
        "Made by `make docs` from `clerestory --help`.",
        "",
        "Exit codes are a contract: **0** done or clean; **1** the answer is no; **2** the call or the input",
        "is wrong;",
        "**3** could not decide (out of time or memory, a bug): never a pass. Commands that report take",
        "`--format text|json`.",
        "",
    ]
    for name, command in _commands(group):
        parts += [f"## clerestory {name}", "", (command.help or "").strip(), ""]
        options = _options(command)
        if options:
            parts += ["| | what | default |", "|---|---|---|", *options, ""]
    return "\n".join(parts)


def main() -> None:
    """Writes all of it."""
    write_schemas(DOCS / "schemas")
    (DOCS / "reference" / "commands.md").write_text(command_reference(), encoding="utf-8")
    print("docs/schemas and docs/reference/commands.md are current")
    if "--screenshots" in sys.argv:
        from docs.screenshots import take

        take(DOCS / "images")


if __name__ == "__main__":
    main()

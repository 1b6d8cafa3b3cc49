"""The commands of the public side: serve, and what becomes of its log."""

from __future__ import annotations

import datetime
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from clerestory.cli.console import answering, err, out


class Kept(StrEnum):
    """What the log holds of readers' addresses."""

    HASHED = "hashed"
    FULL = "full"
    NONE = "none"


def serve(
    folder: Annotated[Path, typer.Argument(help="The project, or its releases folder.")] = Path(),
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; if taken, the next one.")] = 8000,
    workers: Annotated[int, typer.Option(min=0, max=256, help="Processes; 0 is one a processor.")] = 0,
    log: Annotated[
        Path | None,
        typer.Option(
            help="The log's folder; confidential/log beside the releases if absent.", show_default=False
        ),
    ] = None,
    addresses: Annotated[Kept, typer.Option(help="How the log has readers' addresses.")] = Kept.HASHED,
    keep_days: Annotated[
        int, typer.Option(min=1, max=3650, help="Days until addresses cannot be told any more.")
    ] = 30,
    max_age: Annotated[
        int, typer.Option(min=0, max=86400, help="Seconds for which caches may keep an answer.")
    ] = 60,
    user: Annotated[
        str, typer.Option(help="The account that workers run under, if started by root.")
    ] = "nobody",
    proxy: Annotated[
        str, typer.Option(help="Address of a proxy in front, which names the readers.", show_default=False)
    ] = "",
    unconfined: Annotated[
        bool, typer.Option("--unconfined", help="Without the kernel's hold, for this machine alone.")
    ] = False,
    staged: Annotated[
        bool,
        typer.Option(
            "--staged", help="What was built last and nobody has signed, for this machine alone.", hidden=True
        ),
    ] = False,
    nginx: Annotated[
        bool, typer.Option("--nginx", help="Print a configuration for nginx in front, and stop.")
    ] = False,
) -> None:
    """The public site, from the live release only, by workers that the kernel holds to that."""
    from clerestory.release.bundle import STAGED
    from clerestory.serve import serve as run
    from clerestory.serve.addresses import Addresses
    from clerestory.serve.nginx import configuration
    from clerestory.serve.state import Links

    with answering():
        if nginx:
            out.print(configuration(port, max_age=max_age), markup=False, end="")
            return
        run(
            folder,
            host=host,
            port=port,
            announce=_announce,
            say=_say,
            workers=workers,
            log=log,
            addresses=Addresses(addresses.value),
            keep_days=keep_days,
            max_age=max_age,
            user=user,
            proxy=proxy,
            unconfined=unconfined or staged,
            source=Links(folder / "releases", STAGED) if staged else None,
        )


def _announce(address: str, said: str) -> None:
    out.print(f"Serving {said} on {address} (Ctrl+C stops)", markup=False)


def _say(words: str) -> None:
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")
    style = "bold red" if words.startswith("UNCONFINED") else None
    err.print(f"{stamp} UTC  {words}", markup=False, style=style)


def serve_afresh(folder: Path, port: int) -> None:
    """Becomes a server of this folder on this machine: a new program, which never held a record.

    Where the kernel cannot hold it, it runs without, and says so.
    """
    from clerestory.serve.confine import obstacle

    loose = ["--unconfined"] if obstacle() else []
    words = [sys.executable, "-m", "clerestory", "serve", str(folder), "--port", str(port), *loose]
    sys.stdout.flush()
    os.execv(sys.executable, words)  # noqa: S606


log_app = typer.Typer(help="The access log of the server.", no_args_is_help=True)


@log_app.callback()
def _log() -> None:
    pass


@log_app.command("to-parquet")
def to_parquet(
    folder: Annotated[Path, typer.Argument(help="The log's folder.", show_default=False)],
    day: Annotated[str, typer.Option(help="The day, YYYY-MM-DD (UTC); yesterday if absent.")] = "",
    to: Annotated[
        Path | None,
        typer.Option(
            help="The file to write; DAY.parquet in the log's folder if absent.", show_default=False
        ),
    ] = None,
) -> None:
    """Turn a day of the access log into a Parquet file, one row an answer."""
    from clerestory.api.access_log import day_to_parquet
    from clerestory.errors import InputError

    with answering():
        try:
            yesterday = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=1)
            chosen = datetime.date.fromisoformat(day) if day else yesterday
        except ValueError:
            raise InputError("--day is not a date", fix="write it as YYYY-MM-DD") from None
        found = day_to_parquet(folder, chosen, to)
        out.print(
            f"{found.rows:,} answers of {chosen} are in {found.file}; {found.torn} lines were torn, "
            f"{found.lost} were lost to a full disk.",
            markup=False,
        )

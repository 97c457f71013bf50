"""The command ``serve``: the desk in a browser."""

from __future__ import annotations

import logging
import os
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from trendscope.cli import options
from trendscope.cli.options import option
from trendscope.cli.outcome import exit_codes
from trendscope.errors import UsageError
from trendscope.limits import adjusted

TOKEN = "TRENDSCOPE_TOKEN"
SHORTEST_TOKEN = 16

SERVE_EXAMPLES = options.examples("""
  trendscope serve --db fashion.db              for yourself, in your browser
  trendscope serve --db fashion.db --create     a new database, to scan into
  trendscope serve --segments cities.csv        trends of each city too
  TRENDSCOPE_TOKEN=... trendscope serve --host 192.168.1.5 --name desk.local
""")


def serve(
    db: options.Db = None,
    create: Annotated[bool, option("--create", "Make the database if it is missing.")] = False,
    host: Annotated[str, option("--host ADDRESS", "Listen there; needs a token.")] = "127.0.0.1",
    port: Annotated[int, option("--port", "0 is any that is free.", min=0, max=65535)] = 8765,
    name: Annotated[
        list[str] | None, option("--name NAME", "Another name of this computer.")
    ] = None,
    segments: Annotated[
        Path | None, option("--segments FILE", "CSV customer,segment: trends of each.")
    ] = None,
    only: Annotated[Path | None, option("--only CSV", "Offer to nobody but these.")] = None,
    never: Annotated[Path | None, option("--never CSV", "Offer nothing to these.")] = None,
    folder: Annotated[
        list[Path] | None, option("--folder PATH", "Photos here that the desk may scan.")
    ] = None,
    browser: Annotated[bool, option("--browser/--no-browser", "Open it in the browser.")] = True,
    weights: options.Weights = None,
    timezone: options.WeekZone = "UTC",
    limit: options.Limit = None,
    verbose: options.Traced = False,
) -> None:
    """Open the stylist's desk: try photos, look at customers and trends, correct labels.

    It listens on this computer alone. For another address put a token of at least 16 characters
    into TRENDSCOPE_TOKEN, which visitors then have to give; use it in networks you trust.
    """
    with exit_codes(verbose, work_so_far="the desk is closed"):
        from trendscope.web.settings import Settings

        token = os.environ.get(TOKEN, "")
        settings = Settings(
            host=host,
            port=port,
            names=(*_own_names(host, token), *(name or ())),
            token=token,
            limits=adjusted(limit or ()),
            zone=options.zone_of(timezone),
            segments=_groups(segments),
            only=_readable(only),
            never=_readable(never),
            folders=tuple(map(_folder, folder or ())),
        )
        try:
            from trendscope.web.serving import serve as run
        except ModuleNotFoundError as error:
            raise UsageError(
                "the desk needs the extra web: pip install 'trendscope[web]'"
            ) from error
        from trendscope.store import open_store

        logging.basicConfig(format="trendscope: %(message)s", level=logging.WARNING)
        store = open_store(db, create=create)
        run(store, settings, weights=weights, announce=_announce, browser=browser)


def _announce(address: str) -> None:
    print(f"trendscope: the desk is at {address}; Ctrl-C closes it", file=sys.stderr, flush=True)


def _own_names(host: str, token: str) -> list[str]:
    """The name of an address in URLs; none for all addresses of the computer.

    Raises:
        UsageError: It is none, or others could use it without a token.
    """
    try:
        address = ip_address(host)
    except ValueError:
        raise UsageError(f"--host {host}: give an address such as 127.0.0.1 or 0.0.0.0") from None
    if not address.is_loopback and len(token) < SHORTEST_TOKEN:
        raise UsageError(
            f"--host {host}: others could look at your customers; put a token of at least "
            f"{SHORTEST_TOKEN} characters into {TOKEN}, and visitors will be asked for it"
        )
    return [] if address.is_unspecified else [f"[{host}]" if address.version == 6 else host]


def _folder(path: Path) -> str:
    """The absolute path of a folder that is there."""
    if not path.is_dir():
        raise UsageError(f"--folder {path}: there is no such folder; check the spelling")
    return os.path.abspath(path)


def _readable(path: Path | None) -> Path | None:
    """The list of customers, which can be read now."""
    if path is not None:
        from trendscope.recommend.contact_lists import read_names

        read_names(path)
    return path


def _groups(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    from trendscope.files.tables import read_csv

    table = read_csv(path, "customer", "segment")
    return dict(zip(table["customer"], table["segment"], strict=True))

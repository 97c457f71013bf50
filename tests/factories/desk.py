"""A running desk to test with: the command itself on loopback, with the tests' own classifier."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]


class Server:
    """A desk in a process of its own."""

    def __init__(self, process, address):
        self.process = process
        self.address = address
        self.port = httpx.URL(address).port

    def client(self, **options):
        return httpx.Client(base_url=self.address, timeout=120, **options)

    def raw(self, data, seconds=20):
        """What comes back for some bytes, until the desk closes the connection or falls silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as line:
            line.settimeout(seconds)
            answer = b""
            try:
                line.sendall(data)
                while part := line.recv(65536):
                    answer += part
            except (ConnectionError, TimeoutError):
                pass
            return answer

    def memory(self):
        """Bytes the process has in use."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(re.search(r"VmRSS:\s+(\d+)", status)[1])


@contextmanager
def desk(db, *options, judge="classifier", temporary=None, patience=None, **environment):
    """Runs ``trendscope serve`` with a fake classifier or detector.

    Args:
        db: The database.
        options: Options of the command.
        judge: Module of `tests.factories` that stands for the network.
        temporary: Folder for temporary files.
        patience: Bounds that differ from the usual, by name.
        environment: Further environment variables.
    """
    program = (
        f"from tests.factories import {judge}; {judge}.install()\n"
        "from trendscope.web import settings\n"
        "begin = settings.Settings.__init__\n"
        "def begun(self, **given):\n"
        f"    begin(self, bounds=settings.Bounds(**{patience or {}}), **given)\n"
        "settings.Settings.__init__ = begun\n"
        "from trendscope.cli import main; main()\n"
    )
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    variables["TMPDIR"] = str(temporary or tempfile.gettempdir())
    words = ["serve", "--db", str(db), "--port", "0", "--no-browser", *options]
    process = subprocess.Popen(
        [sys.executable, "-c", program, *words],
        cwd=ROOT,
        env=variables,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stderr.readline()
        address = re.search(r"desk is at (http://\S+/)", line)
        assert address, line + process.stderr.read()
        yield Server(process, address[1])
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stderr.close()


def scanned(photos, db, judge="classifier"):
    """Fills a database as ``trendscope scan`` does, with a fake for the usual network."""
    words = ["scan", str(photos), "--db", str(db), "-q"]
    subprocess.run(
        [sys.executable, "-m", f"tests.factories.{judge}", *words],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def wait_until(condition, seconds=240):
    """What `condition` gives once that is true; it is asked again and again."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if result := condition():
            return result
        time.sleep(0.1)
    raise AssertionError(f"not so within {seconds} s")


def finished(client, upload_id):
    """The document of an upload once it is done."""

    def document():
        upload = client.get(f"/api/try/{upload_id}").json()
        return upload if upload["state"] in ("done", "failed") else None

    return wait_until(document)


class Visitor:
    """A client of a desk in this process: no server, no classifier, no network."""

    def __init__(self, store, **settings):
        from trendscope.web.app import make_app
        from trendscope.web.desk import Desk
        from trendscope.web.settings import Settings
        from trendscope.web.spool import Spool
        from trendscope.web.upload_jobs import UploadJobs

        chosen, spool = Settings(**settings), Spool()
        self.desk = Desk(store, UploadJobs(chosen, None, spool), chosen, spool, None)
        self._app = make_app(self.desk)

    def request(self, method, path, **options):
        async def answer():
            door = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=door, base_url="http://127.0.0.1") as client:
                return await client.request(method, path, **options)

        return asyncio.run(answer())

    def get(self, path, **options):
        return self.request("GET", path, **options)

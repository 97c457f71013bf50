"""A running desk to test with: the command itself on loopback, with the tests' own classifier."""

from __future__ import annotations

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
def desk(db, *options, temporary=None, patience=None, **environment):
    """Runs ``trendscope serve`` with the fake classifier.

    Args:
        db: The database.
        options: Of the command.
        temporary: The folder for temporary files.
        patience: Bounds that differ from the usual, by name.
        environment: Variables.
    """
    program = (
        "from tests.factories import classifier; classifier.install()\n"
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
        said = process.stderr.readline()
        found = re.search(r"desk is at (http://\S+/)", said)
        assert found, said + process.stderr.read()
        yield Server(process, found[1])
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stderr.close()


def scanned(photos, db):
    """Fills a database as ``trendscope scan`` does, with the fake classifier for the usual one."""
    words = ["scan", str(photos), "--db", str(db), "-q"]
    subprocess.run(
        [sys.executable, "-m", "tests.factories.classifier", *words],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def finished(client, trial_id, seconds=240):
    """A trial once it is done."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = client.get(f"/api/try/{trial_id}").json()
        if found["state"] in ("done", "failed"):
            return found
        time.sleep(0.2)
    raise AssertionError(f"not done in {seconds} s")

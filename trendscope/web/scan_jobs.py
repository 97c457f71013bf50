"""Scans of uploads into the desk's database, one at a time, each in the background."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import secrets
import shutil
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Literal

from trendscope.errors import TrendscopeError
from trendscope.files.trees import DiskFile, unsafe
from trendscope.files.zips import is_zip
from trendscope.ingest.photos import scan
from trendscope.ingest.uploads import Uploads
from trendscope.skipped import Skipped
from trendscope.store.database import Store
from trendscope.store.write_photos import ScanResult
from trendscope.text import displayed
from trendscope.vision.predictions import WeightsChoice
from trendscope.web.settings import Settings
from trendscope.web.spool import Spool
from trendscope.web.upload_jobs import UploadJobs

log = logging.getLogger("trendscope.web")

LISTED = 500
"""Files of a scan that are listed because they were not used; more are only counted."""


class _Stopped(Exception):
    """Somebody stopped a scan."""


@dataclass
class ScanJob:
    """One scan of uploaded files.

    Attributes:
        customer: Owner of the photos where their folders do not tell; None if they do.
        one_per_name: Whether a folder with a known customer's name is that customer's.
        previews: Whether a larger picture of each photo is kept.
        state: State: files come (``receiving``), are looked at (``running``), or the end.
        bytes: Size of the files that came.
        done, total: Numbers of files that were looked at, and of all as far as is known.
        left_out: Files that were not used, no more than `LISTED`.
        failure: Reason of a failure in plain words; "" without one.
        stopping: Whether somebody stopped it.
        id: Name by which its files are sent.
    """

    customer: str | None
    one_per_name: bool
    uploads: Uploads
    previews: bool = False
    state: Literal["receiving", "running", "stopped", "done", "failed"] = "receiving"
    bytes: int = 0
    done: int = 0
    total: int = 0
    left_out: list[Skipped] = field(default_factory=list)
    result: ScanResult | None = None
    failure: str = ""
    stopping: bool = False
    id: str = field(default_factory=lambda: secrets.token_urlsafe(18))

    def progress(self, done: int, total: int) -> None:
        """Takes note of the numbers; ends the scan if somebody stopped it."""
        self.done, self.total = done, total
        if self.stopping:
            raise _Stopped

    def note(self, item: Skipped) -> None:
        """Takes note of a file that is not used."""
        if len(self.left_out) < LISTED:
            self.left_out.append(item)


@dataclass(eq=False)
class ScanJobs:
    """Takes files in, scans them into the database, and removes them.

    Attributes:
        store: The open database.
        jobs: Uploads that are tried; their classifier judges here too.
        weights: Weights of that classifier.
        spool: Folder in which files lie until they were looked at.
        latest: The scan that is under way, or the one before.
    """

    store: Store
    jobs: UploadJobs
    settings: Settings
    weights: WeightsChoice
    spool: Spool
    latest: ScanJob | None = None

    def __post_init__(self) -> None:
        self._worker = ThreadPoolExecutor(1, "scan")
        self._lock = Lock()

    def begin(
        self,
        customer: str | None = None,
        *,
        one_per_name: bool = True,
        folder: str = "",
        previews: bool = False,
    ) -> ScanJob:
        """A new scan, to which files can be sent; of a folder of this computer, it is started.

        Raises:
            TrendscopeError: Another one is under way, or the folder is none of the desk's.
        """
        if folder and folder not in self.settings.folders:
            raise TrendscopeError("That folder is not the desk's; serve --folder names it.")
        with self._lock:
            if self.latest and self.latest.state in ("receiving", "running"):
                raise TrendscopeError("Another scan is under way; wait for its end, or stop it.")
            uploads = Uploads(self.spool.new() / "files")
            uploads.folder.mkdir()
            self.latest = job = ScanJob(customer, one_per_name, uploads, previews)
            if folder:
                self._run(job, [Path(folder)], None)
            return job

    async def receive(self, job: ScanJob, name: str, content: AsyncIterator[bytes]) -> None:
        """Keeps one file of a scan, by its path below the place it was sent from.

        Raises:
            TrendscopeError: The scan takes no more files, or this one cannot be kept.
        """
        if job.state != "receiving":
            raise TrendscopeError("That scan takes no more files; begin another one.")
        if unsafe(name) or {"", "."} & {*name.split("/")}:
            raise TrendscopeError(f"{displayed(name)[:200]}: the name cannot be kept; rename it.")
        target = job.uploads.folder / name
        part = job.uploads.folder.parent / secrets.token_hex(8)
        try:
            digest = await self._written(job, part, content)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(part, target)
        except OSError as error:
            raise TrendscopeError(f"{displayed(name)[:200]}: {_advice(error, part)}") from error
        finally:
            part.unlink(missing_ok=True)
        job.uploads.digests[str(target)] = digest

    async def _written(self, job: ScanJob, part: Path, content: AsyncIterator[bytes]) -> str:
        digest = hashlib.sha256()
        with part.open("xb") as out:
            async for chunk in content:
                job.bytes += len(chunk)
                if job.bytes > self.settings.bounds.scan_bytes:
                    raise OSError(errno.EDQUOT, "")
                out.write(chunk)
                digest.update(chunk)
        return digest.hexdigest()

    def start(self, job: ScanJob) -> None:
        """Looks at the files that came.

        Raises:
            TrendscopeError: It was started before, no file came, or nobody can tell whose some are.
        """
        with self._lock:
            if job.state != "receiving":
                raise TrendscopeError("That scan has begun already.")
            paths = sorted(job.uploads.folder.iterdir())
            loose = [path for path in paths if not path.is_dir() and not is_zip(DiskFile(path))]
            if not paths:
                raise TrendscopeError("No file has come; choose some and scan again.")
            if loose and not job.customer:
                raise TrendscopeError(
                    f"{displayed(loose[0].name)} lies in no folder: say whose photos these are."
                )
            self._run(job, paths, job.uploads)

    def stop(self) -> None:
        """Ends the scan that is under way; what was stored stays."""
        with self._lock:
            job = self.latest
            if job and job.state == "receiving":
                self._end(job, "stopped")
            elif job:
                job.stopping = True

    def close(self) -> None:
        """Ends the scan that is under way, and waits for it: it uses the database."""
        self.stop()
        self._worker.shutdown()

    def _run(self, job: ScanJob, paths: list[Path], uploads: Uploads | None) -> None:
        job.state = "running"
        self._worker.submit(self._scan, job, paths, uploads)

    def _scan(self, job: ScanJob, paths: list[Path], uploads: Uploads | None) -> None:
        try:
            job.result = scan(
                paths,
                self.store,
                weights=self.weights,
                customer=job.customer,
                one_per_name=job.one_per_name,
                zone=self.settings.zone,
                limits=self.settings.limits,
                engine=self.jobs.engine,
                uploads=uploads,
                previews=job.previews,
                progress=job.progress,
                note=job.note,
            )
        except _Stopped:
            pass
        except TrendscopeError as error:
            job.failure = str(error).replace(job.uploads.home, "")
        except Exception:
            log.exception("a scan failed")
            job.failure = "This could not be scanned; the terminal says more."
        self._end(job, "done" if job.result else "failed" if job.failure else "stopped")

    def _end(self, job: ScanJob, state: Literal["stopped", "done", "failed"]) -> None:
        shutil.rmtree(job.uploads.folder.parent, ignore_errors=True)
        job.state = state


def _advice(error: OSError, part: Path) -> str:
    if error.errno == errno.EDQUOT:
        return "more than one scan takes; scan the rest after this, in a second one."
    if error.errno == errno.ENOSPC:
        place = part.parent.parent
        return f"no room is left in {place}; free some, or start the desk with another TMPDIR."
    return f"it cannot be kept here ({error.strerror or type(error).__name__}); rename it."

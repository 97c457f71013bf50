"""Uploads judged one after the other by a classifier that is loaded once."""

from __future__ import annotations

import logging
import secrets
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from pathlib import Path
from threading import Lock
from typing import IO, Literal, TypeVar

import numpy as np

from trendscope.errors import TrendscopeError
from trendscope.feeds.dispatch import open_feed
from trendscope.photos.duplicates import drop_duplicates
from trendscope.photos.options import ScanOptions
from trendscope.photos.pipeline import Engine, Loader, classify_posts
from trendscope.photos.results import PhotoResult
from trendscope.photos.summary import Profile, summarise
from trendscope.skipped import Skipped
from trendscope.vision.predictions import WeightsChoice
from trendscope.web.settings import Settings
from trendscope.web.spool import Spool

log = logging.getLogger("trendscope.web")

Upload = tuple[str, IO[bytes]]
"""The name of a file as its sender gave it, and its content."""

T = TypeVar("T")

OWNER = "the upload"


class QueueFull(TrendscopeError):
    """More uploads wait than the desk can hold."""


@dataclass
class UploadJob:
    """Some uploaded files and their results.

    Attributes:
        done, total: Numbers of files that were looked at, and of all as far as is known.
        photos: Results of the files, in their order.
        failure: Reason of a failure in plain words; "" without one.
        id: Name that cannot be guessed.
    """

    state: Literal["waiting", "running", "done", "failed"] = "waiting"
    done: int = 0
    total: int = 0
    photos: list[PhotoResult | Skipped] = field(default_factory=list)
    failure: str = ""
    id: str = field(default_factory=lambda: secrets.token_urlsafe(18))

    def profile(self, zone: tzinfo) -> Profile:
        """What all the photos show together, as if one customer had posted them."""
        together = (replace(photo, customer=OWNER) for photo in self.photos)
        return summarise("", drop_duplicates(together), zone)


class UploadJobs:
    """Takes uploads and looks at them in the background.

    Args:
        weights: Weights of the classifier, as `trendscope.profile` takes them.
        spool: Folder in which uploads lie until they were looked at.
    """

    def __init__(self, settings: Settings, weights: WeightsChoice, spool: Spool):
        self._settings = settings
        self._spool = spool
        self._worker = ThreadPoolExecutor(1, "uploads")
        self._jobs: dict[str, UploadJob] = {}
        self._lock = Lock()
        self._load = Loader(weights)
        self._engine = Engine(self._load, settings.limits)

    def warm(self) -> None:
        """Starts the classifier and the decoder in the background, and has the first compile."""
        self._engine.start()
        self._worker.submit(self._compile)

    @property
    def engine(self) -> Engine:
        """The classifier and the decoder, started; several may use them at the same time."""
        self._engine.start()
        return self._engine

    def submit(self, files: Iterable[Upload]) -> UploadJob:
        """Takes over some files, whole or not at all.

        Raises:
            QueueFull: Too many wait.
        """
        job = UploadJob()
        with self._lock:
            waiting = [job for job in self._jobs.values() if job.state in ("waiting", "running")]
            if len(waiting) >= self._settings.bounds.waiting:
                raise QueueFull("Many uploads are waiting; try again in a few seconds.")
            self._jobs[job.id] = job
            self._drop_old()
        folder = self._spool.new()
        try:
            names = _laid_out(files, folder)
        except BaseException:
            self.forget(job.id)
            shutil.rmtree(folder, ignore_errors=True)
            raise
        job.total = len(names)
        self._worker.submit(self._look, job, folder, names)
        return job

    def get(self, job_id: str) -> UploadJob | None:
        """An upload that is still remembered."""
        return self._jobs.get(job_id)

    def forget(self, job_id: str) -> bool:
        """Drops what is known of an upload; False if there is none."""
        with self._lock:
            return self._jobs.pop(job_id, None) is not None

    def borrow(self, work: Callable[[Engine], T]) -> T:
        """The result of `work`, done with the classifier and the decoder."""
        return self._worker.submit(work, self.engine).result()

    def close(self) -> None:
        """Ends at once; what waits is given up."""
        self._worker.shutdown(wait=False, cancel_futures=True)
        self._engine.close()

    def _compile(self) -> None:
        view = self._engine.preparation.prepare(np.zeros((28, 28, 3), np.uint8))
        self._engine.classifier.predict([view])

    def _look(self, job: UploadJob, folder: Path, names: dict[str, str]) -> None:
        job.state = "running"
        settings = self._settings
        try:
            feed = list(
                open_feed([folder], customer=OWNER, zone=settings.zone, limits=settings.limits)
            )
            job.total = len(feed)
            options = ScanOptions(zone=settings.zone, pictures=True)
            results = classify_posts(feed, self._load, options, engine=self._engine)
            for done, result in enumerate(results, start=1):
                if isinstance(result, PhotoResult) and done > settings.bounds.pictures:
                    result = replace(result, thumbnail=None)
                job.photos.append(_renamed(result, names))
                job.done = done
        except TrendscopeError as error:
            job.failure = _named(str(error), names)
        except Exception:
            log.exception("an upload could not be looked at")
            job.failure = "This could not be looked at."
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        job.state = "failed" if job.failure else "done"

    def _drop_old(self) -> None:
        finished = [job.id for job in self._jobs.values() if job.state in ("done", "failed")]
        for job_id in finished[: max(0, len(finished) - self._settings.bounds.kept)]:
            del self._jobs[job_id]


def _laid_out(files: Iterable[Upload], folder: Path) -> dict[str, str]:
    """Writes files under names of our own; returns the senders' names by where they lie."""
    names = {}
    for number, (name, content) in enumerate(files, start=1):
        path = folder / f"{number:04}"
        with path.open("xb") as out:
            shutil.copyfileobj(content, out, 1 << 20)
        names[str(path)] = _last_part(name)
    return names


def _last_part(name: str) -> str:
    """The last part of a sender's name of a file, for people; never a path."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2].replace("\0", "")
    return last[-200:] or "without a name"


def _renamed(result: PhotoResult | Skipped, names: dict[str, str]) -> PhotoResult | Skipped:
    source = _named(result.source, names)
    if isinstance(result, Skipped):
        return Skipped(None, source, result.reason, _named(result.detail, names))
    return replace(result, source=source)


def _named(text: str, names: dict[str, str]) -> str:
    """A place or a message with the sender's name of a file instead of ours."""
    for path, name in names.items():
        text = text.replace(path, name)
    return text

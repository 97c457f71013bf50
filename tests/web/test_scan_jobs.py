"""Scans of a desk without a server: stopped, failed, and begun again."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path
from threading import Event

import pytest

from tests.factories.classifier import FakeClassifier, Other
from tests.factories.desk import wait_until
from tests.factories.photos import painted
from trendscope import store
from trendscope.errors import TrendscopeError
from trendscope.ingest.photos import scan
from trendscope.web.scan_jobs import ScanJobs, _advice
from trendscope.web.settings import Settings
from trendscope.web.spool import Spool
from trendscope.web.upload_jobs import UploadJobs


class Waiting(FakeClassifier):
    """Judges once it may."""

    def __init__(self):
        super().__init__()
        self.asked, self.may = Event(), Event()

    def predict(self, views):
        self.asked.set()
        assert self.may.wait(60)
        return super().predict(views)


@pytest.fixture
def scans(tmp_path):
    """Scans of a desk without a server, and the classifier that they wait for."""
    classifier, spool = Waiting(), Spool(tmp_path)
    settings = Settings()
    jobs = UploadJobs(settings, classifier, spool)
    with store.open_store(tmp_path / "t.db", create=True) as opened:
        made = ScanJobs(opened, jobs, settings, classifier, spool)
        yield made, classifier
        classifier.may.set()
        made.close()
        jobs.close()
        spool.close()


def receive(made, job, count):
    async def content(number):
        yield painted("Dress", (100 + number, 160))

    for number in range(count):
        asyncio.run(made.receive(job, f"anna/{number:02}.png", content(number)))


def test_a_running_scan_is_stopped_after_what_it_looks_at(scans, tmp_path):
    made, classifier = scans
    job = made.begin()
    receive(made, job, 40)
    made.start(job)
    assert classifier.asked.wait(60)
    made.stop()
    with pytest.raises(TrendscopeError, match="Another scan is under way"):
        made.begin()
    assert job.state == "running" and job.stopping
    classifier.may.set()
    wait_until(lambda: job.state != "running")
    assert (job.state, job.result, job.failure) == ("stopped", None, "")
    assert (job.done, job.total) == (32, 40)
    assert store.status(tmp_path / "t.db").photos == 32  # those that were looked at together
    assert not job.uploads.folder.exists()
    again = made.begin()
    receive(made, again, 40)
    made.start(again)
    wait_until(lambda: again.state == "done")
    assert (again.result.tally.judged, again.result.tally.unchanged) == (8, 32)


def test_a_scan_that_fails_says_why_and_leaves_no_files(scans, tmp_path):
    made, _ = scans
    job = made.begin()
    receive(made, job, 1)
    scan([job.uploads.folder], tmp_path / "t.db", weights=Other())
    made.start(job)
    wait_until(lambda: job.state != "running")
    assert job.state == "failed" and "other" in job.failure and "fake" in job.failure
    assert not job.uploads.folder.exists()


def test_a_full_disk_is_told_with_the_next_step():
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    advice = _advice(error, Path("/spool/job/part"))
    assert advice.startswith("no room is left in /spool;") and "TMPDIR" in advice

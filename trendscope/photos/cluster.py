"""Photos looked at by workers of Ray, on this computer or on many, in the order of the feed.

Workers are sent posts, which say where images lie, and send back results: no pixels travel. Each
worker holds the classifier and a decoding process of its own. A bounded number of batches is under
way; Ray restarts a worker that dies and repeats its batches. Only the caller writes to a database.
"""

from __future__ import annotations

import hashlib
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trendscope.errors import ImageError, TrendscopeError, UsageError
from trendscope.feeds.post import Post
from trendscope.files.trees import is_url
from trendscope.photos.options import DEFAULTS, ScanOptions
from trendscope.photos.pipeline import BATCH, Done, Engine, Item, K, Loader, Recall, classify_posts
from trendscope.text import displayed
from trendscope.vision.predictions import WeightsChoice
from trendscope.vision.weights import SHIPPED, identify, resolve

if TYPE_CHECKING:
    from ray import ObjectRef

AT_ONCE = 2
"""Batches that a worker works on at a time, so that it decodes one while another is judged."""
QUEUED = 3
"""Batches sent to a worker at most before it has answered."""
FINISHED = 2
"""Batches per worker that may be done and wait for their place in the order."""
PASSING = 10 * BATCH
"""Items that need no worker in one batch, at most."""
TRIES = 5
"""How often a batch may lose its worker before the run ends."""
PATIENCE = 300.0
"""Seconds until the first worker must have started; a busy machine takes one minute."""


@dataclass(frozen=True)
class Cluster:
    """Where Ray runs, and how much of it is used.

    Attributes:
        address: Address of a running cluster, such as ``10.0.0.5:6379``; if None that of
            RAY_ADDRESS, else a cluster is started on this computer for the time of the scan.
        workers: Number of workers, each of which keeps one CPU busy; one per CPU if None.
        gpus: Share of a GPU that each worker gets; its jax must be one for GPUs.
    """

    address: str | None = None
    workers: int | None = None
    gpus: float = 0.0


@dataclass(frozen=True)
class Job:
    """Settings and paths that every worker needs.

    Attributes:
        options: Settings of the scan; a classifier in place of weights is pickled.
        places: Paths on disk, of feeds and weights, that a worker must see.
    """

    options: ScanOptions = DEFAULTS
    places: tuple[str, ...] = ()


def job_of(paths: Sequence[Path | str], options: ScanOptions) -> Job:
    """The job of some feeds: with the paths that workers must see."""
    places = [str(path) for path in paths if not is_url(path)]
    file = resolve(options.weights)
    if isinstance(file, Path) and file.parent != SHIPPED:
        options = replace(options, weights=file.absolute())
        places.append(str(options.weights))
    return Job(options, tuple(places))


class Worker:
    """The part of `distribute` that runs in a process of Ray's."""

    def __init__(self, job: Job, gpus: float):
        if gpus:
            # Workers share a GPU; by itself jax takes three quarters of one.
            os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
        self._job = job
        self._load = Loader(job.options.weights)
        self._engine = Engine(self._load, job.options.limits, threads=1)

    def check(self, release: str, weights: str | None) -> None:
        """Refuses to work where results could differ from the caller's own.

        Raises:
            TrendscopeError: Another version, other weights, or the photos are not to be seen.
        """
        where = f"Ray's worker on {os.uname().nodename}"
        if (ours := version("trendscope")) != release:
            raise TrendscopeError(f"{where} has trendscope {ours}, not {release}; install the same")
        if weights and digest_of(self._job.options.weights) != weights:
            raise TrendscopeError(f"{where} has other weights of that name; install the same")
        for place in self._job.places:
            if not os.path.lexists(place):
                raise TrendscopeError(
                    f"{where} does not see {displayed(place)}; put the photos where all workers "
                    "see them: a shared folder of the same path, or s3://bucket/..."
                )
        self._engine.start()

    def digests(self, posts: list[Post]) -> list[str | None]:
        """The sha256 of each image in hex; None where it cannot be read."""
        return [_digest(post) for post in posts]

    def classify(self, posts: list[Post]) -> list[Done]:
        """One result per post, in their order."""
        return list(classify_posts(posts, self._load, self._job.options, engine=self._engine))


def digest_of(weights: WeightsChoice) -> str | None:
    """The digest of the weights file; None for a classifier, which travels itself."""
    file = resolve(weights)
    return identify(file).digest if isinstance(file, Path) else None


def _digest(post: Post) -> str | None:
    try:
        return hashlib.sha256(post.read()).hexdigest()
    except ImageError:
        return None


def distribute(
    feed: Iterable[tuple[K, Item]], job: Job, cluster: Cluster, recall: Recall | None = None
) -> Generator[tuple[K, Done], None, None]:
    """Judges a feed's photos in its order, as `classify_keyed` does, with Ray.

    Ray is started with the first photo that must be judged.

    Args:
        feed: Pairs of a key, which comes back unchanged beside the result, and a post; everything
            else is passed on in its place.
        recall: Lookup of stored results by the photos' bytes; where given, workers first read and
            digest.

    Raises:
        UsageError: There are fewer CPUs than workers.
        TrendscopeError: Ray is missing or cannot be reached; a worker cannot do its work.
    """
    with closing(_Crew(job, cluster, recall)) as crew:
        queue: deque[_Batch] = deque()
        for batch in _batches(feed):
            queue.append(batch)
            crew.begin(batch)
            yield from _finished(queue)
            # Two bounds: on work sent to the workers, and on results held back by an older batch
            # that is not done; without the second, one slow batch would fill the memory.
            while crew.busy or len(queue) > crew.max_unfinished:
                crew.step()
                yield from _finished(queue)
        while queue:
            crew.step()
            yield from _finished(queue)


@dataclass
class _Batch:
    """Some items of a feed in order, with their keys; `pending` are the places of posts."""

    keys: list[Any] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)

    @property
    def posts(self) -> list[Post]:
        return [self.items[place] for place in self.pending]

    def take(self, results: Sequence[Done | None]) -> None:
        """Puts one result per post into its place; posts whose result is None stay pending."""
        pairs = list(zip(self.pending, results, strict=True))
        for place, result in pairs:
            if result is not None:
                self.items[place] = result
        self.pending = [place for place, result in pairs if result is None]


def _batches(feed: Iterable[tuple[Any, Item]]) -> Iterator[_Batch]:
    batch = _Batch()
    for key, item in feed:
        if not isinstance(item, Done):
            batch.pending.append(len(batch.items))
        batch.keys.append(key)
        batch.items.append(item)
        if len(batch.pending) == BATCH or len(batch.items) == PASSING:
            yield batch
            batch = _Batch()
    if batch.items:
        yield batch


def _finished(queue: deque[_Batch]) -> Iterator[tuple[Any, Done]]:
    while queue and not queue[0].pending:
        batch = queue.popleft()
        yield from zip(batch.keys, batch.items, strict=True)


class _Crew:
    """The workers, and the batches that each of them works on."""

    def __init__(self, job: Job, cluster: Cluster, recall: Recall | None):
        self._job = job
        self._cluster = cluster
        self._recall = recall
        self._ray: Any = None
        self._own = False
        self._workers: list[Any] = []
        self._starting: dict[ObjectRef[Any], int] = {}
        self._ready: list[int] = []
        self._under_way: dict[ObjectRef[Any], tuple[_Batch, int, Callable[..., None]]] = {}

    @property
    def busy(self) -> bool:
        """True if every worker has as many batches as it may have."""
        return len(self._under_way) >= max(1, QUEUED * len(self._ready))

    @property
    def max_unfinished(self) -> int:
        """Batches that may be begun and not passed on."""
        return (QUEUED + FINISHED) * len(self._ready)

    def begin(self, batch: _Batch) -> None:
        """Has a batch judged; where `recall` may know its photos, only digested at first."""
        if not batch.pending:
            return
        if not self._workers:
            self._start_workers()
        self._await_workers(0)
        self._give(batch, "digests" if self._recall else "classify")

    def step(self) -> None:
        """Waits until a worker answers; takes its results, or has unknown photos judged."""
        done, _ = self._ray.wait(list(self._under_way), num_returns=1)
        for ref in done:
            batch, _, take = self._under_way.pop(ref)
            take(batch, self._answer(ref))

    def close(self) -> None:
        """Ends all workers at once, and Ray if it was started for them."""
        for worker in self._workers:
            self._ray.kill(worker)
        if self._own:
            self._ray.shutdown()

    def _start_workers(self) -> None:
        self._ray = _ray()
        if not self._ray.is_initialized():
            _start(self._ray, self._cluster)
            self._own = True
        count, gpus = _count(self._ray, self._cluster), self._cluster.gpus
        worker = self._ray.remote(Worker).options(
            num_cpus=1,
            num_gpus=gpus,
            max_concurrency=AT_ONCE,
            max_restarts=-1,
            max_task_retries=TRIES,
        )
        self._workers = [worker.remote(self._job, gpus) for _ in range(count)]
        expected = version("trendscope"), digest_of(self._job.options.weights)
        self._starting = {w.check.remote(*expected): i for i, w in enumerate(self._workers)}
        self._await_workers(PATIENCE)
        if not self._ready:
            raise TrendscopeError(
                f"no worker of Ray's has started within {PATIENCE:.0f} s; see what keeps the "
                "cluster busy (ray status), or give fewer --workers"
            )

    def _give(self, batch: _Batch, task: str) -> None:
        # The worker with the fewest batches: all keep busy to the end, also those that started
        # late or had to start again.
        load = Counter(worker for _, worker, _ in self._under_way.values())
        worker = min(self._ready, key=lambda each: load[each])
        ref = getattr(self._workers[worker], task).remote(batch.posts)
        take = self._recognise if task == "digests" else _Batch.take
        self._under_way[ref] = batch, worker, take

    def _recognise(self, batch: _Batch, digests: list[str | None]) -> None:
        assert self._recall
        pairs = zip(batch.posts, digests, strict=True)
        batch.take([self._recall(post, digest) if digest else None for post, digest in pairs])
        if batch.pending:
            self._give(batch, "classify")

    def _await_workers(self, seconds: float) -> None:
        """Gives work to those that have started; waits at most `seconds` for the next one."""
        if self._starting:
            started, _ = self._ray.wait(list(self._starting), num_returns=1, timeout=seconds)
            for ref in started:
                self._answer(ref)
                self._ready.append(self._starting.pop(ref))

    def _answer(self, ref: ObjectRef[Any]) -> Any:
        errors = self._ray.exceptions
        try:
            return self._ray.get(ref)
        except errors.RayTaskError as error:
            if isinstance(error.cause, TrendscopeError):
                raise error.cause from None
            raise
        except errors.RayError as error:
            raise TrendscopeError(
                f"Ray has lost a worker {TRIES + 1} times over the same photos "
                f"({type(error).__name__}); what was looked at is kept: run it again, with fewer "
                "--workers if memory is short"
            ) from error


def _ray() -> Any:
    # Otherwise Ray reports its use to its makers, and warns of a change.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ModuleNotFoundError as error:
        raise UsageError(
            "--engine ray needs the extra ray: pip install 'trendscope[ray]'"
        ) from error
    return ray


def _start(ray: Any, cluster: Cluster) -> None:
    """Connects to the cluster, or starts one here; Ctrl-C and SIGTERM stay ours."""
    address = cluster.address or os.environ.get("RAY_ADDRESS") or "local"
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == "local":
        options |= {"num_cpus": cluster.workers, "include_dashboard": False}
    with _same_signals():
        try:
            ray.init(address, **options)
        except Exception as error:  # a start that takes too long raises just that
            ray.shutdown()
            advice = "check --ray-address, or start it there: ray start --head"
            if address == "local":
                advice = "the computer may be too busy: run it again later, or without --engine ray"
            reason = displayed(" ".join(str(error).split()))[:120]
            raise TrendscopeError(
                f"Ray cannot be used at {address} ({reason}); {advice}"
            ) from error


@contextmanager
def _same_signals() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _count(ray: Any, cluster: Cluster) -> int:
    cpus, workers = int(ray.cluster_resources().get("CPU", 0)), cluster.workers or 1
    if workers > cpus:
        raise UsageError(f"--workers {workers}: Ray has {cpus} CPUs in all, and a worker needs one")
    return cluster.workers or cpus

"""Decoders that crash, hang, eat memory or chatter: each costs its photo, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.factories.pictures import GOOD, POISON, RED, bomb, picture
from trendscope.errors import ImageError, TrendscopeError
from trendscope.limits import Limits
from trendscope.vision.images import decode
from trendscope.vision.sandbox import Decoder


@pytest.fixture
def decoder():
    decoder = Decoder(Limits(decode_seconds=1), program=POISON)
    yield decoder
    decoder.close()


def reason(decoder, data):
    with pytest.raises(ImageError) as caught:
        decoder.decode(data, max_side=64)
    return caught.value.reason, str(caught.value)


def test_the_sandbox_decodes_to_the_same_photo_as_this_process(decoder):
    for data in (GOOD, picture(RED, (800, 600), "PNG"), picture(RED, kind="AVIF")):
        ours, theirs = decoder.decode(data, max_side=100), decode(data, max_side=100)
        assert (ours.rgb == theirs.rgb).all() and ours.rgb.dtype == np.uint8
        assert (ours.preview == theirs.preview).all() and ours.preview.any()
        assert (ours.size, ours.format) == (theirs.size, theirs.format)


def test_the_sandbox_reads_the_cameras_date(decoder):
    exif = Image.Exif()
    exif[0x0132] = "2026:06:01 12:00:00"
    data = picture(RED, exif=exif)
    assert decoder.decode(data, max_side=64).taken_at == decode(data).taken_at is not None


def test_the_sandbox_refuses_files_for_the_same_reasons_as_this_process(decoder):
    assert reason(decoder, b"")[0] == "empty"
    assert reason(decoder, b"text")[0] == "not_an_image"
    assert reason(decoder, GOOD[:300])[0] == "truncated"
    found, text = reason(decoder, bomb(50_000))
    assert found == "too_large" and "the limit is 120,000,000; save it smaller" in text
    assert "--limit pixels=" in text


@pytest.mark.parametrize(
    ("poison", "expected", "text"),
    [
        (b"<crash>", "decoder_crash", "the JPEG decoder crashed on this file (signal 11)"),
        (b"<exit>", "decoder_crash", "the JPEG decoder crashed on this file (exit code 3)"),
        (b"<sleep>", "timeout", "decoding this JPEG took longer than 1 s"),
        (b"<loop>", "timeout", "--limit decode_seconds="),
        (b"<hungry>", "too_large", "--limit decoder_memory="),
    ],
)
def test_a_failing_decoder_costs_one_photo(decoder, poison, expected, text):
    for _ in range(2):
        found = reason(decoder, GOOD + poison)
        assert found[0] == expected and text in found[1]
        assert decoder.decode(GOOD, max_side=64).size == (40, 50)


def test_decoder_memory_is_limited_by_the_operating_system():
    decoder = Decoder(Limits(decoder_memory=200_000_000))
    try:
        assert reason(decoder, picture(RED, (10_000, 10_000), "PNG"))[0] == "too_large"
        assert decoder.decode(GOOD, max_side=64).size == (40, 50)
    finally:
        decoder.close()


def test_output_of_libraries_does_not_reach_the_answers(decoder, capfd):
    assert decoder.decode(GOOD + b"<chatter>", max_side=64).size == (40, 50)
    assert capfd.readouterr() == ("", "")


def test_a_worker_cannot_write_files(decoder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert reason(decoder, GOOD + b"<write>")[0] == "decoder_error"
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == 0


def test_crashes_cost_only_their_own_photos_with_two_threads(decoder):
    def size(number):
        data = GOOD + (b"<crash>" if number % 40 == 13 else b"")
        try:
            return decoder.decode(data, max_side=64).size
        except ImageError as error:
            return error.reason

    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(size, range(100)))
    assert [n for n, size in enumerate(found) if size != (40, 50)] == [13, 53, 93]
    assert {found[n] for n in (13, 53, 93)} == {"decoder_crash"}


def test_a_second_worker_starts_only_for_many_photos(decoder):
    with ThreadPoolExecutor(2) as threads:
        larger = picture(RED, (2000, 2000))
        list(threads.map(lambda _: decoder.decode(larger, max_side=64), range(20)))
        assert len(decoder._running) == 1
        list(threads.map(lambda _: decoder.decode(larger, max_side=64), range(60)))
        assert len(decoder._running) == 2


def wait_until(condition):
    """Polls until the condition holds; the test's own time limit ends what never does."""
    while not condition():
        time.sleep(0.01)


def looping(started: Path) -> bytes:
    """A photo whose decoder never ends, and makes a file once it has begun."""
    return GOOD + b"<touch %b><loop>" % os.fsencode(started)


def test_closing_kills_a_busy_worker_and_starts_no_other(tmp_path):
    decoder = Decoder(Limits(decode_seconds=1000), program=POISON)
    with ThreadPoolExecutor(1) as threads:
        hanging = threads.submit(decoder.decode, looping(tmp_path / "started"), max_side=64)
        wait_until((tmp_path / "started").exists)
        decoder.close()
        assert isinstance(hanging.exception(), ImageError)
    assert reason(decoder, GOOD) == ("unreadable", "the run was stopped")


def test_closing_fails_all_photos_that_wait_for_a_worker(tmp_path):
    decoder = Decoder(Limits(decode_seconds=1000), workers=1, program=POISON)
    data = looping(tmp_path / "started")
    with ThreadPoolExecutor(3) as threads:
        photos = [threads.submit(decoder.decode, data, max_side=64) for _ in range(9)]
        wait_until(lambda: decoder._callers == 3 and (tmp_path / "started").exists())
        decoder.close()
        assert all(isinstance(photo.exception(), ImageError) for photo in photos)


def test_a_worker_that_cannot_start_is_an_error_of_the_run():
    decoder = Decoder(program="raise SystemExit(1)")
    with pytest.raises(TrendscopeError, match=r"photos cannot be decoded: .*reinstall trendscope"):
        decoder.decode(GOOD, max_side=64)


def test_workers_import_nothing_from_the_current_folder_or_pythonpath(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    decoder = Decoder()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert decoder.decode(GOOD, max_side=64).size == (40, 50)
    decoder.close()


def test_workers_do_not_inherit_variables_that_lift_decoder_limits(monkeypatch):
    monkeypatch.setenv("LIBHEIF_SECURITY_LIMITS", "OFF")
    tell = "import os; os._exit(7 if 'LIBHEIF_SECURITY_LIMITS' in os.environ else 5)"
    decoder = Decoder(program=tell)
    with pytest.raises(TrendscopeError):
        decoder.decode(GOOD, max_side=64)
    assert [worker._process.returncode for worker in decoder._running] == [5]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc")
@pytest.mark.parametrize("busy", [False, True])
def test_no_worker_outlives_a_killed_run(tmp_path, busy):
    started = tmp_path / "started"
    code = (
        "from tests.vision.test_sandbox import *\n"
        "decoder = Decoder(Limits(decode_seconds=2), program=POISON); decoder.start()\n"
        "print(decoder._running[0]._process.pid, flush=True)\n"
        "decoder.decode(GOOD, max_side=64)\n"
        f"if {busy}: decoder.decode({looping(started)!r}, max_side=64)\n"
        "print('done', flush=True); sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    worker = int(process.stdout.readline())
    if busy:
        wait_until(started.exists)
    else:
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(lambda: not alive(worker))
    process.stdin.close()
    process.stdout.close()


def test_a_worker_loads_neither_numpy_nor_jax():
    modules = "trendscope.vision.sandbox_worker, trendscope.vision.pillow"
    code = f"import sys, {modules}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert not {b"numpy", b"jax", b"trendscope.feeds"} & set(done.stdout.split())

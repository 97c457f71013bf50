"""Decoders that crash, hang, eat memory or chatter: each costs its photo, and nothing else."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
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
        decoder.decode(data, edge=64)
    return caught.value.reason, str(caught.value)


def test_a_photo_is_the_same_as_decoded_here(decoder):
    for data in (GOOD, picture(RED, (800, 600), "PNG"), picture(RED, kind="AVIF")):
        ours, theirs = decoder.decode(data, edge=100), decode(data, edge=100)
        assert (ours.rgb == theirs.rgb).all() and ours.rgb.dtype == np.uint8
        assert (ours.small == theirs.small).all() and ours.small.any()
        assert (ours.size, ours.format) == (theirs.size, theirs.format)


def test_the_cameras_date_comes_through(decoder):
    exif = Image.Exif()
    exif[0x0132] = "2026:06:01 12:00:00"
    data = picture(RED, exif=exif)
    assert decoder.decode(data, edge=64).taken_at == decode(data).taken_at is not None


def test_refusals_are_the_same_as_here(decoder):
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
        assert decoder.decode(GOOD, edge=64).size == (40, 50)


def test_memory_is_held_back_by_the_system():
    decoder = Decoder(Limits(decoder_memory=200_000_000))
    try:
        assert reason(decoder, picture(RED, (10_000, 10_000), "PNG"))[0] == "too_large"
        assert decoder.decode(GOOD, edge=64).size == (40, 50)
    finally:
        decoder.close()


def test_what_a_library_prints_is_no_answer(decoder, capfd):
    assert decoder.decode(GOOD + b"<chatter>", edge=64).size == (40, 50)
    assert capfd.readouterr() == ("", "")


def test_a_worker_cannot_write_files(decoder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert reason(decoder, GOOD + b"<write>")[0] == "decoder_error"
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == 0


def test_one_poison_among_a_hundred_by_two_threads(decoder):
    def size(number):
        data = GOOD + (b"<crash>" if number % 40 == 13 else b"")
        try:
            return decoder.decode(data, edge=64).size
        except ImageError as error:
            return error.reason

    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(size, range(100)))
    assert [n for n, size in enumerate(found) if size != (40, 50)] == [13, 53, 93]
    assert {found[n] for n in (13, 53, 93)} == {"decoder_crash"}


def test_one_worker_is_enough_for_a_few_photos_and_two_for_many(decoder):
    with ThreadPoolExecutor(2) as threads:
        larger = picture(RED, (2000, 2000))
        list(threads.map(lambda _: decoder.decode(larger, edge=64), range(20)))
        assert len(decoder._running) == 1
        list(threads.map(lambda _: decoder.decode(larger, edge=64), range(60)))
        assert len(decoder._running) == 2


def test_closing_ends_a_worker_in_the_midst_and_starts_no_other():
    decoder = Decoder(Limits(decode_seconds=60), program=POISON)
    decoder.start()
    with ThreadPoolExecutor(1) as threads:
        hanging = threads.submit(decoder.decode, GOOD + b"<loop>", edge=64)
        time.sleep(0.5)
        start = time.perf_counter()
        decoder.close()
        assert isinstance(hanging.exception(5), ImageError)
        assert time.perf_counter() - start < 2
    assert reason(decoder, GOOD) == ("unreadable", "the run was stopped")


def test_closing_leaves_nobody_waiting_for_a_worker():
    decoder = Decoder(Limits(decode_seconds=60), workers=1, program=POISON)
    threads = ThreadPoolExecutor(3)
    asked = [threads.submit(decoder.decode, GOOD + b"<loop>", edge=64) for _ in range(9)]
    time.sleep(1)
    decoder.close()
    done, waiting = wait(asked, timeout=5)
    assert not waiting
    assert all(isinstance(each.exception(), ImageError) for each in done)


def test_a_worker_that_cannot_start_is_no_photos_fault():
    decoder = Decoder(program="raise SystemExit(1)")
    with pytest.raises(TrendscopeError, match=r"photos cannot be decoded: .*reinstall trendscope"):
        decoder.decode(GOOD, edge=64)


def test_a_module_lying_about_does_not_get_into_a_worker(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    decoder = Decoder()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert decoder.decode(GOOD, edge=64).size == (40, 50)
    decoder.close()


def test_what_lifts_a_decoders_own_limits_does_not_reach_it(monkeypatch):
    monkeypatch.setenv("LIBHEIF_SECURITY_LIMITS", "OFF")
    tell = "import os; os._exit(7 if 'LIBHEIF_SECURITY_LIMITS' in os.environ else 5)"
    decoder = Decoder(program=tell)
    with pytest.raises(TrendscopeError):
        decoder.decode(GOOD, edge=64)
    assert [worker._process.returncode for worker in decoder._running] == [5]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc")
@pytest.mark.parametrize("poison", [b"", b"<loop>"])
def test_a_killed_run_leaves_no_worker(poison):
    code = (
        "import sys; from tests.vision.test_sandbox import *\n"
        "decoder = Decoder(Limits(decode_seconds=2), program=POISON); decoder.start()\n"
        "print(decoder._running[0]._process.pid, flush=True)\n"
        f"decoder.decode(GOOD, edge=64); decoder.decode(GOOD + {poison!r}, edge=64)\n"
        "print('done', flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    worker = int(process.stdout.readline())
    if not poison:
        process.stdout.readline()
    else:
        time.sleep(1)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    end = time.perf_counter() + 8
    while alive(worker) and time.perf_counter() < end:
        time.sleep(0.05)
    assert not alive(worker)


def test_a_worker_loads_neither_numpy_nor_jax():
    modules = "trendscope.vision.sandbox_worker, trendscope.vision.pillow"
    code = f"import sys, {modules}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert not {b"numpy", b"jax", b"trendscope.feeds"} & set(done.stdout.split())

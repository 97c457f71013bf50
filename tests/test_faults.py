"""Full and closed disks, signals, missing networks and homes, and files that must stay shut.

Those that need a mount, another user or a network namespace run as root on Linux only.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import pytest
from PIL import Image
from PIL.GifImagePlugin import GifImageFile
from typer.testing import CliRunner

from tests.factories.exports import make
from tests.factories.photos import painted
from tests.factories.pictures import GOOD, POISON, RED, encode, let_everybody_in, picture
from trendscope.cli import app
from trendscope.errors import ImageError
from trendscope.files.trees import read_file
from trendscope.files.writing import write_atomic
from trendscope.photos import run
from trendscope.vision.images import decode
from trendscope.vision.sandbox import SERVE, Decoder

HOME = Path(__file__).parents[1]
FAKE = [sys.executable, "-m", "tests.factories.classifier"]


def done(command, **options):
    return subprocess.run(
        [str(word) for word in command], capture_output=True, cwd=HOME, timeout=60, **options
    )


def can(*command) -> bool:
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


needs_mounts = pytest.mark.skipif(
    not can("unshare", "-m", "sh", "-c", "mount -t tmpfs none /mnt"), reason="cannot mount"
)


# --- disks ---------------------------------------------------------------------------------------


@needs_mounts
@pytest.mark.parametrize("output", ["--html", "-o"])
def test_a_full_disk_costs_the_report_and_not_the_old_one(photos, tmp_path, output):
    place = tmp_path / "place"
    place.mkdir()
    script = (
        'mount -t tmpfs -o size=8k none "$1" && echo "old: 1 photo" > "$1/r" && shift && "$@"; '
        f'echo "exit $?"; cat {place}/r; ls -A {place}'
    )
    command = [*FAKE, "profile", photos, output, place / "r", "--json", "-q"]
    for number in range(40):
        (photos / f"customer-{number}").mkdir()
        (photos / f"customer-{number}" / "bag.png").write_bytes(painted("Bag"))
    result = done(["unshare", "-m", "sh", "-c", script, "sh", place, *command])
    assert result.stdout.decode().splitlines()[-3:] == ["exit 1", "old: 1 photo", "r"]
    error = result.stderr.decode()
    assert f"could not write {place}/r (" in error and "No space left on device" in error
    assert "free some space" in error and error.count("\n") == 1


@needs_mounts
def test_a_read_only_disk_is_refused_before_any_work(tmp_path):
    script = 'mount -t tmpfs -o ro none "$1" && shift && "$@"'
    command = [*FAKE, "profile", "/no/such/feed", "-o", tmp_path / "r.json"]
    result = done(["unshare", "-m", "sh", "-c", script, "sh", tmp_path, *command])
    assert result.returncode == 2
    assert b"is not writable; choose another folder" in result.stderr


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs another user")
def test_a_closed_folder_is_refused_before_any_work(tmp_path):
    let_everybody_in(tmp_path)
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from trendscope.files.writing import check_writable\n"
        "os.setuid(65534)\n"
        "try: check_writable(Path(sys.argv[1]))\n"
        "except Exception as error: print(error)\n"
    )
    result = done([sys.executable, "-c", code, tmp_path / "r.json"])
    assert b"is not writable; choose another folder" in result.stdout


def test_a_report_is_replaced_as_a_whole(tmp_path):
    path, texts = tmp_path / "r.html", ("a" * 3_000_000, "b" * 2_000_000)
    write_atomic(path, texts[0])

    def write():
        for number in range(30):
            write_atomic(path, texts[number % 2])

    writer = threading.Thread(target=write)
    writer.start()
    texts_read = set()
    while writer.is_alive():
        texts_read.add(path.read_text())
    assert texts_read <= set(texts)


# --- signals -------------------------------------------------------------------------------------


def group_members(group: int) -> list[str]:
    """The living processes of a process group."""
    results = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().rpartition(")")
        except OSError:
            continue
        state, _, process_group = rest.split()[:3]
        if int(process_group) == group and state != "Z":
            results.append(name)
    return results


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc")
@pytest.mark.parametrize("send", [os.killpg, os.kill])
@pytest.mark.parametrize("requested", [[signal.SIGINT], [signal.SIGINT] * 2, [signal.SIGTERM]])
def test_a_stopped_run_leaves_no_process_behind(tmp_path, send, requested):
    data = painted("Bag", (2500, 2500))
    for number in range(300):
        (tmp_path / f"{number}.png").write_bytes(data + number.to_bytes(2, "big"))
    command = [*FAKE, "profile", str(tmp_path)]
    process = subprocess.Popen(
        command, cwd=HOME, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    while len(group_members(process.pid)) < 2 and process.poll() is None:  # itself and a worker
        time.sleep(0.1)
    for number in requested:
        send(process.pid, number)
    output, error = process.communicate(timeout=60)
    assert output == b""  # no report: it was stopped in the midst
    assert process.returncode in (130, -signal.SIGINT) and b"Traceback" not in error
    if len(requested) == 1:
        assert error == b"trendscope: stopped; nothing was written\n"
    latest = time.monotonic() + 30  # a killed worker takes a moment to be gone
    while group_members(process.pid) and time.monotonic() < latest:
        time.sleep(0.1)
    assert group_members(process.pid) == []


def test_a_second_ctrl_c_ends_the_program_at_once():
    code = (
        "import os, signal, time\n"
        "from trendscope import cli\n"
        "cli.PATIENCE = 0.1\n"
        "def app(**_):\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "    finally:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)  # too soon to count\n"
        "        print('cleared up', flush=True)\n"
        "        time.sleep(0.2)\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        print('never reached', flush=True)\n"
        "cli.app = app\n"
        "cli.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=HOME, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "cleared up\n", "")


def test_one_poison_among_a_hundred_photos_costs_itself(tmp_path, monkeypatch):
    from functools import partial

    from tests.factories.classifier import FakeClassifier
    from trendscope.photos import pipeline

    monkeypatch.setattr(pipeline, "Decoder", partial(Decoder, program=POISON))
    for number in range(100):
        poison = b"<crash>" if number == 50 else b""
        (tmp_path / f"{number:03}.jpg").write_bytes(GOOD + poison + number.to_bytes(2, "big"))
    result = run.classify([tmp_path], weights=FakeClassifier())
    assert len(result.readings) == 99
    assert [(item.reason, Path(item.source).name) for item in result.skipped] == [
        ("decoder_crash", "050.jpg")
    ]


# --- places --------------------------------------------------------------------------------------


@pytest.mark.skipif(not can("unshare", "-rn", "true"), reason="needs a network namespace")
def test_no_network_no_home_no_environment(photos, tmp_path):
    words = ["profile", str(photos), "--json", "-q"]
    plain = CliRunner().invoke(app, words)
    command = [sys.executable, "-m", "trendscope", *words]
    bare = done(["unshare", "-rn", "env", "-i", *command])
    nowhere = {**os.environ, "HOME": "/proc/nowhere", "TMPDIR": "/proc/nowhere"}
    assert plain.exit_code == bare.returncode == 0, bare.stderr
    assert done(command, env=nowhere).stdout == plain.stdout_bytes == bare.stdout


AUDITED = """
import os, sys
allowed = tuple(os.path.realpath(path) for path in sys.argv.pop(1).split(os.pathsep))
def watch(event, details):
    if event.startswith(("socket.", "urllib.", "ftplib.", "os.exec", "os.system", "shutil.")):
        print("WATCHED", event, details, file=sys.stderr)
    if event == "open" and isinstance(details[0], (str, bytes)):
        path = os.path.realpath(os.fsdecode(details[0]))
        if not path.startswith(allowed):
            print("WATCHED", event, path, file=sys.stderr)
    if event == "subprocess.Popen" and details[1][1:4] != ["-I", "-S", "-c"]:
        print("WATCHED", event, details[1], file=sys.stderr)
sys.addaudithook(watch)
import runpy
sys.argv[0] = "trendscope"
runpy.run_module("tests.factories.classifier", run_name="__main__")
"""


def audited(*arguments, allowed=()):
    """What the command opened that it should not, besides Python's own files."""
    own = [sys.prefix, sys.base_prefix, HOME / "trendscope", HOME / "tests", HOME / ".git"]
    own += ["/dev/null", "/usr/lib", "/usr/share/zoneinfo", "/etc/localtime", "/proc/self"]
    own += ["/proc/cpuinfo", "/sys", "/etc/mime.types", "/etc/os-release"]
    places = os.pathsep.join(str(place) for place in (*own, *allowed))
    result = done([sys.executable, "-c", AUDITED, places, *arguments])
    return [line for line in result.stderr.decode().splitlines() if "WATCHED" in line], result


@pytest.fixture
def spiteful(tmp_path):
    """A feed whose links, zips and index all point at a photo outside."""
    secret = tmp_path / "secret" / "photo.jpg"
    secret.parent.mkdir()
    secret.write_bytes(picture(RED))
    feed = tmp_path / "feed"
    (feed / "anna").mkdir(parents=True)
    (feed / "anna" / "own.jpg").write_bytes(painted("Bag"))
    (feed / "anna" / "link.jpg").symlink_to(secret)
    (feed / "folder").symlink_to(secret.parent)
    (feed / "loop").symlink_to(feed)
    make(feed / "zip.zip", {"../secret/photo.jpg": b"", str(secret): b"", "a.jpg": painted("Coat")})
    uris = ["../secret/photo.jpg", str(secret), f"file://{secret}", "http://localhost/photo.jpg"]
    index = [{"media": [{"uri": uri, "creation_timestamp": 1_700_000_000}]} for uri in uris]
    (feed / "export" / "content").mkdir(parents=True)
    (feed / "export" / "media").mkdir()
    (feed / "export" / "content" / "posts_1.json").write_text(json.dumps(index))
    (feed / "export" / "media" / "x.jpg").write_bytes(painted("Dress"))
    return feed


def test_nothing_outside_the_feed_is_opened_and_no_socket(spiteful):
    opened, result = audited("profile", spiteful, "--json", allowed=[spiteful])
    assert opened == []
    assert result.returncode == 0, result.stderr
    assert b"Bag" in result.stdout and result.stdout.count(b"unsafe_path") >= 4


def test_the_check_of_opened_files_can_fail(spiteful):
    opened, _ = audited("profile", spiteful, allowed=[])
    assert any("own.jpg" in line for line in opened)


WATCHED_WORKER = SERVE.replace(
    "serve(Limits",
    """
import os
own = tuple(path for path in sys.path if path)
def watch(event, details):
    path = details[0] if event == "open" and isinstance(details[0], str) else "/dev/null"
    forbidden = ("socket.", "subprocess.", "os.exec", "os.system")
    if not path.startswith((*own, "/dev/null")) or event.startswith(forbidden):
        os._exit(9)
sys.addaudithook(watch)
serve(Limits""",
)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF"])
def test_a_decoder_opens_no_file(kind):
    decode(picture(RED, kind="AVIF"))  # makes Pillow know HEIF here
    decoder = Decoder(program=WATCHED_WORKER)
    try:
        assert decoder.decode(picture(RED, kind=kind), max_side=64).format == kind
    finally:
        decoder.close()


# --- pictures made to hurt -----------------------------------------------------------------------


def test_of_a_hundred_thousand_frames_only_the_first_is_decoded(monkeypatch):
    def later(*_):
        raise AssertionError("a later frame was looked for")

    monkeypatch.setattr(GifImageFile, "seek", later)
    monkeypatch.setattr(GifImageFile, "n_frames", property(later))
    monkeypatch.setattr(GifImageFile, "is_animated", property(later))
    one = encode(Image.new("P", (200, 200)), "GIF")
    start = one.index(b",\0\0\0\0")
    endless = one[:start] + one[start:-1] * 100_000 + one[-1:]
    assert decode(endless).size == (200, 200)


WIDE_FRAME = (
    b"GIF87a \0 \0\0\0\0"  # 32 x 32 pixels
    b"!\xf9\x04\x09\0\0\0\0"  # to be cleared after it is shown
    b",\0\0\0\0\xff\xff\xff\xff\0\x02\0\0;"  # a frame of 65,535 x 65,535
)


def test_a_frame_larger_than_its_gif_is_refused_before_it_is_laid_out():
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        "from trendscope.vision.images import decode\n"
        f"decode({WIDE_FRAME!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=HOME)
    assert "too many pixels; the limit is 120,000,000; save it smaller, or" in done.stderr


def test_a_file_takes_no_more_memory_than_it_has_bytes(tmp_path):
    path = tmp_path / "x.jpg"
    path.write_bytes(b"x" * 1000)
    tracemalloc.start()
    assert len(read_file(path, 10**8)) == 1000
    assert tracemalloc.get_traced_memory()[1] < 10**6
    tracemalloc.stop()


def test_a_file_cut_while_it_is_read_is_refused_or_whole(tmp_path):
    path = tmp_path / "x.jpg"
    data = picture(RED, (2000, 2000), quality=95)
    stop = threading.Event()

    def change():
        while not stop.is_set():
            path.write_bytes(data)
            os.truncate(path, len(data) // 2)

    path.write_bytes(data)
    changer = threading.Thread(target=change)
    changer.start()
    try:
        for _ in range(50):
            try:
                assert decode(read_file(path, 10**8)).size == (2000, 2000)
            except ImageError as error:
                assert error.reason in ("truncated", "empty", "decoder_error")
    finally:
        stop.set()
        changer.join()

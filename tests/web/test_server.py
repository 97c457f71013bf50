"""The desk under attack: every request here goes to a running server on loopback."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.factories.classifier import FakeClassifier
from tests.factories.desk import desk, finished, scanned, wait_until
from tests.factories.photos import painted
from trendscope import store
from trendscope.cli import app
from trendscope.ingest.photos import scan
from trendscope.photos.results import Label
from trendscope.photos.run import profile
from trendscope.reports.profile import profile_json
from trendscope.store.memory import stored_photos
from trendscope.store.profile import stored_profile

QUICK = {
    "body_bytes": 3_000_000,
    "files": 10,
    "waiting": 30,
    "header_seconds": 1.5,
    "body_seconds": 1.5,
    "write_seconds": 1.5,
}
HOST = b"Host: 127.0.0.1\r\n"
FORM = b"Content-Type: multipart/form-data; boundary=x\r\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A database of two customers, and a folder for the server's temporary files."""
    root = tmp_path_factory.mktemp("desk")
    for name, kind in (
        ("anna/1", "Dress"),
        ("anna/2", "Bag"),
        ("anna/3", "black"),
        ("ben/1", "Coat"),
    ):
        path = root / "photos" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(painted(kind))
    (root / "tmp").mkdir()
    scanned(root / "photos", root / "t.db")
    return root


@pytest.fixture(scope="module")
def server(place):
    with desk(place / "t.db", temporary=place / "tmp", patience=QUICK) as running:
        yield running


@pytest.fixture(scope="module")
def client(server):
    with server.client() as connected:
        yield connected


def spooled(place):
    """Uploads that lie in the server's folder."""
    return [path for path in (place / "tmp").rglob("*") if path.is_file() and path.name != "in-use"]


def png(kind="Dress"):
    return ("files", ("a.png", painted(kind), "image/png"))


def status_of(answer):
    return int(answer.split(b" ", 2)[1]) if answer else 0


# --- bodies --------------------------------------------------------------------------------------


def test_a_body_with_too_large_a_content_length_is_refused(server):
    head = b"POST /api/try HTTP/1.1\r\n" + HOST + FORM
    # Waiting for the rest of the body would end with 408.
    answer = server.raw(head + b"Content-Length: 99999999999\r\n\r\nabc")
    assert status_of(answer) == 413
    assert b"upload it in parts" in answer


def test_a_chunked_body_is_cut_off_at_the_limit_and_takes_little_memory(server, place):
    head = b"POST /api/try HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n"
    head += b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    part = b"--x\r\nContent-Disposition: form-data; name=files; filename=a.jpg\r\n\r\n"
    chunks = b"%x\r\n%s\r\n" % (len(part), part) + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 300
    before = server.memory()
    assert status_of(server.raw(head + chunks)) in (413, 0)  # 0: it hung up on who went on sending
    assert server.memory() - before < 40_000_000
    assert spooled(place) == []


def test_a_wrong_content_length_is_refused(server, client):
    head = b"POST /api/try HTTP/1.1\r\n" + HOST + FORM
    for length in (b"-5", b"x", b"1000"):
        answer = server.raw(head + b"Content-Length: " + length + b"\r\n\r\n--x--\r\n")
        assert status_of(answer) in (400, 408)
    assert client.get("/api/status").status_code == 200


def test_too_many_files_fields_or_headers_are_refused(server, client):
    assert client.post("/api/try", files=[png()] * 11).status_code == 400
    fields = {f"f{i}": "x" for i in range(25)}
    assert client.post("/api/try", files=[png()], data=fields).status_code == 400
    many = b"".join(b"X-%d: y\r\n" % i for i in range(20_000))
    assert status_of(server.raw(b"GET / HTTP/1.1\r\n" + HOST + many + b"\r\n")) == 400
    huge = "multipart/form-data; boundary=" + "b" * 7000
    assert client.post("/api/try", content=b"x", headers={"content-type": huge}).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("POST", "/api/try", {"json": {"files": []}}, 415),
        ("POST", "/api/try", {"data": {"files": "text"}}, 415),
        ("POST", "/api/try", {"files": {"other": b"x"}}, 400),
        (
            "POST",
            "/api/try",
            {"content": b"x", "headers": {"content-type": "multipart/form-data"}},
            400,
        ),
        ("PUT", "/api/try", {"files": [png()]}, 405),
        ("GET", "/api/photos/x/label", {}, 405),
        ("PUT", "/api/photos/x/label", {"json": {"category": "Dress"}}, 422),
        ("POST", "/customers", {}, 405),
        ("GET", "/nowhere", {}, 404),
    ],
)
def test_malformed_requests_get_a_client_error(client, method, path, options, status):
    assert client.request(method, path, **options).status_code == status


def test_an_empty_file_is_listed_with_its_reason(client):
    trial = client.post("/api/try", files={"files": ("a.jpg", b"")}).json()
    job = finished(client, trial["id"])
    assert [(p["path"], p["reason"]) for p in job["photos"]] == [("a.jpg", "empty")]


# --- slow ones -----------------------------------------------------------------------------------


def test_slow_clients_are_disconnected_while_others_are_served(server, client):
    lines = []
    body = b"POST /api/try HTTP/1.1\r\n" + HOST + FORM + b"Content-Length: 5000\r\n\r\n--x\r\n"
    starts = [b"GET / HT", body]
    for i in range(50):
        line = socket.create_connection(("127.0.0.1", server.port), timeout=120)
        line.sendall(starts[i % 2])
        lines.append(line)
    assert client.get("/static/desk.css").status_code == 200
    for line in lines:
        while line.recv(4096):
            pass  # the desk hangs up, on bodies after an answer
        line.close()


def test_a_body_sent_byte_by_byte_is_cut_off(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        line.sendall(
            b"POST /api/try HTTP/1.1\r\n" + HOST + FORM + b"Content-Length: 100000\r\n\r\n"
        )
        line.sendall(b"--x\r\nContent-Disposition: form-data; name=files; filename=a.jpg\r\n\r\n")
        answer = b""
        line.settimeout(0.1)
        for _ in range(1200):  # far more bytes than the desk waits for
            try:
                line.sendall(b"x")
                if not (part := line.recv(4096)):
                    break
                answer += part
            except TimeoutError:
                continue
            except ConnectionError:
                break
        else:
            pytest.fail("the desk still waits for the body")
        assert status_of(answer) in (408, 0)


def is_open(server, line):
    """Whether the server has its end of a connection open."""
    ends = [f":{port:04X}" for port in (server.port, line.getsockname()[1])]
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()]
    open_ends = [row[1:3] for row in rows if row[3] == "01"]
    return any(all(map(str.endswith, pair, ends)) for pair in open_ends)


def test_a_client_that_reads_no_answer_is_disconnected(server, client):
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect(("127.0.0.1", server.port))
    line.sendall((b"GET /api/openapi.json HTTP/1.1\r\n" + HOST + b"\r\n") * 200)
    wait_until(lambda: not is_open(server, line))
    line.settimeout(10)
    with pytest.raises(ConnectionError):
        while line.recv(65536):
            line.send(b"x")
        raise ConnectionError
    line.close()
    assert client.get("/api/status").status_code == 200


# --- names, kinds --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "../../x.png",
        "C:\\x.png",
        "/etc/passwd",
        "a\0b.png",
        "x" * 5000,
        'a"\r\nX-Evil: 1.png',
        "..",
    ],
)
def test_file_names_of_uploads_are_never_used_as_paths(client, place, name):
    before = {path for path in place.rglob("*") if "tmp" not in path.parts}
    answer = client.post("/api/try", files={"files": (name, painted("Dress"))})
    assert answer.status_code in (202, 400)
    if answer.status_code == 202:
        (photo,) = finished(client, answer.json()["id"])["photos"]
        assert "/" not in photo["path"] and "\\" not in photo["path"] and len(photo["path"]) <= 200
        assert photo["garments"][0]["category"] == "Dress"
    assert {path for path in place.rglob("*") if "tmp" not in path.parts} == before
    assert spooled(place) == []


def test_file_names_encoded_by_rfc_5987_are_shown(client):
    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"; '
    head += b"filename*=UTF-8''..%2F..%2Fevil.png\r\n\r\n"
    body = head + painted("Bag") + b"\r\n--x--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = client.post("/api/try", content=body, headers=headers)
    assert answer.status_code in (202, 400)
    if answer.status_code == 202:
        assert "/" not in finished(client, answer.json()["id"])["photos"][0]["path"]


def hostile():
    """Files that are not what they say."""
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    polyglot = painted("Dress") + b"<script>alert(1)</script>"
    return {
        "bomb.png": (bomb.getvalue(), "too_large"),
        "svg.jpg": (script, "unsupported_format"),
        "page.jpg": (b"<!doctype html><script>alert(1)</script>", "not_an_image"),
        "polyglot.png": (polyglot, None),
    }


def test_hostile_files_are_decoded_in_the_sandbox_and_never_sent_back(client):
    for name, (data, reason) in hostile().items():
        trial = client.post("/api/try", files={"files": (name, data)}).json()
        (photo,) = finished(client, trial["id"])["photos"]
        if reason:
            assert photo["verdict"] == "unreadable", name
            assert client.get(f"/api/try/{trial['id']}/0/photo.jpg").status_code == 404
        else:
            picture = client.get(f"/api/try/{trial['id']}/0/photo.jpg")
            assert picture.content[:2] == b"\xff\xd8" and b"script" not in picture.content
            assert picture.headers["content-type"] == "image/jpeg"
            assert 'filename="photo.jpg"' in picture.headers["content-disposition"]


def test_every_answer_has_the_security_headers(client):
    for path in ("/try", "/nowhere", "/api/status", "/api/nowhere", "/static/desk.js"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith(
            "default-src 'none'; script-src 'self';"
        )
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "server" not in headers


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd",
     "/api/photos/..%2f..%2fx.jpg", "/api/try/../../etc/0/photo.jpg"],
)  # fmt: skip
def test_paths_outside_the_static_folder_are_not_served(server, path):
    answer = server.raw(
        b"GET " + path.encode() + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    )
    assert (
        status_of(answer) in (400, 404, 422) and b"import" not in answer and b"root:" not in answer
    )


# --- who asks ------------------------------------------------------------------------------------


def put(client, sha256, **headers):
    path = f"/api/photos/{sha256}/label"
    return client.put(path, json={"category": "Coat"}, headers=headers).status_code


def test_requests_from_pages_of_other_sites_are_refused(client, place):
    sha256 = store.sightings(place / "t.db", "ben")["sha256"][0]
    own = str(client.base_url).rstrip("/")
    token = client.get("/try").text.split('name="page-token" content="')[1].split('"')[0]
    right = {"x-trendscope-token": token}
    for headers in (
        {"origin": "http://evil.test"},
        {"origin": "null"},
        {"origin": "http://evil.test", **right},
        {"origin": own.replace("http", "https") + ".evil.test", **right},
        {"sec-fetch-site": "cross-site", **right},
        {"sec-fetch-site": "same-site", **right},
        {"origin": own},
        {"sec-fetch-site": "same-origin"},
        {"origin": own, "x-trendscope-token": "x" * 32},
    ):
        assert put(client, sha256, **headers) == 403, headers
    assert store.corrections(place / "t.db").empty
    assert put(client, sha256, origin=own, **right) == 200
    assert client.delete(f"/api/photos/{sha256}/label").json()["before"] == "Coat"  # no browser


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "http://]"])
def test_an_origin_that_cannot_be_read_is_a_bad_request(client, place, origin):
    sha256 = store.sightings(place / "t.db", "ben")["sha256"][0]
    assert put(client, sha256, origin=origin) in (400, 403)
    assert put(client, sha256, origin="http://[") == 400
    assert store.corrections(place / "t.db").empty


@pytest.mark.parametrize(
    "path", ["/try", "/customers", "/", "/nowhere", "/api/status", "/static/desk.js"]
)
def test_head_is_answered_as_get_is_without_a_body(server, client, path):
    get, head = (client.request(method, path, follow_redirects=False) for method in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["content-type" if get.content else "location"]
    assert head.headers.get("content-length") == get.headers.get("content-length")
    raw = server.raw(f"HEAD {path} HTTP/1.1\r\n".encode() + HOST + b"Connection: close\r\n\r\n")
    assert raw.endswith(b"\r\n\r\n")


def test_head_is_let_in_no_further_than_get(server):
    answer = server.raw(b"HEAD /try HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n")
    assert status_of(answer) == 400


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (b"Host: evil.test\r\n", 400),
        (b"Host: evil.test:8765\r\n", 400),
        (b"Host: 127.0.0.1.evil.test\r\n", 400),
        (b"Host: localhost:1\r\n", 200),
        (b"Host: [::1]\r\n", 200),
        (b"", 400),
        (b"Host: 127.0.0.1\r\nHost: evil.test\r\n", 400),
        (b"Host: \r\n", 400),
    ],
)
def test_requests_to_unknown_host_names_are_refused(server, lines, status):
    answer = server.raw(b"GET /try HTTP/1.1\r\n" + lines + b"Connection: close\r\n\r\n")
    assert status_of(answer) == status
    assert status == 200 or b"page-token" not in answer


def test_absolute_request_targets_do_not_bypass_the_host_check(server):
    head = b"GET http://127.0.0.1/try HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n"
    assert status_of(server.raw(head)) == 400


def test_the_server_listens_on_loopback_only(server):
    sockets = subprocess.run(["ss", "-ltnH"], capture_output=True, text=True).stdout
    (line,) = [row for row in sockets.splitlines() if row.split()[3].endswith(f":{server.port}")]
    assert line.split()[3] == f"127.0.0.1:{server.port}"


def test_another_address_needs_a_token(place, monkeypatch):
    monkeypatch.delenv("TRENDSCOPE_TOKEN", raising=False)
    words = ["serve", "--db", str(place / "t.db"), "--no-browser", "--host"]
    done = CliRunner().invoke(app, [*words, "0.0.0.0"])
    assert done.exit_code == 2 and "put a token of at least 16 characters" in done.stderr
    done = CliRunner().invoke(app, [*words, "example.org"])
    assert done.exit_code == 2 and "give an address such as 127.0.0.1" in done.stderr


def test_requests_without_the_token_are_refused(place):
    token = "a long enough token"
    with desk(place / "t.db", temporary=place / "tmp", TRENDSCOPE_TOKEN=token) as guarded:
        with guarded.client(follow_redirects=True) as stranger:
            assert stranger.get("/customers").status_code == 401
            assert "anna" not in stranger.get("/customers").text
            assert stranger.get("/api/status").json()["error"].startswith("Give the token")
            wrong = stranger.post("/sign-in", data={"token": "another"})
            assert wrong.status_code == 401 and "That is another token" in wrong.text
            assert stranger.get("/customers", cookies={"trendscope": "x"}).status_code == 401
        with guarded.client(follow_redirects=True) as friend:
            bearer = {"authorization": f"Bearer {token}"}
            assert friend.get("/api/status", headers=bearer).status_code == 200
            assert friend.post("/sign-in", data={"token": token}).status_code == 200
            assert "anna" in friend.get("/customers").text


# --- many, and killed ----------------------------------------------------------------------------


def test_twenty_concurrent_uploads_are_all_judged(server):
    kinds = ["Dress", "Bag", "Coat", "Trouser"] * 5

    def upload(kind):
        with server.client() as one:
            trial = one.post("/api/try", files=[png(kind), png("Shirt")]).json()
            return [p["garments"][0]["category"] for p in finished(one, trial["id"])["photos"]]

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(upload, kinds)) == [[kind, "Shirt"] for kind in kinds]


def test_uploads_beyond_the_queue_get_status_503(place):
    with desk(place / "t.db", temporary=place / "tmp", patience={"waiting": 2}) as small:
        done = threading.Barrier(8)

        def upload(_):
            with small.client() as one:
                done.wait()
                return one.post("/api/try", files=[png()] * 8)

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(upload, range(8)))
        refused = [answer for answer in answers if answer.status_code == 503]
        assert refused and all(answer.headers["retry-after"] for answer in refused)
        with small.client() as one:
            for answer in answers:
                if answer.status_code == 202:
                    assert len(finished(one, answer.json()["id"])["photos"]) == 8


def receives_into(folder, process):
    """Whether a process holds a file without a name in a folder, as forms are received into."""
    for path in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since
            link = os.readlink(path)
            if link.startswith(str(folder)) and link.endswith("(deleted)"):
                return True
    return False


def test_a_restart_removes_the_uploads_of_a_killed_server(place, tmp_path):
    before = store.status(place / "t.db")
    (tmp_path / "spool").mkdir()
    with desk(place / "t.db", temporary=tmp_path / "spool") as doomed:
        with socket.create_connection(("127.0.0.1", doomed.port)) as line:
            line.sendall(b"POST /api/try HTTP/1.1\r\n" + HOST + b"Content-Length: 9000000\r\n"
                         b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
                         b"Content-Disposition: form-data; name=files; filename=a.jpg\r\n\r\n"
                         + b"x" * 2_000_000)  # fmt: skip
            wait_until(lambda: receives_into(tmp_path / "spool", doomed.process))
            doomed.process.send_signal(signal.SIGKILL)
            doomed.process.wait()
    (left,) = (tmp_path / "spool").glob("*/*")
    (left / "half").write_bytes(b"as if killed while it was written")
    with desk(place / "t.db", temporary=tmp_path / "spool") as again, again.client() as client:
        assert client.get("/api/status").json()["photos"] == before.photos
        assert not left.exists()
        assert store.status(place / "t.db") == before
    assert [path for path in (tmp_path / "spool").rglob("*") if path.is_file()] == []


def test_a_second_server_keeps_the_uploads_of_the_first(place):
    with desk(place / "t.db", temporary=place / "tmp") as other, other.client() as client:
        trial = client.post("/api/try", files=[png()]).json()
        assert finished(client, trial["id"])["state"] == "done"


def test_ids_cannot_be_guessed_and_errors_show_nothing_of_the_inside(client, place):
    ids = {client.post("/api/try", files=[png()]).json()["id"] for _ in range(3)}
    assert len(ids) == 3 and all(len(trial_id) >= 24 for trial_id in ids)
    for path in ("/nowhere", "/customer?name=nobody", "/api/try/guess", "/customers?page=x"):
        answer = client.get(path)
        assert answer.status_code in (404, 422)
        for inside in ("Traceback", str(place), "site-packages", ".py", "trendscope.web"):
            assert inside not in answer.text


def test_database_errors_show_no_traceback(place, tmp_path):
    path = tmp_path / "t.db"
    path.write_bytes((place / "t.db").read_bytes())
    with desk(path, temporary=place / "tmp") as poor, poor.client() as client:
        assert client.get("/customers").status_code == 200
        for file in tmp_path.glob("t.db*"):
            file.write_bytes(b"no database" * 1000)
        for address in ("/customers", "/api/status"):
            answer = client.get(address)
            assert answer.status_code == 503
            assert "could not be used just now" in answer.text and str(tmp_path) not in answer.text


# --- what the API says ---------------------------------------------------------------------------


def test_the_api_gives_the_documents_of_the_commands(client, place):
    db = str(place / "t.db")
    for path, words in (
        ("/api/status", ["status", "--db", db, "--json"]),
        ("/api/trends?weeks=5", ["trends", "--db", db, "--json", "--weeks", "5"]),
    ):
        assert client.get(path).text == CliRunner().invoke(app, words).stdout
    with stored_photos(db) as memory:  # knows all these photos: nothing is judged
        document = profile_json(profile([place / "photos" / "anna"], memory=memory))
    assert client.get("/api/profile", params={"customer": "anna"}).text == document
    assert profile_json(stored_profile(db, "anna")) == document


def test_weights_that_are_not_those_of_the_database_are_refused(place, tmp_path):
    scan([place / "photos"], tmp_path / "t.db", weights=FakeClassifier())
    done = CliRunner().invoke(app, ["serve", "--db", str(tmp_path / "t.db"), "--no-browser"])
    assert done.exit_code == 2 and "holds what fake" in done.stderr and "--weights" in done.stderr


def test_a_missing_database_is_refused_and_not_made(tmp_path):
    done = CliRunner().invoke(app, ["serve", "--db", str(tmp_path / "t.db"), "--no-browser"])
    assert done.exit_code == 1 and "there is no trendscope database at" in done.stderr
    assert "serve --create" in done.stderr and [*tmp_path.iterdir()] == []


def test_every_page_names_the_database(client, place):
    for path in ("/try", "/scan", "/customers", "/customer?name=anna", "/trends", "/review"):
        page = client.get(path).text
        assert "<bdi>t.db</bdi>" in page and str(place) not in page


def test_a_label_is_stored_and_removed(client, place):
    db = place / "t.db"
    waiting = client.get("/api/review").json()
    assert (waiting["total"], waiting["photos"][0]["customer"]) == (1, "anna")
    sha256 = waiting["photos"][0]["sha256"]
    path = f"/api/photos/{sha256}/label"
    assert client.put(path, json={"category": "hat"}).status_code == 422
    answer = client.put(path, json={"category": "Dress|Bag"}).json()
    assert (answer["label"], answer["before"]) == ("Dress|Bag", None)
    assert client.get("/api/review").json()["total"] == 0
    (anna,) = client.get("/api/profile?customer=anna").json()["customers"]
    assert anna["counts"]["Bag"] == 2
    photos = stored_profile(db, "anna").readings
    assert [r.corrected for r in photos].count(True) == 1
    assert store.corrections(db)["category"].tolist() == [str(Label(("Dress", "Bag")))]
    assert client.delete(path).json()["before"] == "Dress|Bag"
    assert client.get("/api/review").json()["total"] == 1
    assert client.put(f"/api/photos/{'0' * 64}/label", json={"category": "Bag"}).status_code == 404


def test_customers_are_found_by_a_part_of_their_name(client):
    answer = client.get("/api/customers", params={"search": "NN"}).json()
    assert [c["customer"] for c in answer["customers"]] == ["anna"]
    assert answer["customers"][0]["counts"] == {"Bag": 1, "Dress": 1}
    assert client.get("/api/customers", params={"search": "%"}).json()["total"] == 0
    assert client.get("/api/customers", params={"limit": 1, "offset": 1}).json()["total"] == 2


def test_an_export_is_looked_at_photo_by_photo(client):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("album/a.png", painted("Dress"))
        archive.writestr("../evil.png", painted("Bag"))
    trial = client.post("/api/try", files={"files": ("my photos.zip", out.getvalue())}).json()
    job = finished(client, trial["id"])
    named = {p["path"]: p["verdict"] for p in job["photos"]}
    assert named.pop("my photos.zip/album/a.png") == "classified"
    assert list(named.values()) == ["unreadable"]
    assert client.delete(f"/api/try/{trial['id']}").status_code == 200
    assert client.get(f"/api/try/{trial['id']}").status_code == 404


def test_requests_generated_from_the_openapi_schema_never_fail(server):
    """What schemathesis thinks up from the OpenAPI is answered as described, without a 500."""
    schemathesis = pytest.importorskip("schemathesis")
    from hypothesis import HealthCheck, given, settings

    schema = schemathesis.openapi.from_url(f"{server.address}api/openapi.json")
    for operation in schema.get_all_operations():
        operation = operation.ok()

        @given(case=operation.as_strategy())
        @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
        def run(case):
            answer = case.call(base_url=server.address.rstrip("/"))
            assert answer.status_code < 500, (case.path, answer.text)

        run()

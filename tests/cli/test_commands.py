"""The commands as a user or a script meets them: output, exit codes, messages, interruption."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.factories.desk import wait_until
from tests.factories.exports import export, single
from tests.factories.photos import painted
from trendscope.cli import app

PACKAGE_HOME = str(Path(__file__).parents[2])


@pytest.fixture
def run(fake_command):
    def invoke(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return invoke


def shell(*arguments, **options):
    """The command in a process of its own, judged by the fake classifier."""
    command = [sys.executable, "-m", "tests.factories.classifier", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": PACKAGE_HOME, **options.pop("env", {})}
    return subprocess.Popen(command, env=environment, **options)


# --- help and version ----------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize(
    "command",
    [[], ["classify"], ["profile"], ["trends"], ["scan"], ["status"], ["report"], ["recommend"]],
)
def test_help_has_examples(run, command, flag):
    result = run(*command, flag)
    assert result.exit_code == 0
    assert "Examples:\n    trendscope " in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_version(run):
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, "trendscope 0.1.0\n")


SLOW_TO_LOAD = {"jax", "numpy", "pandas", "cv2", "PIL", "sqlalchemy", "rich", "jinja2", "ray"}


def packages_loaded(*arguments):
    """The packages that Python loads for a command, as it lists them itself."""
    command = [sys.executable, "-X", "importtime", "-m", "trendscope", *arguments]
    lines = subprocess.run(command, capture_output=True, text=True, cwd=PACKAGE_HOME).stderr
    return {line.split("|")[-1].strip().split(".")[0] for line in lines.splitlines()}


def test_help_loads_nothing_that_is_slow_to_load():
    assert "typer" in packages_loaded("--help")
    assert packages_loaded("--help") & SLOW_TO_LOAD == set()


def test_the_check_of_what_help_loads_can_fail(tmp_path):
    assert {"numpy", "sqlalchemy"} <= packages_loaded("status", "--db", str(tmp_path / "no.db"))


# --- classify ------------------------------------------------------------------------------------


def test_classify_says_what_each_photo_shows(run, photos):
    result = run("classify", photos / "anna")
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert len(lines) == 4
    assert lines[0].endswith(
        "IMG_20260302_090000.png: Dress (Dress 90 %, T-shirt/top 1 %, Trouser 1 %)"
    )
    assert "broken.jpg: unreadable, " in lines[3]
    assert result.stderr == ""


def test_classify_show_lists_all_ten_probabilities(run, photos):
    lines = run("classify", photos / "ben" / "coat.png", "--show").stdout.splitlines()
    assert len(lines) == 12
    assert lines[5] == "  Coat            90 %  "


def test_classify_json(run, photos):
    result = run("classify", photos / "ben" / "coat.png", "--json")
    document = json.loads(result.stdout)
    (photo,) = document["photos"]
    assert (document["schema_version"], document["weights"]) == (1, "fake")
    assert photo["path"] == str(photos / "ben" / "coat.png")
    assert (photo["verdict"], photo["garments"][0]["category"]) == ("classified", "Coat")
    assert photo["top"][0] == ["Coat", 0.9]
    assert photo["customer"] == "ben"


# --- profile -------------------------------------------------------------------------------------


def test_profile_for_people(run, photos):
    result = run("profile", photos)
    assert result.exit_code == 0
    assert "anna: 3 photos, 2 Mar 2026 to 30 Mar 2026\n" in result.stdout
    assert "  Dress          67 %      2  2 Mar 2026 to 30 Mar 2026\n" in result.stdout
    assert re.search(r"1 file not used: ", result.stdout)
    assert result.stderr == ""


def test_profile_json_is_one_document_with_warnings_on_stderr(run, photos):
    result = run("profile", photos, "--json")
    customers = json.loads(result.stdout)["customers"]
    assert [(c["customer"], c["photos"]) for c in customers] == [("anna", 3), ("ben", 1)]
    assert customers[0]["counts"]["Dress"] == 2
    assert result.stderr.startswith("trendscope: skipped 1: 1 ")
    assert result.stderr.count("\n") == 1


def test_profile_csv(run, photos):
    table = list(csv.DictReader(io.StringIO(run("profile", photos, "--csv", "-q").stdout)))
    assert len(table) == 20
    assert {r["category"]: r["share"] for r in table if r["customer"] == "ben"}["Coat"] == "1.0"


def test_profile_html_is_written_besides_the_table(run, photos, tmp_path):
    page = tmp_path / "anna.html"
    result = run("profile", photos, "--html", page)
    assert "anna: 3 photos" in result.stdout
    text = page.read_text()
    assert text.count("data:image/jpeg;base64,") == 4  # one for each photo
    assert "IMG_20260302_090000.png" in text


def test_skipped_files_are_written_as_a_table(run, photos, tmp_path):
    (photos / "=1+1.txt").write_bytes(b"no photo")
    table, flags = tmp_path / "skipped.csv", ["--skipped", tmp_path / "skipped.csv"]
    document = json.loads(run("profile", photos, "--json", *flags).stdout)
    owned = [item for customer in document["customers"] for item in customer["skipped"]]
    listed = [list(item.values()) for item in owned + document["skipped"]]
    header, *rows = csv.reader(table.open(encoding="utf-8", newline=""))
    assert header == ["customer", "path", "reason", "detail"]
    assert [row[0] for row in rows] == ["anna", "photos"]  # the folder's, as it lies in no other
    assert sorted(row[1:] for row in rows) == sorted(listed)
    assert [Path(row[1]).name for row in rows] == ["broken.jpg", "=1+1.txt"]


def test_the_customer_option_names_the_customer(run, photos):
    document = json.loads(run("profile", photos, "--json", "--customer", "eve").stdout)
    assert [c["customer"] for c in document["customers"]] == ["eve"]


@pytest.mark.parametrize("flags", [["--json"], ["--csv"], []])
def test_output_to_a_file_is_what_standard_output_gets(run, photos, tmp_path, flags):
    path = tmp_path / "out"
    printed = run("profile", photos, *flags, "-o", "-").stdout
    result = run("profile", photos, *flags, "-o", path)
    assert result.stdout == ""
    assert path.read_text() == printed


def test_quiet_prints_no_warnings_and_verbose_names_skipped_files(run, photos):
    assert run("profile", photos, "--json", "-q").stderr == ""
    assert "broken.jpg: " in run("profile", photos, "-v").stdout


def test_reposts_are_left_out_unless_they_are_kept(run, photos):
    (photos / "ben" / "again.jpg").write_bytes(painted("Coat", (60, 80), "JPEG"))
    result = run("profile", photos / "ben")
    assert "ben: 1 photo\n" in result.stdout
    assert "1 file not used: counted already, in another size or quality." in result.stdout
    assert "ben: 2 photos\n" in run("profile", photos / "ben", "--keep-reposts").stdout


@pytest.mark.parametrize("command", ["profile", "classify"])
def test_limits_can_be_changed(run, photos, command):
    result = run(command, photos / "ben", "--limit", "pixels=19_199", "--limit", "ratio=9")
    assert result.exit_code == 3
    assert run(command, photos / "ben", "--limit", "pixels=19_200").exit_code == 0
    refused = run(command, photos / "ben", "--limit", "pixel=1")
    assert refused.exit_code == 2 and "use file_bytes, " in refused.stderr


# --- trends --------------------------------------------------------------------------------------


@pytest.fixture
def weekly(tmp_path):
    """26 weeks to 2026-W46 in which dresses double in the last four, and a week that still runs."""
    counts = [10] * 22 + [20] * 4 + [90]
    rows = [
        f"2026-W{week},{name},{n if name == 'Dress' else 100 - n},100"
        for week, n in enumerate(counts, 21)
        for name in ("Dress", "Bag")
    ]
    path = tmp_path / "weekly.csv"
    path.write_text("\n".join(["week,category,count,total", *rows]) + "\n")
    return path


def test_trends_of_a_table(run, weekly):
    result = run("trends", "--from-csv", weekly, "--as-of", "2026-11-21")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "9 Nov 2026 to 15 Nov 2026 (UTC)" in result.stdout
    assert "Dress rose from about 10 % to 20 % (90 % interval " in result.stdout
    assert "this may be the season" in result.stdout
    assert "The week from 16 Nov 2026 is not over and is not judged." in result.stdout


def test_a_complete_week_gets_a_verdict(run, weekly):
    result = run("trends", "--from-csv", weekly, "--as-of", "2026-11-23")
    assert "16 Nov 2026 to 22 Nov 2026 (UTC)" in result.stdout
    assert "not over" not in result.stdout


def test_the_time_zone_decides_which_week_is_running(run, weekly):
    # 2026-11-23 begins in Auckland while it is still Sunday in UTC.
    as_of = ("--as-of", "2026-11-23", "--timezone", "Pacific/Auckland")
    assert (
        "16 Nov 2026 to 22 Nov 2026 (Pacific/Auckland)"
        in run("trends", "--from-csv", weekly, *as_of).stdout
    )


def test_trends_as_csv_and_json_hold_the_same_rows(run, weekly):
    flags = ("--from-csv", weekly, "--as-of", "2026-11-21", "--weeks", "3", "--ahead", "2")
    table = list(csv.DictReader(io.StringIO(run("trends", *flags, "--csv").stdout)))
    document = json.loads(run("trends", *flags, "--json").stdout)
    assert (document["schema_version"], document["running_week"]) == (1, "2026-W47")
    assert [row["kind"] for row in table] == ["complete"] * 6 + ["running"] * 2 + ["forecast"] * 4
    text = [{k: "" if v is None else str(v) for k, v in row.items()} for row in document["rows"]]
    assert text == table


def test_trends_as_markdown_and_page(run, weekly, tmp_path):
    page = tmp_path / "trends.html"
    result = run("trends", "--from-csv", weekly, "--markdown", "--html", page)
    assert result.stdout.startswith("**What customers wear, ")
    assert "\n| category | share (95 %) |" in result.stdout
    assert "<bdi>Dress</bdi>" in page.read_text()
    assert "<script" not in page.read_text()


def test_trends_of_photos(run, photos):
    result = run("trends", photos, "--as-of", "2026-04-06", "--json")
    document = json.loads(result.stdout)
    # Two dresses are dated, 2 March and 30 March; bag and coat are not; one file is broken.
    assert document["photos"] == {
        "photos": 5,
        "classified": 2,
        "uncertain": 0,
        "outside": 0,
        "undated": 2,
        "skipped": 1,
        "doubles": 0,
        "waiting": 0,
    }
    dress = [row for row in document["rows"] if row["category"] == "Dress"]
    assert [(row["week"], row["count"]) for row in dress if row["count"] is not None] == [
        ("2026-W10", 1),
        ("2026-W11", 0),
        ("2026-W12", 0),
        ("2026-W13", 0),
        ("2026-W14", 1),
        ("2026-W15", 0),
    ]
    assert result.stderr.startswith("trendscope: skipped 1: ")


def test_trends_by_segment(run, photos, tmp_path):
    segments = tmp_path / "cities.csv"
    segments.write_text("\ufeffCustomer;Segment\nanna;Zürich\n", encoding="utf-8")
    result = run("trends", photos, "--as-of", "2026-04-06", "--segments", segments, "--csv", "-q")
    table = list(csv.DictReader(io.StringIO(result.stdout)))
    assert {row["segment"] for row in table} == {"Zürich"}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "give photos, --db DATABASE or --from-csv FILE"),
        (["x", "--from-csv", "weekly.csv"], 2, "give one of photos, --db DATABASE and --from-csv"),
        (["x", "--db", "fashion.db"], 2, "give one of photos, --db DATABASE and --from-csv"),
        (["x", "--json", "--csv"], 2, "exclude each other"),
        (["--from-csv", "w.csv", "--segments", "s.csv"], 2, "go with photos or --db"),
        (["x", "--by", "segment"], 2, "--by segment needs --segments FILE"),
        (["x", "--by", "customer", "--segments", "s.csv"], 2, "goes with --by segment"),
        (["--db", "no.db"], 1, "there is no trendscope database at"),
        (["x", "--timezone", "Mars/Olympus"], 2, "--timezone Mars/Olympus: unknown"),
        (["--from-csv", "no.csv"], 1, "no.csv: No such file or directory; give a CSV with the"),
    ],
)
def test_wrong_usage_of_trends_is_refused(run, arguments, code, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRENDSCOPE_DB", raising=False)
    result = run("trends", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the table is empty"),
        (b"week,category\n", "no column 'count'; it has: week, category"),
        (b"week,category,count,total\n2026-W01,Bag,many,10\n", "Unable to parse string 'many'"),
        (b"week,category,count,total\n2026-W01,Bag,9,3\n", "2026-W01 Bag: count 9 of total 3"),
        (b"\xff\xfe\x00", "is no text in a known encoding"),
        (b"week,category,count,total\n2026-W01,Bag,1,2,3,4\n", "more cells than the header"),
    ],
)
def test_broken_tables_are_refused(run, tmp_path, content, message):
    path = tmp_path / "weekly.csv"
    path.write_bytes(content)
    result = run("trends", "--from-csv", path)
    assert result.exit_code == 1
    assert message in result.stderr and result.stderr.count("\n") <= 2


# --- exit codes ----------------------------------------------------------------------------------


def test_strict_makes_skipped_files_count(run, photos):
    assert run("profile", photos, "--strict").exit_code == 4
    assert run("classify", photos, "--strict").exit_code == 4
    assert run("profile", photos / "ben", "--strict").exit_code == 0


def test_parts_left_out_on_request_are_named_and_pass_strict(run, tmp_path):
    export(
        tmp_path,
        {
            "media/posts/202609/1.jpg": painted("Dress"),
            "media/stories/202609/2.jpg": painted("Bag"),
            "your_instagram_activity/messages/inbox/x/message_1.json": {"messages": []},
            "your_instagram_activity/media/posts_1.json": [single("media/posts/202609/1.jpg")],
        },
    )
    result = run("profile", tmp_path, "--strict")
    assert result.exit_code == 0
    assert "1 part left out: not asked for." in result.stdout
    assert "1 part left out: private, never read." in result.stdout
    both = run("profile", tmp_path, "--include", "stories,Archived", "--json")
    (customer,) = json.loads(both.stdout)["customers"]
    assert customer["counts"]["Dress"] == customer["counts"]["Bag"] == 1


@pytest.mark.parametrize(("zone", "week"), [("UTC", "2026-W39"), ("America/New_York", "2026-W38")])
def test_weeks_follow_the_time_zone(run, tmp_path, zone, week):
    uri, monday = "media/posts/202609/1.jpg", 1_789_950_600  # 2026-09-21 00:30 UTC
    files = {uri: painted("Dress"), "content/posts_1.json": [single(uri, monday)]}
    result = run("profile", export(tmp_path, files), "--timezone", zone, "--json")
    results = json.loads(result.stdout)
    assert (results["timezone"], results["customers"][0]["weeks"]) == (zone, {week: 1})


def test_nothing_usable_is_3_and_still_lists_what_was_skipped(run, tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    result = run("profile", tmp_path, "--json")
    assert result.exit_code == 3
    skipped = json.loads(result.stdout)["skipped"]
    assert [item["reason"] for item in skipped] == ["empty"]
    assert "none of 1 files could be used; give photos" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--json", "--csv"], "--json and --csv exclude each other; choose one"),
        (["-o", "no/such/out.json"], "create it first"),
        (["--html", "/"], "is a folder; name a file in it"),
        (["--include", "posts"], "choose from stories, archived, profile"),
        (["--timezone", "Europe/Atlantis"], "unknown; give one such as Europe/Berlin"),
        (["--timezone", "../../etc/passwd"], "unknown; give one such as Europe/Berlin"),
        (["--timezone", "Europe"], "unknown; give one such as Europe/Berlin"),
    ],
)
def test_wrong_usage_is_2_before_any_work(run, photos, monkeypatch, arguments, message):
    monkeypatch.setattr("trendscope.photos.run.open_feed", None)
    result = run("profile", photos, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("arguments", [["scan"], ["classify", "--nonsense", "x"], ["dance"]])
def test_unknown_options_and_commands_are_2(run, arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Usage: " in result.stderr


def test_a_missing_path_is_one_line_with_the_next_step(run, tmp_path):
    result = run("profile", tmp_path / "nowhere")
    assert result.exit_code == 1
    assert result.stderr.startswith("trendscope: ")
    assert result.stderr.count("\n") == 1
    assert "nowhere does not exist" in result.stderr


def test_verbose_shows_where_an_error_arose(run, tmp_path):
    result = run("profile", tmp_path / "nowhere", "-v")
    assert "Traceback" in result.stderr
    assert result.exit_code == 1


def test_a_full_disk_is_an_error_with_exit_code_1(run, photos):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    result = run("profile", photos, "--json", "-o", "/dev/full")
    assert result.exit_code == 1
    assert "could not write /dev/full" in result.stderr


def test_ctrl_c_exits_with_130(run, photos, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("trendscope.photos.run.profile_paths", interrupted)
    result = run("profile", photos)
    assert (result.exit_code, result.stderr) == (130, "trendscope: stopped; nothing was written\n")


def test_ctrl_c_during_a_profile_stops_it_without_output(tmp_path):
    picture = painted("Bag", (2500, 2500))
    for i in range(400):
        (tmp_path / f"{i:03}.png").write_bytes(picture + bytes([i % 256, i // 256]))
    process = shell("profile", tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    wait_until(lambda: process.poll() is not None or decoding(process.pid))
    process.send_signal(signal.SIGINT)
    output, error = process.communicate(timeout=60)
    assert (process.returncode, output) == (130, b"")  # before the report, which needs them all
    assert error == b"trendscope: stopped; nothing was written\n"


def decoding(pid):
    """True once a process has started a decoder."""
    return any(path.read_text().strip() for path in Path(f"/proc/{pid}/task").glob("*/children"))


def test_a_closed_pipe_is_no_error(photos):
    process = shell("profile", photos, "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert (process.stderr.read(), process.wait()) == (b"", 0)


# --- databases -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["customers"],
        ["trends"],
        ["export", "tables"],
        ["report", "-o", "page.html"],
        ["profile", "--customer", "anna"],
        ["profile", "photos"],
        ["recommend", "--customer", "anna"],
        ["forget", "--customer", "anna", "--yes"],
        ["correct", "labels.csv"],
        ["catalog", "list"],
        ["catalog", "show", "A1"],
        ["serve", "--no-browser"],
    ],
    ids=" ".join,
)
def test_a_missing_database_is_told_in_one_way_and_not_made(run, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"x")
    (tmp_path / "labels.csv").write_text("file,category\na.jpg,Dress\n")
    done = run(*words, "--db", "misspelt.db")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == (
        f"trendscope: there is no trendscope database at {tmp_path / 'misspelt.db'}; make one "
        "with trendscope scan PATH --db DATABASE or with trendscope serve --create, or check the "
        "spelling"
    )
    assert not (tmp_path / "misspelt.db").exists()


def test_a_scan_says_how_many_photos_were_named_left_open_and_none_of_the_ten(run, tmp_path):
    kinds = ("Dress", "Bag", "Coat", "black", "black", "white")
    for number, kind in enumerate(kinds):
        path = tmp_path / "photos" / "anna" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(painted(kind, (90 + 2 * number, 150)))
    done = run("scan", tmp_path / "photos", "--db", tmp_path / "t.db")
    assert done.stdout.splitlines()[1] == (
        "Of those looked at: 3 named, 2 left open, as it is not sure which garment it is, "
        "1 none of the ten."
    )
    assert run("scan", tmp_path / "photos", "--db", tmp_path / "t.db").stdout.count("\n") == 2
    words = ["scan", tmp_path / "photos", "--db", tmp_path / "2.db", "--json"]
    assert json.loads(run(*words).stdout)["verdicts"] == {
        "classified": 3,
        "uncertain": 2,
        "outside": 1,
    }


def test_scan_and_status_for_people(run, photos, tmp_path):
    path = tmp_path / "t.db"
    first = run("scan", photos, "--db", path)
    assert (first.exit_code, first.stderr) == (0, "")
    assert first.stdout.splitlines() == [
        "4 photos: 4 looked at.",
        "Of those looked at: 4 named.",
        "What is left out:",
        "    1 file not used: damaged picture.",
        f"Kept in {path}",
    ]
    assert run("scan", photos, "--db", path).stdout.startswith("4 photos: 4 unchanged since")
    lines = run("status", "--db", path).stdout.splitlines()
    assert lines[:4] == [
        str(path),
        "  4 photos of 2 customers, 2 Mar 2026 to 30 Mar 2026",
        "            4  with a category",
        "            2  of all these without a date",
    ]
    assert re.fullmatch(r"  judged by photos \(\w{8}\) since .* 20\d\d: 4 images", lines[4])
    assert re.fullmatch(r"  2 scans: first .* 20\d\d, last .* 20\d\d", lines[5])
    assert lines[6:] == ["  What this leaves out:", "    1 file not used: damaged picture."]
    assert "broken.jpg: damaged" in run("status", "--db", path, "-v").stdout


def test_scan_and_status_as_json(run, photos, tmp_path):
    path = tmp_path / "t.db"
    document = json.loads(run("scan", photos, "--db", path, "--json").stdout)
    assert document == {
        "schema_version": 1,
        "database": str(path),
        "weights": "photos",
        **{"judged": 4, "recognised": 0, "unchanged": 0, "skipped": {"decoder_error": 1}},
        "verdicts": {"classified": 4},
        "namesakes": [],
        "missing": 0,
    }
    run("status", "--db", path, "--json", "-o", tmp_path / "status.json")
    document = json.loads((tmp_path / "status.json").read_text())
    assert (document["schema_version"], document["customers"], document["photos"]) == (1, 2, 4)
    assert document["last_posted"] == "2026-03-30T09:00:00Z"
    assert document["skipped"] == {"decoder_error": 1}
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT.*Z", document["weights"][0]["since"])
    assert document["last_scan"]["judged"] == 4


def test_the_database_by_environment(run, photos, tmp_path, monkeypatch):
    monkeypatch.setenv("TRENDSCOPE_DB", str(tmp_path / "env.db"))
    assert "env.db" in run("scan", photos).stdout
    assert "4 photos" in run("status").stdout


def test_the_default_database_is_in_the_current_folder(run, photos, tmp_path, monkeypatch):
    monkeypatch.delenv("TRENDSCOPE_DB", raising=False)
    monkeypatch.chdir(tmp_path)
    run("scan", photos)
    assert (tmp_path / "trendscope.db").exists()


@pytest.mark.parametrize("output", [["--json"], ["--csv"], []])
def test_a_database_does_not_change_the_profile(run, photos, tmp_path, output, monkeypatch):
    path = tmp_path / "t.db"
    run("scan", photos, "--db", path)
    plain = run("profile", photos, *output)
    monkeypatch.setattr("trendscope.vision.sandbox.Decoder.decode", None)
    known = run("profile", photos, "--db", path, *output)
    assert (known.exit_code, known.stderr) == (0, plain.stderr)
    assert known.stdout.replace('"weights": "photos"', '"weights": "fake"') == plain.stdout


def test_a_contact_sheet_from_a_database_has_its_small_pictures(run, photos, tmp_path):
    run("scan", photos, "--db", tmp_path / "t.db")
    page = tmp_path / "page.html"
    run("profile", photos, "--db", tmp_path / "t.db", "--html", page)
    assert page.read_text().count('href="data:image/jpeg') == 4


def test_exit_codes_of_scan_and_status(run, photos, tmp_path):
    path = tmp_path / "t.db"
    assert run("scan", photos, "--db", path, "--strict").exit_code == 4
    nothing = run("scan", photos / "anna" / "broken.jpg", "--db", path)
    assert nothing.exit_code == 3
    assert "none of 1 files could be used" in nothing.stderr
    missing = run("status", "--db", tmp_path / "no.db")
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert "there is no trendscope database at" in missing.stderr
    assert run("profile", photos, "--db", tmp_path / "no.db").exit_code == 1
    assert run("scan", photos, "--db", "mysql://x/y").exit_code == 2
    (tmp_path / "text.db").write_text("hello")
    refused = run("scan", photos, "--db", tmp_path / "text.db")
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert (tmp_path / "text.db").read_text() == "hello"


# --- terminals, pipes and locales ----------------------------------------------------------------


def test_a_pipe_gets_the_same_bytes_under_every_locale(photos):
    (photos / "zoë").mkdir()
    (photos / "zoë" / "bag.png").write_bytes(painted("Bag", (90, 90)))
    outputs = set()
    for variables in (
        {"LC_ALL": "C"},
        {"LC_ALL": "C.UTF-8"},
        {"TZ": "Asia/Tokyo"},
    ):
        process = shell("profile", photos, "-q", stdout=subprocess.PIPE, env=variables)
        outputs.add(process.communicate()[0])
    assert len(outputs) == 1
    assert "Bag" in outputs.pop().decode("utf-8")


def test_names_that_are_not_unicode_do_not_break_anything(photos):
    name = os.fsencode(photos) + b"/anna/\xff\xfe\x1b[31m.png"
    with open(name, "wb") as file:
        file.write(painted("Bag", (90, 90)))
    for flags in (["--json"], ["--csv"], ["-v"]):
        process = shell("profile", photos, *flags, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        output, error = process.communicate()
        assert process.returncode == 0, error
        assert b"\x1b" not in output
        output.decode("utf-8")


def on_a_terminal(*arguments, **environment):
    """What a person sees: the command with a pseudo-terminal as its standard output and error."""
    ours, theirs = pty.openpty()
    settings = {"TERM": "xterm-256color", "COLUMNS": "90", **environment}
    process = shell(*arguments, stdout=theirs, stderr=theirs, env=settings)
    os.close(theirs)
    screen = b""
    try:
        while part := os.read(ours, 65536):
            screen += part
    except OSError:  # Linux says so when the other end is closed
        pass
    os.close(ours)
    assert process.wait() == 0
    return screen.decode()


def test_a_terminal_gets_bars_and_progress(photos):
    screen = on_a_terminal("profile", photos)
    assert "█" in screen and "\x1b[" in screen
    assert 0 < screen.index("Finding photos") < screen.index("Looking at photos")


def test_quiet_hides_progress_and_no_color_colours(photos):
    screen = on_a_terminal("profile", photos, "-q", NO_COLOR="1")
    assert "Looking at photos" not in screen
    assert not re.search(r"\x1b\[[0-9;]*[34][0-8]", screen)

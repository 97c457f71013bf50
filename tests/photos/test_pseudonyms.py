"""Names leave no trace in what is passed on."""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
import zipfile

import pytest
from typer.testing import CliRunner

from tests.factories.photos import painted, photo_result
from trendscope.cli import app
from trendscope.errors import UsageError
from trendscope.photos.pseudonyms import Pseudonyms, from_environment, without
from trendscope.skipped import Skipped

KEY = "correct horse battery"
SECRET = Pseudonyms(KEY.encode())


def test_a_pseudonym_is_an_hmac():
    digest = hmac.new(KEY.encode(), b"name:anna", hashlib.sha256).hexdigest()
    assert SECRET.name("anna") == f"customer-{digest[:16]}"
    assert Pseudonyms(b"another key, as long").name("anna") != SECRET.name("anna")


def test_names_that_differ_in_bytes_have_different_pseudonyms():
    names = ["ann", "Ann", "zoe\u0308", "zo\u00eb", "\udcff", ""]
    assert len({SECRET.name(name) for name in names}) == len(names)


def test_pseudonymised_results_differ_in_names_and_paths_only():
    before = photo_result(day=(2026, 1, 1), name="anna at home.JPG", sha256="ab")
    after = SECRET.replaced(before)
    assert after.customer == SECRET.name("anna")
    assert after.source.startswith(f"{after.customer}/") and after.source.endswith(".jpg")
    assert "anna" not in repr(after)
    assert (after.garments, after.posted_at) == (before.garments, before.posted_at)


def test_pseudonymised_details_hold_no_names_or_paths():
    item = Skipped(
        "anna", "x/Anna.zip", "damaged_archive", "x/Anna.zip is no zip; ask anna, Banana"
    )
    result = SECRET.replaced(item)
    assert result.detail == "… is no zip; ask …, Banana"
    assert SECRET.replaced(Skipped(None, "a.txt", "empty", "empty")).source.startswith("unknown/")


@pytest.mark.parametrize(
    ("text", "names", "expected"),
    [
        ("/home/anna/x.jpg does not exist", ["/home/anna/x.jpg"], "… does not exist"),
        ("no folder /mnt/ANNA_2026", ["anna"], "no folder /mnt/…_2026"),
        ("Banana", ["anna"], "Banana"),
        ("anything", [""], "anything"),
        ("./a.b", ["."], "./a.b"),
    ],
)
def test_without_replaces_names_in_messages(text, names, expected):
    assert without(text, names) == expected


def test_the_key_comes_from_the_environment_or_a_file(tmp_path):
    (tmp_path / "key").write_text(KEY + "\n")
    for environment in ({"TRENDSCOPE_KEY": KEY}, {"TRENDSCOPE_KEY_FILE": str(tmp_path / "key")}):
        assert from_environment(environment).name("anna") == SECRET.name("anna")


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "--pseudonymise needs a key: set TRENDSCOPE_KEY to a secret of at least 16"),
        ({"TRENDSCOPE_KEY": "short"}, "has only 5 bytes; set TRENDSCOPE_KEY"),
        ({"TRENDSCOPE_KEY_FILE": "/no/key"}, r"/no/key cannot be read \(No such file"),
    ],
)
def test_missing_or_short_key_is_an_error_with_advice(environment, message):
    with pytest.raises(UsageError, match=message):
        from_environment(environment)


# --- every output of the commands ----------------------------------------------------------------


@pytest.fixture
def run(fake_command, monkeypatch):
    monkeypatch.setenv("TRENDSCOPE_KEY", KEY)

    def invoke(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return invoke


@pytest.fixture
def named(photos, tmp_path):
    """Feeds that hold the name wherever one can stand: folder, file, archive, damaged archive."""
    home = tmp_path / "Wilhelmina"
    shutil.move(photos / "anna", home / "wilhelmina")
    (home / "wilhelmina" / "Wilhelmina's bag.png").write_bytes(painted("Bag", (500, 200)))
    (home / "wilhelmina" / "again.png").write_bytes(painted("Bag", (250, 100)))
    (home / "instagram-wilhelmina-2026-01-01-x.zip").write_bytes(b"PK\x03\x04 no zip")
    (home / "wilhelmina" / "wilhelmina.txt").write_text("wilhelmina")
    return home


@pytest.mark.parametrize(
    "flags",
    [
        ["profile"],
        ["profile", "-v"],
        ["profile", "--json"],
        ["profile", "--csv"],
        ["profile", "--strict"],
        ["classify"],
        ["classify", "--json"],
        ["classify", "--show"],
        ["profile", "--json", "--customer", "Wilhelmina"],
    ],
)
def test_pseudonymised_outputs_do_not_hold_the_name(run, named, flags):
    plain = run(*flags, named)
    assert "ilhelmina" in plain.output
    hidden = run(*flags, named, "--pseudonymise")
    assert hidden.exit_code == plain.exit_code
    assert "ilhelmina" not in hidden.output and "customer-" in hidden.output


def test_two_customers_of_one_name_have_two_pseudonyms(run, tmp_path):
    for service, garment in (("instagram", "Dress"), ("facebook", "Bag")):
        with zipfile.ZipFile(tmp_path / f"{service}-wilhelmina-2026-01-01-x.zip", "w") as archive:
            archive.writestr("media/posts/202601/1.jpg", painted(garment))
    plain, hidden = (run("profile", tmp_path, "--json", *f) for f in ([], ["--pseudonymise"]))
    names = [customer["customer"] for customer in json.loads(plain.stdout)["customers"]]
    assert names == ["wilhelmina", "wilhelmina (2)"]
    results = [customer["customer"] for customer in json.loads(hidden.stdout)["customers"]]
    assert sorted(results) == sorted(map(SECRET.name, names)) and len(set(results)) == 2
    assert "ilhelmina" not in hidden.output


@pytest.mark.parametrize("quoted", ["Wilhelmina.jpg", "Wilhel'mi\"na.jpg", "Wil\nhelmina.jpg"])
def test_pseudonymised_details_hold_no_names_from_a_damaged_zip(run, tmp_path, quoted):
    path = tmp_path / "anna.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(quoted, painted("Bag"))
    whole = path.read_bytes()
    other = b"x" * len(quoted)
    directory = whole.rindex(quoted.encode())  # the name stands before the photo, and here again
    path.write_bytes(whole[:directory] + other + whole[directory + len(other) :])
    result = run("profile", path, "--json", "--pseudonymise")
    assert result.exit_code == 3 and "damaged_archive" in result.stdout
    assert "helmina" not in result.output and "Wil" not in result.output


def test_pseudonymised_page_does_not_hold_the_name(run, named, tmp_path):
    assert run("profile", named, "--pseudonymise", "--html", tmp_path / "p.html").exit_code == 0
    page = (tmp_path / "p.html").read_text()
    assert "ilhelmina" not in page and SECRET.name("wilhelmina") in page


@pytest.mark.parametrize(
    "arguments",
    [
        ["Wilhelmina/nowhere"],
        ["Wilhelmina/nowhere", "-v"],
        ["Wilhelmina.jpg"],
        [".", "-o", "Wilhelmina/x.json"],
    ],
)
def test_pseudonymised_error_messages_do_not_hold_the_name(run, arguments):
    assert "ilhelmina" in run("profile", *arguments).output
    hidden = run("profile", *arguments, "--pseudonymise")
    assert "ilhelmina" not in hidden.output and "…" in hidden.stderr


def test_pseudonymised_figures_are_the_same(run, named):
    def figures(*flags):
        customers = json.loads(run("profile", named, "--json", *flags).stdout)["customers"]
        return sorted((c["photos"], c["counts"]["Bag"], len(c["skipped"])) for c in customers)

    assert figures() == figures("--pseudonymise")


def test_no_key_is_wrong_usage_before_any_work(run, photos, monkeypatch):
    monkeypatch.delenv("TRENDSCOPE_KEY")
    monkeypatch.setattr("trendscope.photos.run.open_feed", None)
    result = run("profile", photos, "--pseudonymise")
    assert result.exit_code == 2 and "needs a key" in result.stderr

"""Feeds, images, garments and a classifier joined: order, bounds, failures, dates, boxes."""

from __future__ import annotations

import hashlib
import io
import threading
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from PIL import Image

from tests.factories.classifier import PALETTE, FakeClassifier
from tests.factories.photos import painted, photo_result
from trendscope.categories import CATEGORIES
from trendscope.errors import FeedError, ImageError, WeightsError
from trendscope.feeds.post import Post
from trendscope.photos import pipeline
from trendscope.photos.duplicates import drop_duplicates
from trendscope.photos.options import ScanOptions
from trendscope.photos.pipeline import Loader, classify_keyed, classify_posts
from trendscope.photos.results import PhotoResult
from trendscope.photos.run import classify, profile
from trendscope.skipped import Skipped
from trendscope.vision.weights import find_weights


def post(data, name="1", customer="anna", posted_at=None, date_source="none"):
    def read():
        if isinstance(data, Exception):
            raise data
        return data

    return Post(customer, name, posted_at, date_source, f"{customer}/{name}", read)


def run(*items, **options):
    return list(classify_posts(items, Loader(FakeClassifier()), ScanOptions(**options)))


def test_result_of_one_photo_has_all_fields():
    data = painted("Dress")
    (result,) = run(post(data, "p1"))
    assert isinstance(result, PhotoResult)
    assert (result.customer, result.post_id, result.source) == ("anna", "p1", "anna/p1")
    assert result.sha256 == hashlib.sha256(data).hexdigest()
    assert (result.verdict, result.garments[0].category) == ("classified", "Dress")
    assert result.garments[0].confidence == pytest.approx(0.9)
    assert result.probabilities[0] == ("Dress", pytest.approx(0.9))
    assert {name for name, _ in result.probabilities} == set(CATEGORIES)
    assert result.thumbnail is None


@pytest.mark.parametrize(("color", "verdict"), [("black", "uncertain"), ("white", "outside")])
def test_without_a_category_there_is_a_verdict_and_no_garment(color, verdict):
    (result,) = run(post(painted(color)))
    assert (result.verdict, result.garments) == (verdict, ())
    assert result.explanation


def test_results_come_in_the_order_of_the_feed_over_several_batches():
    pictures = {name: painted(name, (40, 40)) for name in CATEGORIES}
    expected = [CATEGORIES[i * 7 % 10] for i in range(150)]
    result = run(*(post(pictures[name], str(i)) for i, name in enumerate(expected)))
    assert [r.garments[0].category for r in result] == expected
    assert [r.post_id for r in result] == [str(i) for i in range(150)]


def test_each_key_comes_back_with_the_result_of_its_own_post():
    feed = [(object(), post(painted(name, (40, 40)), name)) for name in CATEGORIES * 7]
    feed[3:3] = [("skipped", Skipped(None, "x", "link", "leads nowhere"))]
    feed[5:5] = [("stored", photo_result(name="stored"))]
    pairs = list(classify_keyed(feed, Loader(FakeClassifier())))
    assert [key for key, _ in pairs] == [key for key, _ in feed]
    assert [result.source for _, result in pairs] == [item.source for _, item in feed]


def test_crops_are_judged_in_batches():
    classifier = FakeClassifier()
    list(classify_posts([post(painted("Bag", (40, 40)))] * 130, Loader(classifier)))
    assert classifier.batches == [32, 32, 32, 32, 2]


def test_a_photo_that_fails_is_skipped_and_the_others_are_judged():
    refused = ImageError("missing_media", "named in the export, but not there")
    passed_on = Skipped(None, "notes.txt", "not_an_image", "text")
    results = run(post(painted("Bag")), post(b"", "2"), passed_on, post(refused, "3"))
    assert results[0].garments[0].category == "Bag"
    assert results[1] == Skipped("anna", "anna/2", "empty", "the file is empty")
    assert results[2] is passed_on
    assert results[3].reason == "missing_media"
    assert results[3].detail == "named in the export, but not there"


def test_only_bad_photos_make_no_empty_batch():
    classifier = FakeClassifier()
    assert [r.reason for r in classify_posts([post(b"")], Loader(classifier))] == ["empty"]
    assert classifier.batches == []


def test_an_empty_feed_gives_nothing():
    assert run() == []


def test_weights_that_do_not_load_stop_the_run(tmp_path):
    from trendscope.vision.serialisation import write_weights
    from trendscope.vision.weights import Header

    with pytest.raises(WeightsError, match="no weights at"):
        list(classify_posts([post(painted("Bag"))], Loader(tmp_path / "none")))
    write_weights(tmp_path / "empty", Header("empty"), {})
    with pytest.raises(WeightsError, match=r"expected .* found nothing"):
        list(classify_posts([post(painted("Bag"))], Loader(tmp_path / "empty")))


def test_at_most_max_pending_posts_are_read_ahead():
    requests = []

    def feed():
        for i in range(1000):
            requests.append(i)
            yield post(painted("Bag", (20, 20)), str(i))

    results = classify_posts(feed(), Loader(FakeClassifier()))
    next(results)
    assert len(requests) <= pipeline.MAX_PENDING + pipeline.BATCH
    results.close()
    left = [t for t in threading.enumerate() if t.name.startswith("ThreadPool")]
    for thread in left:
        thread.join(5)
    assert not any(thread.is_alive() for thread in left)


def test_pictures_are_made_only_on_request_and_carry_no_metadata():
    exif = Image.Exif()
    exif[0x010E] = "my secret garden"
    (result,) = run(post(painted("Bag", (600, 800), "JPEG", exif=exif)), pictures=True)
    with Image.open(io.BytesIO(result.thumbnail)) as opened:
        assert opened.format == "JPEG"
        assert max(opened.size) <= 224
        assert not opened.getexif()
    assert b"secret" not in result.thumbnail


def test_the_box_is_in_pixels_of_the_upright_original():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned: stored 2000 x 1000, upright 1000 x 2000
    (result,) = run(post(painted("Bag", (2000, 1000), "JPEG", exif=exif)))
    x0, y0, x1, y1 = result.garments[0].box
    # The garment is the middle half in both directions: 250..750 by 500..1500, plus some margin.
    assert 0 <= x0 <= 260 and 740 <= x1 <= 1000
    assert 250 <= y0 <= 510 and 1490 <= y1 <= 1750


FEED, NAME = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "source", "camera", "expected", "expected_source"),
    [
        (FEED, "feed", True, FEED, "feed"),
        (NAME, "file name", True, datetime(2026, 6, 1, 12, tzinfo=UTC), "exif"),
        (NAME, "file name", False, NAME, "file name"),
        (None, "none", True, datetime(2026, 6, 1, 12, tzinfo=UTC), "exif"),
        (None, "none", False, None, "none"),
    ],
)
def test_dates_are_the_feeds_then_the_cameras_then_the_file_names(
    given, source, camera, expected, expected_source
):
    exif = Image.Exif()
    if camera:
        exif[0x0132] = "2026:06:01 12:00:00"
    data = painted("Bag", kind="JPEG", exif=exif)
    (result,) = run(post(data, posted_at=given, date_source=source))
    assert (result.posted_at, result.date_source) == (expected, expected_source)


# --- stored results ------------------------------------------------------------------------------


class Never(Loader):
    def __call__(self):
        raise AssertionError("no photo needs a classifier")


never = Never("photos")


def test_photos_with_a_stored_result_are_neither_decoded_nor_judged():
    remembered = photo_result(name="from memory")
    requests = []

    def recall(post, sha256):
        requests.append((post.post_id, sha256))
        return remembered

    data = b"no picture at all"
    results = list(classify_posts([post(data, "p1")], never, recall=recall))
    assert results[0] is remembered
    assert requests == [("p1", hashlib.sha256(data).hexdigest())]


def test_photos_without_a_stored_result_are_judged_in_their_place():
    remembered, skipped = photo_result(name="known"), Skipped(None, "x", "link", "leads nowhere")
    bag, dress = painted("Bag"), painted("Dress")
    bag_digest = hashlib.sha256(bag).hexdigest()

    def recall(post, sha256):
        return photo_result(name="bag") if sha256 == bag_digest else None

    feed = [remembered, post(dress, "1"), skipped, post(bag, "2"), post(b"", "3")]
    results = list(classify_posts(feed, Loader(FakeClassifier()), recall=recall))
    assert results[0] is remembered and results[2] is skipped
    assert results[1].garments[0].category == "Dress"
    assert results[3].post_id == "bag"
    assert results[4].reason == "empty"


def test_a_feed_of_stored_results_loads_no_classifier():
    skipped = Skipped(None, "x", "link", "leads nowhere")
    assert len(list(classify_posts([photo_result(), skipped] * 100, never))) == 200


def test_the_classifier_is_loaded_once(monkeypatch):
    loads = []

    def load(weights):
        loads.append(weights)
        return FakeClassifier()

    monkeypatch.setattr("trendscope.vision.loading.load_predictor", load)
    feed = [post(painted("Bag", (20, 20)), str(i)) for i in range(200)]
    assert {results.verdict for results in classify_posts(feed, Loader(None))} == {"classified"}
    assert loads == [find_weights("photos")]


def test_results_hold_thumbnail_camera_date_and_embedding():
    exif = Image.Exif()
    exif[0x0132] = "2026:06:01 12:00:00"
    data = painted("Bag", (600, 800), "JPEG", exif=exif)
    (result,) = run(post(data, posted_at=FEED, date_source="feed"), thumbnail_side=96)
    with Image.open(io.BytesIO(result.thumbnail)) as opened:
        assert max(opened.size) == 96
    assert (result.posted_at, result.taken_at) == (FEED, datetime(2026, 6, 1, 12))
    embedding = np.frombuffer(result.embedding, "<f4")
    np.testing.assert_allclose(embedding, [*PALETTE[CATEGORIES.index("Bag")], 50], atol=3)


@pytest.mark.parametrize(
    ("offset", "hour"), [(None, 10), ("+00:00", 12), ("-02:00", 14)], ids=["none", "utc", "west"]
)
def test_a_camera_that_names_no_offset_shows_local_time(offset, hour):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2026:06:01 12:00:00"
    if offset:
        exif.get_ifd(0x8769)[0x9011] = offset
    data = painted("Bag", kind="JPEG", exif=exif)
    (result,) = run(post(data), zone=ZoneInfo("Europe/Berlin"))
    assert result.posted_at == datetime(2026, 6, 1, hour, tzinfo=UTC)


# --- counting once -------------------------------------------------------------------------------


def test_the_same_post_or_the_same_bytes_count_once_per_customer():
    dress, bag = painted("Dress"), painted("Bag")
    results = list(
        drop_duplicates(
            run(
                post(dress, "1"),
                post(dress, "1"),
                post(dress, "2"),
                post(bag, "1"),
                post(dress, "1", customer="ben"),
                post(bag, "3"),
            )
        )
    )
    reasons = [r.reason if isinstance(r, Skipped) else "counted" for r in results]
    assert reasons == ["counted", "duplicate", "duplicate", "duplicate", "counted", "counted"]


def test_a_repost_has_a_reason_of_its_own_and_can_be_kept():
    original = post(painted("Dress", (600, 800), "JPEG"), "1")
    smaller = post(painted("Dress", (150, 200), "JPEG", quality=50), "2")
    other, of_ben = post(painted("Bag"), "3"), post(painted("Dress"), "4", customer="ben")
    results_of_run = run(original, smaller, other, of_ben)
    results = list(drop_duplicates(results_of_run))
    assert [type(r) for r in results] == [PhotoResult, Skipped, PhotoResult, PhotoResult]
    assert (results[1].reason, results[1].source) == ("repost", "anna/2")
    assert results[1].detail == (
        "the same photo as anna/1, in another size or quality; --keep-reposts counts it"
    )
    assert list(drop_duplicates(results_of_run, keep_reposts=True)) == results_of_run


def test_reposts_are_compared_with_counted_photos_only():
    big, small = painted("Dress", (600, 800), "JPEG"), painted("Dress", (150, 200), "JPEG")
    results = list(
        drop_duplicates(run(*(post(data, str(i)) for i, data in enumerate((big, big, small)))))
    )
    assert [r.reason for r in results if isinstance(r, Skipped)] == ["duplicate", "repost"]


def test_a_broken_copy_does_not_hide_the_intact_one():
    results = list(drop_duplicates(run(post(b"", "1"), post(painted("Bag"), "1"))))
    assert [type(r) for r in results] == [Skipped, PhotoResult]


def test_reading_a_folder_twice_changes_nothing(photos):
    once = profile([photos], weights=FakeClassifier())
    twice = profile([photos, photos], weights=FakeClassifier())
    assert once.readings == twice.readings
    assert [c.categories for c in once.customers] == [c.categories for c in twice.customers]
    assert sum(item.reason == "duplicate" for item in twice.skipped) == 4


# --- the two public functions --------------------------------------------------------------------


def test_profile_of_folders(photos):
    result = profile([photos], weights=FakeClassifier())
    anna, ben = result.customers
    assert result.weights == "fake"
    assert (anna.customer, ben.customer) == ("anna", "ben")
    assert [(c.category, c.count) for c in anna.ranked] == [("Dress", 2), ("Bag", 1)]
    assert [(c.category, c.count) for c in ben.ranked] == [("Coat", 1)]
    assert [item.source.endswith("broken.jpg") for item in anna.skipped] == [True]
    assert anna.dates[0] == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_classify_keeps_every_photo_in_its_place(photos):
    reports = []
    result = classify([photos], weights=FakeClassifier(), progress=lambda *n: reports.append(n))
    assert len(result.photos) == 5
    assert (len(result.readings), len(result.skipped)) == (4, 1)
    assert reports == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


def test_classify_judges_a_photo_as_often_as_it_is_named(photos):
    path = photos / "anna" / "bag.png"
    assert len(classify([path, path], weights=FakeClassifier()).readings) == 2


def test_classify_and_profile_take_the_customers_name(photos):
    result = profile([photos], weights=FakeClassifier(), customer="eve")
    assert [c.customer for c in result.customers] == ["eve"]


def test_a_missing_path_is_an_error_before_any_work(tmp_path):
    with pytest.raises(FeedError, match="nowhere"):
        classify([tmp_path / "nowhere"], weights=FakeClassifier())


def test_the_fake_classifier_has_what_callers_use_of_the_real_one():
    from trendscope.vision.photo_detector import PhotoDetector

    for name in ("name", "decoded_side", "prepare", "predict", "load"):
        assert hasattr(FakeClassifier, name)
        assert hasattr(PhotoDetector, name)


def test_progress_is_reported_while_a_large_feed_is_listed(tmp_path):
    for number in range(1001):
        (tmp_path / f"{number:04}.txt").write_bytes(b"")
    reports = []
    classify([tmp_path], weights=FakeClassifier(), progress=lambda *n: reports.append(n))
    assert reports[:2] == [(0, 1000), (1, 1001)]
    assert reports[-1] == (1001, 1001)

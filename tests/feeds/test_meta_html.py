"""Exports that were ordered as web pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.exports import G3, export, single
from trendscope.feeds.dates import written_date
from trendscope.feeds.dispatch import open_feed
from trendscope.feeds.meta_html import read_page
from trendscope.feeds.request import Request
from trendscope.files.trees import LoneFile
from trendscope.skipped import PARTS

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PAGE = "your_instagram_activity/media/posts_1.html"
BLOCK = """<div class="pam _a6-g"><h2 class="_a6-h">shoes &amp; more, Aug 06, 1999 at home</h2>
<div class="_a6-p">{}<table><tr><td>Date taken</td><td>2025:08:17 10:00:00</td></tr></table></div>
<div class="_3-94 _a6-o">{}</div></div>"""


CLDR = """\
Januar Februar März April Mai Juni Juli August September Oktober November Dezember
Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.
janvier février mars avril mai juin juillet août septembre octobre novembre décembre
janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
ene feb mar abr may jun jul ago sept oct nov dic
gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
gen feb mar apr mag giu lug ago set ott nov dic
janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro
jan. fev. mar. abr. mai. jun. jul. ago. set. out. nov. dez.
januari februari maart april mei juni juli augustus september oktober november december
jan feb mrt apr mei jun jul aug sep okt nov dec"""


def image(uri: str) -> str:
    return f'<a href="{uri}"><img src="{uri}" class="_a6_o _3-96"/></a>'


def page(*blocks: tuple[str, str]) -> bytes:
    return "".join(BLOCK.format(images, date) for images, date in blocks).encode()


def read(root: Path, **options):
    items = open_feed([root], customer="ann", now=NOW, **options)
    return [item for item in items if getattr(item, "reason", "post") not in PARTS]


@pytest.mark.parametrize(
    ("zone", "hour"), [(ZoneInfo("UTC"), 11), (ZoneInfo("America/New_York"), 15)]
)
def test_photos_and_english_dates_are_read_and_json_is_asked_for(tmp_path, zone, hour):
    one, two, three, four = (f"media/posts/202508/{i}.jpg" for i in range(4))
    blocks = (
        (image(one) + image(two), "Aug 17, 2025 11:23 am"),
        (image(four), "Aug 18, 2025 11:23 am"),
        (image(three), "17. August 2025"),
    )
    files = {one: b"1", two: b"2", three: b"3", four: b"4", PAGE: page(*blocks)}
    advice, *posts = read(export(tmp_path, files), zone=zone)
    assert (advice.reason, advice.source) == ("html_export", f"{tmp_path}/{PAGE}")
    assert "ask Instagram or Facebook for the JSON format" in advice.detail
    moment = datetime(2025, 8, 17, hour, 23, tzinfo=UTC)
    assert {post.read(): post.posted_at for post in posts} == {
        b"1": moment,
        b"2": moment,
        b"3": None,
        b"4": moment.replace(day=18),
    }


def test_pages_beside_json_are_not_needed(tmp_path):
    one = "media/posts/202508/1.jpg"
    blocks = page((image(one), "Aug 17, 2025 11:23 am"))
    (post,) = read(export(tmp_path, {one: b"1", PAGE: blocks, G3: [single(one)]}))
    assert post.posted_at.timestamp() == 1_790_000_000


def test_pages_follow_the_same_rules_as_indexes(tmp_path):
    one, story, chat = (f"media/{x}/202508/1.jpg" for x in ("posts", "stories", "other"))
    activity = "your_instagram_activity"
    files = {one: b"1", story: b"2", chat: b"3", PAGE: page((image(one), ""))} | {
        f"{activity}/media/stories.html": page((image(story), "")),
        f"{activity}/messages/inbox/x/message_1.html": page((image(chat), "")),
        f"{activity}/media/recently_deleted_content.html": page((image(one), "")),
    }
    items = read(export(tmp_path / "1", files))
    assert {item.reason for item in items} == {"html_export"}
    del files[f"{activity}/media/recently_deleted_content.html"]
    posts = [item for item in read(export(tmp_path / "2", files)) if not hasattr(item, "reason")]
    assert [post.read() for post in posts] == [b"1"]


def test_media_outside_the_export_are_never_opened(tmp_path):
    places = ("http://x.test/media/1.jpg", "../media/1.jpg", "/etc/media/passwd", "file:///media/x")
    page_only = {PAGE: page(*((image(place), "") for place in places)), "media/posts/1.jpg": b"1"}
    reasons = [getattr(item, "reason", "post") for item in read(export(tmp_path, page_only))]
    assert sorted(reasons) == ["html_export", "post", "unsafe_path", "unsafe_path"]


def test_other_pages_are_no_exports(tmp_path):
    (post,) = read(export(tmp_path, {"shop.html": b'<img src="pictures/a.jpg">'}))
    assert post.source.endswith("shop.html")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Aug 06, 2012 4:13 pm", datetime(2012, 8, 6, 16, 13, tzinfo=UTC)),
        ("Sep 8, 2016, 4:36 PM", datetime(2016, 9, 8, 16, 36, tzinfo=UTC)),
        ("Sep 03, 2009 5:11:57 am", datetime(2009, 9, 3, 5, 11, 57, tzinfo=UTC)),
        ("December 31, 2025 12:00\u202fAM", datetime(2025, 12, 31, tzinfo=UTC)),
        ("Dec 31, 2025 12:30 pm", datetime(2025, 12, 31, 12, 30, tzinfo=UTC)),
        ("Feb 31, 2025 1:00 pm", None),
        ("Aug 06, 2030 4:13 pm", None),
        ("Aug 06, 1912 4:13 pm", None),
        ("2025:08:17 10:00:00", None),
        ("", None),
    ],
)
def test_dates_on_pages(text, expected):
    assert written_date(text, NOW) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Aug 06, 2012 6:13 pm UTC+02",
        "August 6, 2012 at 6:13pm UTC+02:00",
        "6 August 2012 at 11:13 GMT-5",
        "06.08.2012 16:13 UTC",
    ],
)
def test_an_offset_after_a_date_on_a_page_counts(text):
    there = timezone(timedelta(hours=9))
    assert written_date(text, NOW, there) == datetime(2012, 8, 6, 16, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "06 août 2012 16:13",
        "6. Aug. 2012, 16:13",
        "6. August 2012 um 16:13",
        "06.08.2012, 16:13:00",
        "6 ago 2012, 16:13",
        "6 de agosto de 2012 16:13",
        "6 ago 2012 alle 16:13",
        "6 de ago. de 2012 16:13",
        "6 aug. 2012 om 16:13",
        "6\xa0aou\u0302t 2012 à 16:13",
        "2012-08-06 16:13",
        "2012年8月6日 16:13",
    ],
)
def test_unambiguous_dates_of_other_languages_are_read(text):
    assert written_date(text, NOW) == datetime(2012, 8, 6, 16, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "06/08/2012 16:13",  # of the 6th month or day
        "6 marras 2012 16:13",  # Finnish: November, and not March
        "6 lis 2012 16:13",  # Polish: November; Croatian: October
        "6 ago 2012, 4:13 p. m.",
        "2012年8月6日 下午4:13",  # in the afternoon
        "2012년 8월 6일 오후 4:13",
        "١٦ أغسطس ٢٠١٢ ١٦:١٣",
        "seen on 06.08.2012 16:13 at home",
        "6. Aug. 2012",
        "31.02.2012 16:13",
    ],
)
def test_ambiguous_dates_are_not_read(text):
    assert written_date(text, NOW) is None


def test_twelve_months_of_six_languages(tmp_path):
    """Against Unicode's locale data (CLDR 44), full and short names."""
    for names in CLDR.splitlines():
        dates = [written_date(f"3 {name} 2024 10:00", NOW) for name in names.split()]
        assert dates == [datetime(2024, month, 3, 10, tzinfo=UTC) for month in range(1, 13)]


@given(
    st.lists(st.sampled_from([image("media/a.jpg"), "<!--", "<", '<img src="', "\0", "&#x", ">"]))
)
def test_any_page_is_read_or_skipped(parts):
    class Page(LoneFile):
        def __init__(self):
            pass

        def read(self, name, limit):
            return "".join(parts).encode()

    assert all(entry.uri for entry in read_page(Page(), "posts_1.html", Request(now=NOW)).entries)

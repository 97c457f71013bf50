"""Who may be written to; a mistake must never let somebody through who said no."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendscope.errors import TrendscopeError
from trendscope.recommend.contact_lists import NameList, consent, read_names

PEOPLE = ("anna", "Ben", "Zoë K", "=SUM(A1)", "ann (2)")


def names(*listed):
    return NameList("list.csv", frozenset(listed))


def test_without_lists_everybody():
    found = consent(PEOPLE, None, None)
    assert (found.allowed, found.withheld, found.strangers) == (PEOPLE, (), {})


def test_only_lets_through_who_is_listed_by_the_very_name():
    found = consent(PEOPLE, names("anna", "ben"), None)
    assert found.allowed == ("anna",)
    assert found.withheld == PEOPLE[1:]
    assert found.strangers == {"list.csv": ("ben",)}


@pytest.mark.parametrize(
    ("listed", "who"),
    [
        ("ANNA", "anna"),
        ("ben", "Ben"),
        ("zoe\u0308  k", "Zoë K"),  # the two dots as a sign of their own, two blanks
        ("\uff42\uff45\uff4e", "Ben"),  # full width
        ("'=SUM(A1)", "=SUM(A1)"),  # as a spreadsheet's CSV has it
        ("=SUM(A1)", "=SUM(A1)"),
    ],
)
def test_never_also_meets_who_is_written_otherwise(listed, who):
    found = consent(PEOPLE, None, names(listed))
    assert found.withheld == (who,) and found.strangers == {}


def test_never_wins_over_only():
    assert consent(PEOPLE, names("anna", "Ben"), names("anna")).allowed == ("Ben",)


def test_an_empty_list_of_the_allowed_allows_nobody():
    assert consent(PEOPLE, names(), None).allowed == ()
    assert consent(PEOPLE, None, names()).allowed == PEOPLE


def test_names_that_nobody_has_are_told():
    found = consent(PEOPLE, None, names("Anja", "anna", "'=SUM(A1)"))
    assert found.strangers == {"list.csv": ("Anja",)}


texts = st.text(min_size=1, max_size=5)


@given(st.lists(texts, unique=True), st.none() | st.sets(texts), st.none() | st.sets(texts))
def test_nobody_is_lost_and_nobody_who_said_no_is_let_through(people, only, never):
    lists = [None if listed is None else names(*listed) for listed in (only, never)]
    found = consent(people, *lists)
    assert sorted(found.allowed + found.withheld) == sorted(people)
    assert not {*found.allowed} & (never or set())
    assert only is None or {*found.allowed} <= only | {name[1:] for name in only}


def test_a_file(tmp_path):
    path = tmp_path / "never.csv"
    path.write_text("\ufeffE-Mail;Customer \nx@y;anna\n;  \nz@y; Zoë K \n", encoding="utf-8")
    assert read_names(path) == NameList(str(path), frozenset({"anna", "Zoë K"}))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"name\nanna\n", "no column 'customer'; it has: name"),
        (b"", "give a CSV with the header customer"),
        (b"customer\nZo\xeb\n", "give a CSV with the header customer"),
    ],
)
def test_a_file_that_is_no_list_is_refused(tmp_path, content, words):
    path = tmp_path / "never.csv"
    path.write_bytes(content)
    with pytest.raises(TrendscopeError, match=words):
        read_names(path)
    with pytest.raises(TrendscopeError, match="No such file"):
        read_names(tmp_path / "missing.csv")

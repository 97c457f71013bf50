"""Who may be written to; nobody on the list `never` may get through by mistake."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendscope.errors import TrendscopeError
from trendscope.recommend.contact_lists import NameList, consent, read_names
from trendscope.text import composed

PEOPLE = ("anna", "Ben", "Zoë K", "=SUM(A1)", "ann (2)")


def names(*listed):
    return NameList("list.csv", frozenset(listed))


def test_without_lists_everybody_may_be_written_to():
    lists = consent(PEOPLE, None, None)
    assert (lists.allowed, lists.suppressed, lists.unknown_names) == (PEOPLE, (), {})


def test_only_allows_exactly_the_listed_names():
    lists = consent(PEOPLE, names("anna", "ben"), None)
    assert lists.allowed == ("anna",)
    assert lists.suppressed == PEOPLE[1:]
    assert lists.unknown_names == {"list.csv": ("ben",)}


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
def test_never_also_suppresses_other_spellings_of_a_name(listed, who):
    lists = consent(PEOPLE, None, names(listed))
    assert lists.suppressed == (who,) and lists.unknown_names == {}


def test_a_customer_on_both_lists_is_suppressed():
    assert consent(PEOPLE, names("anna", "Ben"), names("anna")).allowed == ("Ben",)


def test_an_empty_only_list_allows_nobody():
    assert consent(PEOPLE, names(), None).allowed == ()
    assert consent(PEOPLE, None, names()).allowed == PEOPLE


def test_names_that_no_customer_has_are_reported():
    lists = consent(PEOPLE, None, names("Anja", "anna", "'=SUM(A1)"))
    assert lists.unknown_names == {"list.csv": ("Anja",)}


texts = st.text(min_size=1, max_size=5)


@given(st.lists(texts, unique=True), st.none() | st.sets(texts), st.none() | st.sets(texts))
def test_every_customer_is_allowed_or_suppressed_and_never_always_holds(people, only, never):
    files = [None if listed is None else names(*listed) for listed in (only, never)]
    lists = consent(people, *files)
    assert sorted(lists.allowed + lists.suppressed) == sorted(people)
    assert not {*lists.allowed} & (never or set())
    assert only is None or {*map(composed, lists.allowed)} <= {
        composed(name) for listed in only for name in (listed, listed[1:])
    }


def test_read_names_reads_the_column_customer(tmp_path):
    path = tmp_path / "never.csv"
    path.write_text("\ufeffE-Mail;Customer \nx@y;anna\n;  \nz@y; Zoë K \n", encoding="utf-8")
    assert read_names(path) == NameList(str(path), frozenset({"anna", "Zoë K"}))


def test_a_list_of_windows_and_names_in_another_form_of_unicode_are_known(tmp_path):
    path = tmp_path / "only.csv"
    path.write_bytes("customer\nZoë\n".encode("cp1252"))
    assert read_names(path).names == {"Zoë"}
    lists = consent(["Zoe\u0308", "Zoe"], read_names(path), None)
    assert lists.allowed == ("Zoe\u0308",) and not lists.unknown_names


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"name\nanna\n", "no column 'customer'; it has: name"),
        (b"", "give a CSV with the header customer"),
        ("customer\nŁukasz Żółć\n".encode("cp1250"), "give a CSV with the header customer"),
        (b"customer\nZo\xc3\nB\xc3\xb6b", "line 2: a letter is broken"),
    ],
)
def test_read_names_refuses_a_file_without_the_column(tmp_path, content, words):
    path = tmp_path / "never.csv"
    path.write_bytes(content)
    with pytest.raises(TrendscopeError, match=words):
        read_names(path)
    with pytest.raises(TrendscopeError, match="No such file"):
        read_names(tmp_path / "missing.csv")

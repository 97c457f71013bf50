"""Prices as shops write them: ``15.00 USD``, ``1.299,00 EUR``, ``$1,299``, ``CHF 1'299.-``.

A single point or comma before three digits can be either sign; it is read only where the currency
or the file's other prices tell which, and otherwise the price stays open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

_SIGNS = {"€": "EUR", "£": "GBP", "US$": "USD", "₹": "INR", "zł": "PLN", "₺": "TRY", "Fr.": "CHF"}
_SHARED_SIGNS = ("$", "¥", "kr", "kr.", "C$", "A$", "R$", "₩", "₽", "Kč", "Ft", "lei")
"""Signs that several currencies share; left as they are written."""

_NUMBER = re.compile(r"\d(?:[\d.,' \u00a0\u202f’]*\d)?")  # noqa: RUF001
_MOST = Decimal(10) ** 9


@dataclass(frozen=True)
class Price:
    """A price as it was read.

    Attributes:
        amount: The amount; None without one, or if it is not certain.
        currency: ISO 4217, or the sign as written; empty if the text names none.
        problem: Reason why there is no amount; empty for an empty text.
    """

    amount: Decimal | None
    currency: str = ""
    problem: str = ""


def decimal_sign(texts: Iterable[str]) -> str | None:
    """The decimal sign of a file's prices; None if no price shows it, or they differ."""
    signs = set()
    for text in texts:
        if match := _NUMBER.search(text):
            digits = re.sub(r"[' \u00a0\u202f’]", "", match[0])  # noqa: RUF001
            if cents := re.search(r"([.,])\d{1,2}$", digits):
                signs.add(cents[1])
    return signs.pop() if len(signs) == 1 else None


def is_zero(text: str) -> bool:
    """Whether a text is a price of zero, with or without a currency."""
    match = _NUMBER.search(text)
    return match is not None and re.search("[1-9]", text) is None


def read_price(text: str, sign: str | None = None) -> Price:
    """Reads a price.

    Args:
        sign: Decimal sign of the file's other prices, from `decimal_sign`.
    """
    text = text.strip()
    if not text:
        return Price(None)
    match = _NUMBER.search(text)
    if not match:
        return Price(None, problem=f"{_short(text)} is no price")
    rest = re.sub(r"^[,.]?[-–—]+|\s", "", text[match.end() :])  # noqa: RUF001
    currency = _currency(re.sub(r"\s", "", text[: match.start()]), rest)
    if currency is None:
        return Price(None, problem=f"{_short(text)} is no single price")
    amount = _amount(match[0], sign)
    if amount is None:
        return Price(None, currency, f"{_short(text)} can be read in two ways; write it with cents")
    if not 0 < amount < _MOST:
        return Price(None, currency, f"{_short(text)} is no price anybody pays")
    return Price(amount, currency)


def _currency(before: str, after: str) -> str | None:
    """The currency before or after the number; None if there is more than a currency."""
    words = {part for part in (before, after) if part}
    if len(words) > 1:
        return None
    word = words.pop() if words else ""
    if word in _SIGNS:
        return _SIGNS[word]
    if word in _SHARED_SIGNS or not word:
        return word
    return word.upper() if re.fullmatch(r"[A-Za-z]{3}", word) else None


def _amount(number: str, sign: str | None) -> Decimal | None:
    digits = re.sub(r"[' \u00a0\u202f’]", "", number)  # noqa: RUF001
    marks = re.findall(r"[.,]", digits)
    if not marks:
        return Decimal(digits)
    last = digits.rpartition(marks[-1])[2]
    if len({*marks}) == 2:
        if marks.count(marks[-1]) > 1 or not _grouped(digits.rpartition(marks[-1])[0], marks[0]):
            return None
        return _with_cents(digits, marks[-1])
    if len(marks) > 1:
        return Decimal(re.sub("[.,]", "", digits)) if _grouped(digits, marks[0]) else None
    if len(last) in (1, 2) or digits.startswith("0"):
        return _with_cents(digits, marks[0])
    if len(last) != 3 or sign is None or sign == marks[0] or len(digits) > 7:
        return None
    return Decimal(re.sub("[.,]", "", digits))


def _grouped(digits: str, mark: str) -> bool:
    return re.fullmatch(rf"\d{{1,3}}(?:{re.escape(mark)}\d{{2,3}})+", digits) is not None


def _with_cents(digits: str, mark: str) -> Decimal | None:
    units, _, cents = digits.rpartition(mark)
    if len(cents) > 3:
        return None
    return Decimal(f"{re.sub('[.,]', '', units)}.{cents}")


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:39]}…")

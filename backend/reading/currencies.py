"""Currencies by sign and by code; a sign that stands for several stays several until something tells."""

import re

from backend.reading.items import Unreadable, quoted


def several(words: str) -> frozenset[str]:
    return frozenset(words.split())


Sign = frozenset[str]
"""The currencies that it can stand for."""

# The longer ones first, since they hold the shorter.
SIGNS: dict[str, Sign] = {
    "US$": several("USD"),
    "CA$": several("CAD"),
    "AU$": several("AUD"),
    "NZ$": several("NZD"),
    "HK$": several("HKD"),
    "C$": several("CAD"),
    "A$": several("AUD"),
    "S$": several("SGD"),
    "R$": several("BRL"),
    "$": several("USD CAD AUD NZD SGD HKD TWD MXN ARS CLP COP"),
    "€": several("EUR"),
    "£": several("GBP"),
    "₹": several("INR"),
    "₪": several("ILS"),
    "₩": several("KRW"),
    "₺": several("TRY"),
    "₴": several("UAH"),
    "zł": several("PLN"),
    "¥": several("JPY CNY"),
    "kr": several("SEK NOK DKK ISK CZK"),
}
# Three capitals in the midst of other words have to be known, or OTE would be money.
CODES = several(
    "AED ARS AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR ISK JPY KES KRW MAD"
    " MXN MYR NGN NOK NZD PEN PHP PKR PLN QAR RON RSD SAR SEK SGD THB TRY TWD UAH USD VND ZAR"
)
LETTER = r"[^\W\d_]"
WRITTEN = re.compile(
    rf"(?<!{LETTER})(?:{'|'.join(map(re.escape, SIGNS))})\.?(?!{LETTER})"
    rf"|(?<!{LETTER})(?:{'|'.join(sorted(CODES))})(?!{LETTER})"
)
UNTOLD = several("- n/a na nan none null unknown") | {""}


def signs_in(text: str) -> list[Sign]:
    return [SIGNS.get(sign.rstrip("."), frozenset({sign})) for sign in WRITTEN.findall(text)]


def currency(value: object) -> Sign:
    """Of a cell that holds nothing else. A bare `$` tells as little there as anywhere."""
    text = value.strip() if isinstance(value, str) else None
    if text is not None and text.casefold() in UNTOLD:
        return frozenset()
    if text in SIGNS:
        return SIGNS[text]
    if text is None or not re.fullmatch(r"[A-Za-z]{3}", text):
        raise Unreadable(f"Not a currency: {quoted(value)}; write three letters, as EUR")
    return frozenset({text.upper()})


def agreed(signs: list[Sign]) -> Sign:
    """What all of them can stand for."""
    told = [sign for sign in signs if sign]
    if not told:
        return frozenset()
    if common := frozenset.intersection(*told):
        return common
    raise Unreadable(f"More than one currency: {' and '.join('/'.join(sorted(sign)) for sign in told)}")

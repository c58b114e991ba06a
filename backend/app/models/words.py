"""Words: what of a text can be found, so that however it is written and searched for, the two meet."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

# What is longer is no text that anybody reads, and would keep every other request waiting.
LONGEST_TEXT = 50_000
LONGEST_WORD = 40
LONGEST_NAME = 80
WORDS_KEPT = 100_000
NAMES_KEPT = 20_000

# Letters that Unicode does not take apart, as people without them on their keyboard write them.
_ALIKE = {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th"}
_ALIKE |= {"\u266f": "#"}
_ANY_ALIKE = re.compile(f"[{''.join(_ALIKE)}]")
# Accents, the vowel signs that Hebrew and Arabic may leave out, and what is not seen at all.
_ACCENTS = re.compile(
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\ufe20-\ufe2f"
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670"
    "\u00ad\u200d\u2060\ufeff]+"
)
# No writing has so many signs in a row; Unicode puts them in order in the square of the time.
_NO_TEXT = re.compile(r"[^\w\s]{30,}")
_HALF_WIDTH_SIGNS = {"\uff9e": "\u3099", "\uff9f": "\u309a"}
# Thai, Lao, Burmese, Khmer, Japanese and Chinese: written without spaces, so each sign is a word.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
)
# The vowel signs of Indian scripts are parts of words, which Python's \w does not say; full stops are not.
_LETTER = "[^\\W_" + _UNSPACED + "]|[\u0900-\u0963\u0966-\u0dff]"
_WORD = re.compile(
    # C++, C# and .NET are words.
    rf"(\.net(?!\w)|[{_UNSPACED}]|(?:{_LETTER})+(?:\+\+|\#(?!\w))?)(?:['\u2019]s(?!\w))?"
)
_ASCII_WORD = re.compile(r"(\.net(?!\w)|[a-z0-9]+(?:\+\+|#(?!\w))?)(?:'s(?!\w))?", re.ASCII)
# What takes more than to know letters from what is none.
_SPECIAL = re.compile(r"\+\+|#|'s|\.net")
_SPACED = {code: " " for code in range(128) if not chr(code).isalnum()}
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")


def folded(text: str) -> str:
    """Without case and accents, and as one reads it: full-width letters are letters."""
    text = text[:LONGEST_TEXT]
    if text.isascii():
        return text.lower()
    for sign, apart in _HALF_WIDTH_SIGNS.items():
        text = text.replace(sign, apart)
    # One letter may become eighteen.
    parts = unicodedata.normalize("NFKD", _NO_TEXT.sub(" ", text))[:LONGEST_TEXT]
    plain = _ANY_ALIKE.sub(lambda letter: _ALIKE[letter[0]], _ACCENTS.sub("", parts).casefold())
    return unicodedata.normalize("NFKC", plain)


def words(text: str) -> Sequence[str]:
    """The words of a text, in their order."""
    return _of_a_name(text) if len(text) <= LONGEST_NAME else _words_of(text)


def _words_of(text: str) -> list[str]:
    plain = folded(text)
    if not plain.isascii():
        found = _WORD.findall(plain)
    elif _SPECIAL.search(plain):
        found = _ASCII_WORD.findall(plain)
    else:
        # The same for most texts, in a third of the time.
        found = plain.translate(_SPACED).split()
    return [_words[word] for word in found]


@lru_cache(NAMES_KEPT)
def _of_a_name(text: str) -> Sequence[str]:
    """Skills, places, companies and titles come again and again."""
    return tuple(_words_of(text))


def whole(text: str) -> str:
    """A name of one or more words, as it is compared whole."""
    return " ".join(words(text)) or folded(text).strip()


def is_unspaced(text: str) -> bool:
    return _IS_UNSPACED.match(text) is not None


def _singular(word: str) -> str:
    """One and many are the same word: a light touch, which does little harm to what is not English."""
    if len(word) < 4:
        return word
    # GPUs, but not a status.
    if word.endswith("s") and not word.endswith("ss") and (len(word) == 4 or not word.endswith("us")):
        word = word[:-1]
    if len(word) < 4:
        return word
    # What is left of boxes or caches with an e may be box or cache; of companies or movies, company or movie.
    if word.endswith("ie"):
        return word[:-2] + "y"
    return word[:-1] if word.endswith(("sse", "she", "che", "xe", "ze", "use")) else word


class _Words(dict[str, str]):
    """What is found, as the word it is. Worked out once for what comes first, which is what is common."""

    def __missing__(self, found: str) -> str:
        word = _singular(found[:LONGEST_WORD])
        if len(self) < WORDS_KEPT and len(found) <= LONGEST_WORD:
            self[found] = word
        return word


_words = _Words()

COMMON = frozenset(
    words(
        "a about all also an and any are as at be been but by can do for from get has have he her his how i "
        "if in into is it its may more most my no not of on one or other our out over she so such than that "
        "the their them these they this to up us was we what when where which while who will with within "
        "would you your"
    )
)
"""What most English texts have, so that it tells hardly any of them apart."""

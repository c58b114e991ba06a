"""Text as boards deliver it, made readable: HTML, entities, letters decoded by the wrong table."""

import html
import re

import ftfy

# Twice escaped is common, thrice has been seen.
ROUNDS = 3
# Only with the semicolon: the query `?a=1&copy=2` is no copyright sign.
ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
# Such signs alone are never the trace of a wrong table, and most texts hold no others.
DOUBTFUL = re.compile(
    r"[^\x00-\x7f\u2010-\u2015\u2018\u2019\u201c\u201d\u2022\u2026\u20ac\u2122\xa0\xae\xb7]"
)
# Control characters, soft hyphens, spaces of no width.
UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\xad\u200b\u2060\ufeff]")
REPAIR = ftfy.TextFixerConfig(
    unescape_html=False,
    uncurl_quotes=False,
    fix_latin_ligatures=False,
    fix_character_width=False,
    normalization=None,
    explain=False,
)

INLINE = "a|abbr|b|center|code|em|font|i|img|ins|kbd|label|mark|q|s|small|span|strong|sub|sup|u|wbr"
BLOCK = (
    "address|article|aside|blockquote|body|br|caption|dd|div|dl|dt|figure|footer|form|h[1-6]|head|header|hr|html"
    "|iframe|input|li|link|main|meta|nav|ol|p|pre|script|section|style|svg|table|tbody|td|tfoot|th|thead|tr|ul"
)
# By name, and what follows has to look like attributes: `List<String>` and `a <b and c> d` are text.
TAG = re.compile(rf"<(/?)(?:({BLOCK})|{INLINE})(?:\s+[\w:-]+\s*=[^<>]*|\s*)/?>", re.IGNORECASE)
# One that is never closed goes to the end, as in a browser.
UNSHOWN = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)


def line(text: str, repair: bool = True) -> str:
    """Text of one line: a title, a company, a place."""
    return " ".join((plain(text) if repair else text).split())


def prose(text: str, repair: bool = True) -> str:
    """Text of many lines: paragraphs and list items have one each."""
    if not repair:
        return text
    text = "\n".join(part.rstrip() for part in plain(text).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def plain(text: str) -> str:
    # Before the entities too: a no-break space made of `&nbsp;` would look like part of what is broken.
    text = repaired(text)
    decoded = unescaped(text)
    if decoded != text:
        text = repaired(decoded)
    return UNSEEN.sub("", text.replace("\xa0", " ").replace("\r\n", "\n").replace("\r", "\n"))


def repaired(text: str) -> str:
    return text if text.isascii() or not DOUBTFUL.search(text) else ftfy.fix_text(text, REPAIR)


def unescaped(text: str) -> str:
    """Without tags and entities."""
    stripped = False
    for _ in range(ROUNDS):
        if not stripped and "<" in text and TAG.search(text):
            # Once only: in `<p>Close every &lt;div&gt;</p>` the second is what the text is about.
            text, stripped = without_tags(text), True
        if "&" not in text or not ENTITY.search(text):
            break
        text = ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    return text


def without_tags(text: str) -> str:
    def shown(tag: re.Match[str]) -> str:
        closing, block = tag[1], (tag[2] or "").lower()
        if block == "li":
            return "" if closing else "\n- "
        return "\n" if block else ""

    text = " ".join(UNSHOWN.sub(" ", text).split())
    lines = (part.strip() for part in TAG.sub(shown, text).split("\n"))
    return "\n".join(part for part in lines if part and part != "-")

"""Bytes that no strict JSON parser takes: hundreds of bodies made of one good one."""

import base64
import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any
from urllib.parse import quote

import bson

Json = Any
Place = tuple[str | int, ...]


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _strings() -> Iterator[bytes]:
    # Every control character, which JSON has only as an escape.
    yield from (b'"a%cb"' % code for code in range(0x20))
    bad_escapes = r"\x41 \a \' \0 \8 \u \u1 \u12 \u123 \u12G4 \u+041 \u{41} \U00000041 \N{DASH} \é \%41"
    yield from (f'"{escape}"'.encode() for escape in bad_escapes.split(" "))
    yield from (b'"\\\n"', b'"\\\t"', b'"\\ "', b'"\\"', b'"\\\\\\"', b'"\\u00')
    alone = r"\ud800 \udbff \udc00 \udfff \ud800\ud800 \udc00\ud800 \ud800a \ud800\u0041 \ud83d\ud83d\ude00"
    yield from (f'"{escape}"'.encode() for escape in alone.split(" "))
    not_utf8 = (
        b"\x80",
        b"\xbf",
        b"\xc3",
        b"\xc3(",
        b"\xe2\x82",
        b"\xe2(\xa1",
        b"\xf0\x9f\x98",
        b"\xf0(\x8c\xbc",
        b"\xfe",
        b"\xff",
        b"caf\xe9",
        # Overlong forms of NUL, of a slash and of a quotation mark.
        b"\xc0\x80",
        b"\xc0\xaf",
        b"\xc1\xbf",
        b"\xc0\xa2",
        b"\xe0\x80\xaf",
        b"\xe0\x9f\xbf",
        b"\xf0\x80\x80\xaf",
        b"\xf8\x80\x80\x80\xaf",
        b"\xfc\x80\x80\x80\x80\xaf",
        # Surrogates, alone and as CESU-8 has them, and what lies past U+10FFFF.
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xed\xa0\xbd\xed\xb8\x80",
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xf8\x88\x80\x80\x80",
    )
    yield from (b'"' + sequence + b'"' for sequence in not_utf8)
    yield from (b"'a'", b"`a`", b'"a', b'a"', b'"a" "b"', b'"a"+"b"', b'u"a"', b'b"a"', b'"""a"""', b"\"a'")
    yield from ("“a”".encode(), "«a»".encode(), "\uff02a\uff02".encode())


LITERALS = words(
    "nul nulll Null NULL tru truee True TRUE fals falsee False FALSE None nil undefined yes on a é ~"
)
NUMBERS = words(
    "NaN nan -NaN +NaN Infinity -Infinity +Infinity inf -inf Inf INF 1.#INF 01 -01 00 007 0123.4 0x1F 0X1f "
    "-0xA 0o17 0b11 1. -1. .5 -.5 . 1.e5 1e 1e+ 1E- 1e5.5 1e1e1 1e+-1 1eE1 e5 +1 ++1 --1 +-1 - + -a 1_000 "
    "1,000 1'000 0.1.2 1..2 1a 1L 1f 1n 1d 0e 0e+ 1/2 1% $1 #1 1! ½ ² ∞ 0.3e 0.3.e1 "
    "\N{FULLWIDTH DIGIT ONE} \N{ARABIC-INDIC DIGIT THREE} 1e\N{ARABIC-INDIC DIGIT THREE} \N{MINUS SIGN}1"
)
STRUCTURES = words(
    '[ ] [1 [1, [1,] [,1] [,] [1,,2] [1;2] [1:2] ["a":1] [1]] [[1] [1} [1) (1) (1,2) { } {] [} {{}} '
    '{"a"} {"a":} {"a":,} {"a"::1} {"a",1} {"a";1} {"a"=1} {"a"=>1} {"a":1,} {,"a":1} {"a":1,,"b":2} {,} '
    "{:1} {a:1} {'a':1} {1:1} {null:1} {true:1} {[1]:1} {{}:1} "
    '{"a":1 {"a":1] {"a":1}} {"a {"a":"b {"a":{"b":1} {"a":1}{"b":2} [1][2] [1]x {"a":1}# {"a":1}; '
    "{...} [...] <1> * & @ = ? ; : , \\ \\u0031 /a/ =1 a=1 a:1 function(){} ISODate() ObjectId() "
    "Date(0) undefined() !!null |a >a --- <?xml?> <a/> %7B%7D {%} {{a}} ${a}"
)
SPACED = (
    "[1 2]",
    "[1 , , 2]",
    '{"a" 1}',
    '{"a":1 "b":2}',
    '{"a": 1 2}',
    "1 2",
    "1 000",
    "1e 5",
    "- 1",
    "1 .5",
    "tr ue",
    "null null",
    "new Date(0)",
    "1 // c",
    "1 # c",
    "// c\n1",
    "# c\n1",
    "/* c */ 1",
    "1 /* c */",
    "/**/1",
    "[1, /* c */ 2]",
    '{"a": /* c */ 1}',
    "<!-- c --> 1",
    "-- c\n1",
    "; c\n1",
    # What Unicode, C and JavaScript call white space and JSON does not.
    "\f1",
    "\v1",
    "\0" + "1",
    "1\0",
    "1\x1a",
    "\x1e1",
    "\x7f1",
    "\x85" + "1",
    "\xa01",
    "\u16801",
    "\u200b1",
    "\u20281",
    "\u20291",
    "\u20601",
    "\u30001",
    "\ufeff1",
    "1\ufeff",
    "\\n1",
)

FRAGMENTS: tuple[bytes, ...] = tuple(
    dict.fromkeys(
        (
            *(text.encode() for text in (*LITERALS, *NUMBERS, *STRUCTURES, *SPACED)),
            *_strings(),
        )
    )
)
"""Malformed where a value should stand."""

AROUND = (
    # Marks of an encoding, and bytes that are none.
    *(
        (b"\xef\xbb\xbf", b""),
        (b"", b"\xef\xbb\xbf"),
        (b"\xff", b""),
        (b"", b"\xff"),
        (b"\0", b""),
        (b"", b"\0"),
    ),
    # More than one document, or a bracket too many.
    *((b"", end) for end in (b",", b"}", b"]", b"x", b";", b" null", b"{}", b"\n[]", b"\x1a")),
    *((start, b"") for start in (b"[", b"{", b",", b"null ", b"x")),
    *((b"(", b")"), (b"{", b"}"), (b"[", b"}")),
    # Comments.
    *(
        (b"", b" // c"),
        (b"", b" # c"),
        (b"/* c */", b""),
        (b"// c\n", b""),
        (b"# c\n", b""),
        (b"<!-- c -->", b""),
    ),
    # What JSON comes wrapped in elsewhere.
    *((b"\x1e", b"\n"), (b")]}',\n", b""), (b"while(1);", b""), (b"callback(", b")"), (b"var a = ", b";")),
    *(
        (b"data: ", b"\n\n"),
        (b"json=", b""),
        (b"--x\r\n\r\n", b"\r\n--x--"),
        (b"---\n", b""),
        (b"`", b"`"),
        (b"'", b"'"),
    ),
)
CODED: tuple[Callable[[bytes], bytes], ...] = (
    lambda body: body.decode().encode("utf-16"),
    lambda body: body.decode().encode("utf-16-le"),
    lambda body: body.decode().encode("utf-16-be"),
    lambda body: body.decode().encode("utf-32"),
    lambda body: body.decode().encode("utf-32-le"),
    lambda body: body.decode().encode("utf-32-be"),
    lambda body: body.decode().encode("cp037"),
    lambda body: quote(body).encode(),
    lambda body: repr(json.loads(body)).encode(),
    lambda body: bson.encode(json.loads(body)),
    base64.b64encode,
    gzip.compress,
    zlib.compress,
)
REPLACED = (
    *((b'"', b"'"), (b'"', b""), (b'"', b'\\"'), (b'"', b'""')),
    *((b":", b"="), (b":", b""), (b":", b"::"), (b":", "\N{FULLWIDTH COLON}".encode())),
    *(
        (b"}", b",}"),
        (b"}", b',"a"}'),
        (b"}", b',"a":}'),
        (b"}", b',,"a":1}'),
        (b"}", b""),
        (b"{", b"{,"),
        (b"{", b""),
    ),
)


def spoilt(body: bytes) -> Iterator[bytes]:
    """A good body as a whole made malformed."""
    yield from (start + body + end for start, end in AROUND)
    yield from (code(body) for code in CODED)
    yield from (body.replace(good, bad) for good, bad in REPLACED)
    yield from (body + body, body + b"\n" + body, body[:-1], body[1:], body[: len(body) // 2])


BARE = (
    b"",
    b" ",
    b"\r\n\t ",
    b"\0",
    b"\0" * 1024,
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"[" * 100_000 + b"]" * 99_999,
)
"""Not even the beginning of a good body."""


def bodies(body: dict[str, Json]) -> Iterator[bytes]:
    """The good body made malformed in every way: as a whole, bare, and by turns in each place of a value."""
    good = json.dumps(body).encode()
    yield from spoilt(good)
    yield from (*FRAGMENTS, *BARE)
    for fragment, place in zip((*FRAGMENTS, b""), cycle(places(body))):
        yield with_raw(body, place, fragment)


def with_raw(body: Json, place: Place, raw: bytes) -> bytes:
    """A body as JSON, but for one place, where these bytes stand."""
    return json.dumps(put(body, place, "#HOLE#")).encode().replace(b'"#HOLE#"', raw)


def places(value: Json) -> Iterator[Place]:
    """Where each member and item of a JSON value stands."""
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, inside in members:
        yield (step,)
        yield from ((step, *rest) for rest in places(inside))


def put(value: Json, place: Place, what: Json) -> Json:
    """A copy with something else in one place, the way there made where there is none."""
    if not place:
        return what
    step, *rest = place
    if isinstance(value, list) and isinstance(step, int):
        return [put(item, tuple(rest), what) if index == step else item for index, item in enumerate(value)]
    inside = value if isinstance(value, dict) else {}
    return {**inside, step: put(inside.get(step), tuple(rest), what)}


def is_json(raw: bytes) -> bool:
    """Judged by a parser that is not the app's: the standard library's, made strict."""

    def refuse(literal: str) -> None:
        raise ValueError(literal)

    try:
        # Python takes lone surrogates, which are not text in any encoding.
        json.dumps(json.loads(raw.decode(), parse_constant=refuse), ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return True

"""What a person says about a file: which column is which field, and how to read what is ambiguous."""

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backend.reading.fields import Kind, fields_of
from backend.reading.items import Unreadable, quoted

PREFIX = ".prefix"


class Mapping(BaseModel):
    """The members are those of a mapping file; `--map` says the same in pairs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: dict[str, str] = {}
    """Our field: their column. An empty column keeps the field out."""
    constants: dict[str, Any] = {}
    """Our field: the value where no column gives one."""
    prefixes: dict[str, str] = {}
    """Our field: what goes before its value. Keeps two sources that count alike apart."""
    guess: bool = True
    """Whether columns that are not named here are known by their names."""
    dates: Annotated[str, Field(pattern=r"^(day first|month first|.*%.*)$")] | None = None
    """How to read 03/04/2026; or a pattern as strptime has it."""
    decimal: Literal["point", "comma"] | None = None
    """What 1.234 is: with a point, one and a bit; with a comma, a thousand and more."""
    separator: Annotated[str, Field(min_length=1)] | None = None
    """Between the words of a list."""
    drop: tuple[str, ...] = ()
    """Words that are no skills, whatever the board thinks."""
    other_periods: Literal["refuse", "omit"] = "refuse"
    """Of a salary by the hour, month…: whether the item or only its salary stays out."""
    repair: bool = True
    """Whether HTML, entities and mis-decoded letters become text."""
    items: str = ""
    """In a JSON document that is one object: where its list stands, as `results` or `data.jobs`."""

    @property
    def mark(self) -> str | None:
        """The decimal one."""
        return {"point": ".", "comma": ","}.get(self.decimal or "")


SETTINGS = sorted(set(Mapping.model_fields) - {"columns", "constants", "prefixes"})


def read_mapping(kind: Kind, *texts: str) -> Mapping:
    """Each text is pairs, or the path of a mapping file, which ends in .toml. Later ones take precedence."""
    said: dict[str, Any] = {}
    for text in texts:
        read = in_file(text) if text.endswith(".toml") else in_pairs(text)
        for name, value in read.items():
            said[name] = {**said.get(name, {}), **value} if isinstance(value, dict) else value
    try:
        mapping = Mapping.model_validate(said)
    except ValidationError as error:
        raise Unreadable("; ".join(in_words(fault) for fault in error.errors())) from None
    for name in (*mapping.columns, *mapping.constants, *mapping.prefixes):
        if name not in fields_of(kind):
            raise Unreadable(unknown(name, list(fields_of(kind)), f"{kind} have no field"))
    return mapping


def in_file(path: str) -> dict[str, Any]:
    try:
        document = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise Unreadable(f"The mapping file {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise Unreadable(f"The mapping file {path} is not TOML: {error}") from None
    return {name: dict(flat(value)) if isinstance(value, dict) else value for name, value in document.items()}


def flat(table: dict[str, Any], above: str = "") -> list[tuple[str, Any]]:
    """`salary_range.min = "Low"` is a table in a table to TOML."""
    pairs: list[tuple[str, Any]] = []
    for name, value in table.items():
        inside = isinstance(value, dict)
        pairs += flat(value, f"{above}{name}.") if inside else [(f"{above}{name}", value)]
    return pairs


def in_pairs(text: str) -> dict[str, Any]:
    """`field=Column`, `field:=value`, `field.prefix:=text`, `setting:=value`, with commas between."""
    said: dict[str, Any] = {"columns": {}, "constants": {}, "prefixes": {}}
    for pair in split(text):
        name, equals, value = pair.partition("=")
        if not equals or not name.strip(" :"):
            raise Unreadable(f"Not a pair: {quoted(pair)}; write field=Column or field:=value")
        if not name.endswith(":"):
            said["columns"][name.strip()] = value.strip()
            continue
        name = name[:-1].strip()
        if name in SETTINGS:
            said[name] = tuple(value.split(";")) if name == "drop" else value
        elif name.endswith(PREFIX):
            said["prefixes"][name.removesuffix(PREFIX)] = value
        else:
            said["constants"][name] = value
    return said


def split(text: str) -> list[str]:
    """At commas; one doubled is a comma of the name or value itself."""
    return [part.replace("\0", ",") for part in text.replace(",,", "\0").split(",") if part.strip()]


def unknown(name: str, known: list[str], why: str) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"{why} {quoted(name)}" + (f"; {close[0]}?" if close else f"; they have {', '.join(known)}")


def in_words(fault: Any) -> str:
    name = str(fault["loc"][0]) if fault["loc"] else ""
    if fault["type"] == "extra_forbidden":
        return unknown(name, list(Mapping.model_fields), "A mapping has no member")
    return f"{'.'.join(map(str, fault['loc']))} of the mapping: {fault['msg']}"

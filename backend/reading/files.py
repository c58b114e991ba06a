"""A file, opened and understood: its items one after the other, memory flat."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self

import orjson

from backend.reading import documents, pages, schema_org
from backend.reading.columns import Columns
from backend.reading.fields import Kind
from backend.reading.items import BROKEN_OFF, RAW_SHOWN, Draft, Fault, Item, Record, Unreadable, refused
from backend.reading.mapping import Mapping
from backend.reading.rows import Objects, Rows
from backend.reading.streams import DAMAGED, LONGEST, Source, open_source, why
from backend.reading.tables import Table
from backend.reading.values import check_constants

Form = Literal["ndjson", "json", "csv", "html"]
Vocabulary = Literal["api", "schema.org"]
Interpret = Callable[[Any], Iterable[Draft]]

ENDINGS: dict[str, Form] = {
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".csv": "csv",
    ".tsv": "csv",
    ".html": "html",
    ".htm": "html",
}


class Items(Iterator[Item]):
    """Once through. To be closed, or used in a `with`."""

    def __init__(
        self, source: Source, form: Form, kind: Kind, vocabulary: Vocabulary, mapping: Mapping | None
    ) -> None:
        self.name, self.form, self.total = source.name, form, source.total
        self._source = source
        self._rows: Rows | Objects | None = None
        records: Iterable[Record]
        if form == "csv":
            records = table = Table(source)
            self._rows = Rows(kind, table.names, mapping or Mapping())
        elif form == "html":
            records = pages.blocks(source)
        elif form == "json":
            records = documents.elements(source, mapping.items if mapping else "")
        else:
            records = documents.lines(source)
        self._items = self._made(records, self._interpreter(kind, vocabulary, mapping))

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Item:
        return next(self._items)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._source.close()

    @property
    def done(self) -> int:
        """Bytes of the file that have been read, packed as they are."""
        return self._source.counted.done

    @property
    def columns(self) -> Columns | None:
        return self._rows.columns if self._rows else None

    def _interpreter(self, kind: Kind, vocabulary: Vocabulary, mapping: Mapping | None) -> Interpret:
        if vocabulary == "schema.org":
            return schema_org.Postings(mapping or Mapping())
        if self._rows is None and mapping is None:
            return as_it_stands
        self._rows = rows = self._rows or Objects(kind, mapping or Mapping())
        return lambda record: [rows.draft(record)]

    def _made(self, records: Iterable[Record], interpret: Interpret) -> Iterator[Item]:
        none_yet = True
        is_search = isinstance(interpret, schema_org.Postings)
        for record in whole(records):
            if not (record.fault or is_search or isinstance(record.value, dict)):
                record = refused(record.place, "Not an object", repr(record.value))
            if record.fault:
                none_yet = False
                yield Item(self.name, record.place, None, (record.fault,), record.raw)
                continue
            for index, draft in enumerate(interpret(record.value), 1):
                none_yet = False
                yield self._item(record.place if index == 1 else f"{record.place}, posting {index}", draft)
        if none_yet and is_search:
            yield Item(
                self.name, "all of it", None, (Fault("", "There is no JobPosting in it", "malformed"),), ""
            )

    def _item(self, place: str, draft: Draft) -> Item:
        faults = tuple(draft.faults)
        try:
            size = len(orjson.dumps(draft.fields))
        except TypeError as error:
            fault = Fault("", f"No JSON that can be sent: {error}", "malformed")
            return Item(self.name, place, None, (*faults, fault), repr(draft.fields)[:RAW_SHOWN])
        if size >= LONGEST:
            faults = (*faults, Fault("", "The item is longer than 1 MiB", "too_long"))
        return Item(self.name, place, draft.fields, faults)


def open_items(
    source: str | Path | BinaryIO,
    kind: Kind = "jobs",
    *,
    form: Form | None = None,
    vocabulary: Vocabulary = "api",
    mapping: Mapping | None = None,
) -> Items:
    """`source` is a path, `-` for standard input, or a stream of bytes.

    Without a mapping the columns of CSV are guessed by their names, and JSON is taken as it stands. With one,
    even an empty one, JSON objects are read as rows are: mapped, guessed, cleaned."""
    if vocabulary == "schema.org":
        if kind != "jobs":
            raise Unreadable(f"schema.org describes jobs here, not {kind}")
        if mapping and any(mapping.columns.values()):
            raise Unreadable(
                "The names of schema.org are known: only constants, prefixes and settings can be told"
            )
    if mapping:
        check_constants(kind, mapping)
    opened = open_source(source)
    try:
        form = form or form_of(opened, mapping)
        check(opened, form, vocabulary)
        return Items(opened, form, kind, vocabulary, mapping)
    except DAMAGED as error:
        opened.close()
        raise Unreadable(f"{opened.name} cannot be read: {why(error)}") from None
    except BaseException:
        opened.close()
        raise


def check(source: Source, form: Form, vocabulary: Vocabulary) -> None:
    if form == "csv" and vocabulary == "schema.org":
        raise Unreadable(f"{source.name} is neither JSON nor a page: no JobPosting can be in it")
    if form == "html" and vocabulary != "schema.org":
        raise Unreadable(f"{source.name} is a page; the postings in it can be read with --from schema.org")
    if source.utf16 and form != "csv":
        raise Unreadable(f"{source.name} is UTF-16; JSON and HTML have to be UTF-8")


def form_of(source: Source, mapping: Mapping | None) -> Form:
    name = source.name.lower().removesuffix(".gz")
    if (told := ENDINGS.get(Path(name).suffix)) and not (mapping and mapping.items):
        return told
    head = source.head.decode("utf-16", "ignore").encode() if source.utf16 else source.head
    head = head.lstrip()
    if head.startswith(b"["):
        return "json"
    if head.startswith(b"{"):
        # What ends so goes on in the next line. A line that is merely broken is left to be one of many.
        spread = head.partition(b"\n")[0].rstrip().endswith((b"{", b"[", b",", b":"))
        return "json" if spread or (mapping and mapping.items) else "ndjson"
    return "html" if head.startswith(b"<") else "csv"


def as_it_stands(value: dict[str, Any]) -> list[Draft]:
    return [Draft(value)]


def whole(records: Iterable[Record]) -> Iterator[Record]:
    """What is damaged ends the file, not the work."""
    read = 0
    try:
        for record in records:
            read += 1
            yield record
    except DAMAGED as error:
        lost = f"After {read} items nothing more could be read: {why(error)}"
        yield refused("the end", lost, code=BROKEN_OFF)

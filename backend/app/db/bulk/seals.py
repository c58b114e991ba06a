"""Seals: whether an item is what was sent before, without comparing it with what is stored.

A seal holds a digest of the item and the revision that it made of the document. Any change since, whoever
made it, has raised the revision, and the seal no longer fits. One that does not fit proves nothing: the
documents are compared then.
"""

from hashlib import blake2b

from backend.app.models.base import REVISION, SEAL, Document

DIGEST_BYTES = 12
REVISION_BYTES = 6

NOTHING = bytes(DIGEST_BYTES)
"""In place of a digest, where what is stored is not what was sent."""


def digest(raw: bytes, source: str | None = None) -> bytes:
    """Of what was sent: the item, and the source of the ingest run, which completes it."""
    made = blake2b(raw, digest_size=DIGEST_BYTES)
    if source is not None:
        made.update(b"\0" + source.encode())
    return made.digest()


def fits(document: Document, sent: bytes) -> bool:
    """Whether this is what made the document what it is."""
    found: bytes = document.get(SEAL, b"")
    return found.startswith(sent) and found == _sealed(document, sent)


def seal(document: Document, sent: bytes) -> None:
    document[SEAL] = _sealed(document, sent)


def _sealed(document: Document, sent: bytes) -> bytes:
    return sent + int(document.get(REVISION, 0)).to_bytes(REVISION_BYTES)

"""Which MongoDB a command works on: the configured one, or the embedded one."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pymongo import MongoClient
from pymongo.errors import ConfigurationError

from backend import mongod
from backend.app.config import Settings
from backend.cli.failure import CommandFailed


def read_settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        faults = [f"  {str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors()]
        raise CommandFailed("\n".join(["Correct this in the environment or in .env:", *faults])) from None


@contextmanager
def served(settings: Settings) -> Iterator[Settings]:
    """The settings with the address of a MongoDB: the configured one, or the embedded one meanwhile."""
    if settings.mongodb_uri:
        require_address(settings.mongodb_uri)
        yield settings
        return
    with ExitStack() as stack:
        try:
            server = stack.enter_context(mongod.running(Path(settings.data_dir)))
        except (mongod.MongodUnavailable, mongod.MongodFailed) as failure:
            raise CommandFailed(str(failure)) from failure
        except OSError as error:
            raise CommandFailed(
                f"No data can be kept in DATA_DIR={settings.data_dir} ({error.strerror}). "
                "Set it to a directory of your own, or set MONGODB_URI."
            ) from error
        yield settings.model_copy(update={"mongodb_uri": server.uri})


def require_address(uri: str) -> None:
    try:
        MongoClient[dict[str, Any]](uri, connect=False).close()
    except (ConfigurationError, ValueError):
        # Not the driver's words: they can quote a piece of a password.
        raise CommandFailed(
            "MONGODB_URI is not understood. It looks like mongodb://USER:PASSWORD@HOST:27017/?replicaSet=RS,\n"
            "with any of : / ? # [ ] @ % in the user or the password percent-encoded."
        ) from None


def address(uri: str) -> str:
    """Where a MongoDB is: its hosts, and nothing that could hold a secret."""
    # A host by itself is an address too.
    scheme, _, rest = uri.partition("://") if "://" in uri else ("mongodb", "", uri)
    credentials, _, place = rest.rpartition("@")
    hosts = place.partition("?")[0].partition("/")[0]
    return f"{scheme}://{'***@' if credentials else ''}{hosts}"

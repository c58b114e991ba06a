"""What the driver raises, as what a client is told."""

from types import TracebackType

from pymongo.errors import (
    ConnectionFailure,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from backend.app.errors import Overdue, Unavailable

# No rights, a wrong password, no transactions because it is no replica set, no space left on its disk.
REFUSALS = (13, 18, 20, 14031)
BAD_VALUE = 2


class driver_errors:  # noqa: N801 - a context manager, used as a function
    """Turns what the driver raises when the database is away or late into what a client is told."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not isinstance(error, PyMongoError):
            return
        if isinstance(error, ServerSelectionTimeoutError):
            raise Unavailable("The database cannot be reached") from error
        if error.timeout:
            raise Overdue from error
        if isinstance(error, ConnectionFailure) or error.has_error_label("TransientTransactionError"):
            raise Unavailable("The database is busy or changing hands") from error
        if isinstance(error, OperationFailure) and error.code in REFUSALS:
            raise Unavailable("The database refuses the service") from error
        if isinstance(error, OperationFailure) and error.code == BAD_VALUE and "hint" in str(error):
            raise Unavailable("An index that this needs is still being made") from error

"""What ends a command: Ctrl-C, and SIGTERM in the same way."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stoppable(status: int) -> Iterator[None]:
    """Either makes the program exit, and once only: what is being tidied up then is left to finish."""

    # Not KeyboardInterrupt: Python 3.11 can report that as its own death although it was handled.
    def stop(_number: int, _frame: FrameType | None) -> None:
        for each in STOPPING:
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(status)

    if threading.current_thread() is not threading.main_thread():
        # Python lets no other thread handle signals.
        yield
        return
    before = {each: signal.signal(each, stop) for each in STOPPING}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)

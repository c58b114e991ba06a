"""The app as `serve` runs it, in this process or in several."""

import os
import signal
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from threading import Thread

from fastapi import FastAPI

from backend.app.main import create_app


def create() -> FastAPI:
    if parent := parent_process():
        Thread(target=end_with, args=[parent], daemon=True).start()
    return create_app()


def end_with(parent: BaseProcess) -> None:
    """A parent that was killed ends no workers, which would keep the port from the next start."""
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)

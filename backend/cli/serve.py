"""serve: the app, and for as long as it runs an embedded MongoDB if none is configured."""

import errno
import http.client
import math
import os
import socket
import time
from argparse import Namespace
from threading import Thread

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import ChangeReload, Multiprocess

import backend
from backend.app.config import Settings
from backend.cli import logs
from backend.cli.failure import CommandFailed
from backend.cli.server import address, read_settings, served

BACKLOG = 2048
# A predecessor that was killed lets go of its port only once its workers have noticed.
SECONDS_FOR_THE_PORT = 1.0
# What a request in flight may need beyond its deadline: to write its answer.
SECONDS_TO_ANSWER = 2
SECONDS_TO_BE_READY = 3.0
EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what to dial for what was bound


def run(arguments: Namespace) -> int:
    settings = read_settings()
    # The port first: there is no use in a MongoDB for an app that cannot listen.
    with listening(arguments.host, arguments.port) as listener, served(settings) as found:
        # Workers read their settings from the environment.
        os.environ["MONGODB_URI"] = found.uri
        telling = Thread(target=announce, args=[listener, whereabouts(settings, found)], daemon=True)
        telling.start()
        return run_app(configured(arguments, settings), listener)


def listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    deadline = time.monotonic() + SECONDS_FOR_THE_PORT
    while True:
        try:
            return socket.create_server((host, port), family=family, backlog=BACKLOG)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            raise CommandFailed(cannot_listen(host, port, error)) from error


def cannot_listen(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken: end what uses it, or choose another: aijobhunt serve --port {port + 1}"
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights than you have; choose one from 1024 up."
    return f"{host} port {port} cannot be listened on: {error.strerror}. Choose another --host."


def configured(arguments: Namespace, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        "backend.cli.worker:create",
        factory=True,
        workers=arguments.workers,
        reload=arguments.reload,
        # Not the working directory, where the embedded MongoDB writes all the time.
        reload_dirs=list(backend.__path__) if arguments.reload else None,
        ws="none",
        lifespan="on",
        server_header=False,
        log_config=logs.config(settings.log_level),
        access_log=settings.log_level in ("debug", "info"),
        timeout_graceful_shutdown=math.ceil(settings.request_deadline) + SECONDS_TO_ANSWER,
    )


def run_app(config: uvicorn.Config, listener: socket.socket) -> int:
    if config.should_reload:
        ChangeReload(config, target=uvicorn.Server(config).run, sockets=[listener]).run()
        return 0
    if config.workers > 1:
        supervisor = Multiprocess(config, sockets=[listener])
        supervisor.run()
        return int(any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes))
    server = uvicorn.Server(config)
    server.run(sockets=[listener])
    return 0 if server.started else 1


def whereabouts(given: Settings, found: Settings) -> str:
    if given.mongodb_uri:
        return f"Its data is in {address(given.mongodb_uri)}, database {given.prod_db}."
    return (
        f"Its data is in {given.data_dir}, served by an embedded MongoDB at {found.uri}\n"
        "To fill it with examples, in another terminal: aijobhunt demo"
    )


def announce(listener: socket.socket, data: str) -> None:
    """Say where the app is, once it really is there."""
    host, port = listener.getsockname()[:2]
    host = EVERY_ADDRESS.get(host, host)
    where = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    patience = time.monotonic() + SECONDS_TO_BE_READY
    warned = False
    while (status := readiness(host, port)) != http.HTTPStatus.OK:
        if status and not warned and time.monotonic() > patience:
            print(f"AI Job Hunt answers at {where}, but is not ready yet: see {where}/health", flush=True)
            warned = True
        time.sleep(1.0 if warned else 0.05)
    print(f"AI Job Hunt is up: {where}/docs  (Ctrl-C ends it)\n{data}", flush=True)


def readiness(host: str, port: int) -> int | None:
    """What `/readyz` answers, or nothing if nobody does."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()

"""Looks at `/docs` and `/redoc` of a running app in a real browser that can reach nothing but that app.

    python -m backend.tests.browser_docs http://127.0.0.1:8000 pictures/

It waits until the operations are drawn, runs `listJobs` from the page, writes a picture of each step, and
fails if a page asks another host for anything, if the browser reports an error, or if a wait is in vain.
The app must hold at least one active posting.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.sync.client import ClientConnection, connect

PATIENCE = 20.0
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--remote-debugging-port=0",
)
WITHIN_THE_PAGE = {"about", "blob", "data"}

OPERATION = '[id^="operations-"][id$="-listJobs"]'
ANSWER = f"{OPERATION} .live-responses-table .response"


class PageError(Exception):
    """What a page did wrong, or what is missing to look at it."""


def chromium() -> str:
    named = os.environ.get("CHROMIUM")
    for name in [named] if named else NAMES:
        if found := shutil.which(name):
            return found
    if named:
        raise PageError(f"CHROMIUM={named} cannot be run: it must be a name on PATH or a path")
    raise PageError(
        "There is no Chromium on PATH. Install one (Debian: apt install chromium), "
        "or say where it is: CHROMIUM=/path/to/chromium"
    )


def said(value: dict[str, Any]) -> str:
    """What the console would show of a value of the page."""
    return str(value.get("value") or value.get("description") or value["type"])


class Tab:
    """The browser's one page. It remembers what was asked for, and complains of strangers and errors."""

    def __init__(self, connection: ClientConnection, host: str) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._host = host
        self._connection = connection
        self._sent = 0
        for domain in ("Network", "Runtime", "Log", "Page"):
            self.call(f"{domain}.enable")
        self.call("Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=True, flatten=True)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        number = self._send(method, params)
        while True:
            message = json.loads(self._connection.recv(PATIENCE))
            if message.get("id") == number:
                break
            self._notice(message)
        if "error" in message:
            raise PageError(f"{method}: {message['error']['message']}")
        result: dict[str, Any] = message["result"]
        return result

    def _send(self, method: str, params: dict[str, Any], session: str | None = None) -> int:
        self._sent += 1
        message = {"id": self._sent, "method": method, "params": params}
        self._connection.send(json.dumps(message | ({"sessionId": session} if session else {})))
        return self._sent

    def _notice(self, message: dict[str, Any]) -> None:
        event = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self._asked_for(event["request"]["url"])
            case "Network.webSocketCreated":
                self._asked_for(event["url"])
            case "Log.entryAdded" if event["entry"]["level"] == "error":
                self.complaints.append(f"{event['entry']['text']} {event['entry'].get('url', '')}")
            case "Runtime.exceptionThrown":
                details = event["exceptionDetails"]
                self.complaints.append(details.get("exception", details).get("description", "?"))
            case "Runtime.consoleAPICalled" if event["type"] == "error":
                self.complaints.append(" ".join(map(said, event["args"])))
            case "Target.attachedToTarget":
                worker = event["sessionId"]
                self._send("Network.enable", {}, worker)
                self._send("Runtime.runIfWaitingForDebugger", {}, worker)

    def _asked_for(self, url: str) -> None:
        self.requests.append(url)
        where = urlsplit(url)
        if where.scheme not in WITHIN_THE_PAGE and where.netloc != self._host:
            self.complaints.append(f"another host was asked for {url}")

    def open(self, url: str) -> None:
        if problem := self.call("Page.navigate", url=url).get("errorText"):
            raise PageError(f"{url} cannot be opened: {problem}")

    def check(self) -> None:
        if self.complaints:
            raise PageError("\n".join(["The page is not in order:", *self.complaints]))

    def run(self, script: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in answer:
            raise PageError(f"{script}: {answer['exceptionDetails']['exception']['description']}")
        return answer["result"].get("value")

    def find(self, selector: str, then: str = "true") -> Any:
        """Wait for an element, then answer what the script says of it, as soon as that is truthy."""
        script = f"(found => found && ({then}))(document.querySelector({json.dumps(selector)}))"
        end = time.monotonic() + PATIENCE
        while not (value := self.run(script)):
            self.check()
            if time.monotonic() > end:
                raise PageError(f"Waited {PATIENCE:.0f} s in vain for: {script}")
            time.sleep(0.05)
        return value

    def click(self, selector: str) -> None:
        self.find(selector, "(found.click(), true)")

    def picture(self, file: Path, width: int = 1440, height: int = 1000) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        time.sleep(0.5)  # until what moves has come to rest
        file.write_bytes(b64decode(self.call("Page.captureScreenshot")["data"]))
        print(f"  {file}")


@contextmanager
def browser(base: str) -> Iterator[Tab]:
    """A fresh headless Chromium that resolves no name but the app's."""
    host = urlsplit(base)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            chromium(),
            *FLAGS,
            f"--user-data-dir={profile}",
            f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {host.hostname}, EXCLUDE 127.0.0.1",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            "about:blank",
        ]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            address = page_address(process, Path(profile))
            with connect(address, max_size=None, proxy=None) as connection:
                yield Tab(connection, host.netloc)
        finally:
            process.kill()
            process.wait()


def page_address(process: subprocess.Popen[bytes], profile: Path) -> str:
    """Where the page takes commands; the browser writes the port into its profile once it listens."""
    written = profile / "DevToolsActivePort"
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        if written.exists() and (port := written.read_text().partition("\n")[0]):
            for target in httpx.get(f"http://127.0.0.1:{port}/json/list", trust_env=False).json():
                if target["type"] == "page":
                    return str(target["webSocketDebuggerUrl"])
        time.sleep(0.05)
    raise PageError(f"Chromium did not start (exit code {process.poll()})")


def look_at_docs(tab: Tab, base: str, pictures: Path) -> str:
    tab.open(f"{base}/docs")
    tab.find(OPERATION)
    tab.picture(pictures / "docs.png")
    tab.click(f"{OPERATION} .opblock-summary-control")
    tab.click(f"{OPERATION}:not(:has(.opblock-loading-animation)) .execute")
    body = tab.find(f"{ANSWER} .highlight-code code", "found.textContent")
    status = tab.find(f"{ANSWER} .response-col_status", "found.textContent")
    postings = json.loads(body)
    if not isinstance(postings, list) or not postings:
        raise PageError(f"listJobs answered {status} without a posting: {body[:200]}")
    tab.run(f"document.querySelector({json.dumps(OPERATION)}).scrollIntoView()")
    tab.picture(pictures / "docs-listJobs.png", height=1500)
    return f"listJobs answered {status.strip()} with {len(postings)} posting(s)"


def look_at_redoc(tab: Tab, base: str, pictures: Path) -> str:
    operation, search = '[id$="operation/listJobs"]', '[role="search"] input'
    tab.open(f"{base}/redoc")
    tab.find(operation)
    tab.picture(pictures / "redoc.png")
    tab.find(operation, "location.hash = found.id")
    tab.picture(pictures / "redoc-listJobs.png")
    tab.find(search, "(found.focus(), true)")
    tab.call("Input.insertText", text="job")
    found = tab.find('[data-role="search:results"]', "found.querySelectorAll('li').length")
    return f"the search for `job` found {found} operation(s)"


def look(base: str, pictures: Path) -> None:
    pictures.mkdir(parents=True, exist_ok=True)
    with browser(base) as tab:
        for page, look_at in (("/docs", look_at_docs), ("/redoc", look_at_redoc)):
            tab.requests.clear()
            print(f"{page}: {look_at(tab, base, pictures)}")
            tab.check()
            for url in tab.requests:
                print(f"  asked for {url[:100]}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("base_url", help="where the app runs, such as http://127.0.0.1:8000")
    parser.add_argument("out_dir", type=Path, help="where the pictures go")
    given = parser.parse_args()
    try:
        look(given.base_url.rstrip("/"), given.out_dir)
    except PageError as error:
        sys.exit(str(error))

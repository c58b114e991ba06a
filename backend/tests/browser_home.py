"""Looks at `/` of a running app in a real browser that can reach nothing but that app.

    npm install --prefix pictures axe-core
    python -m backend.tests.browser_home http://127.0.0.1:8000 pictures/ \\
        --axe pictures/node_modules/axe-core/axe.min.js

It writes a picture of the whole page at two widths in two themes, and fails if the page is wider than its
window, asks another host for anything, reports an error, is not the same after the script has renewed it, or,
with `--axe`, if axe finds a fault in it.
"""

import argparse
import json
import sys
import time
from base64 import b64decode
from pathlib import Path
from typing import Any

from backend.tests.browser_docs import PageError, Tab, browser

WIDTHS = (390, 1280)
THEMES = ("light", "dark")
HEIGHT = 900
# Everything that axe knows but what only is an opinion of its own.
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def shown(tab: Tab, base: str, width: int, theme: str) -> None:
    tab.call(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=HEIGHT,
        deviceScaleFactor=1,
        mobile=width < 600,
    )
    tab.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
    tab.open(f"{base}/")
    tab.find("main .status", "document.readyState === 'complete'")
    wide = tab.run("document.documentElement.scrollWidth")
    if wide > width:
        raise PageError(f"At {width} pixels the page is {wide} wide")


def picture(tab: Tab, file: Path, width: int) -> None:
    height = tab.run("document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    shot = tab.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
    file.write_bytes(b64decode(shot["data"]))
    print(f"  {file}: {width} x {height}")


def faults(tab: Tab, axe: Path) -> list[str]:
    """What axe finds, folded tables included."""
    tab.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    tab.run(axe.read_text(encoding="utf-8"))
    options = json.dumps({"runOnly": {"type": "tag", "values": TAGS}})
    tab.run(f"axe.run(document, {options}).then(found => window.found = found); true")
    found: dict[str, list[dict[str, Any]]] = tab.find("html", "window.found")
    print(f"  axe: {len(found['passes'])} rules hold, {len(found['violations'])} do not")
    return [
        f"{fault['impact']}: {fault['help']}: {', '.join(str(node['target']) for node in fault['nodes'])}"
        for fault in found["violations"]
    ]


def check_renewal(tab: Tab) -> None:
    """The script takes over what the server draws anew."""
    tab.run("document.querySelector('main').id = 'old'; document.querySelector('details').open = true")
    tab.run("document.dispatchEvent(new Event('visibilitychange'))")
    tab.find("main:not(#old) details[open]")
    time.sleep(0.1)


def look(base: str, pictures: Path, axe: Path | None) -> None:
    pictures.mkdir(parents=True, exist_ok=True)
    with browser(base) as tab:
        for width in WIDTHS:
            for theme in THEMES:
                print(f"{width} pixels, {theme}:")
                shown(tab, base, width, theme)
                picture(tab, pictures / f"home-{width}-{theme}.png", width)
                if tab.run("!!document.querySelector('details')"):
                    check_renewal(tab)
                tab.check()
                found = faults(tab, axe) if axe else []
                if found:
                    raise PageError("\n".join(["axe finds:", *found]))
        for url in sorted(set(tab.requests)):
            print(f"asked for {url[:100]}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("base_url", help="where the app runs, such as http://127.0.0.1:8000")
    parser.add_argument("out_dir", type=Path, help="where the pictures go")
    parser.add_argument("--axe", type=Path, help="axe.min.js of the npm package axe-core")
    given = parser.parse_args()
    try:
        look(given.base_url.rstrip("/"), given.out_dir, given.axe)
    except PageError as error:
        sys.exit(str(error))

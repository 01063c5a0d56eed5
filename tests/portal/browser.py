"""A headless Chromium that tests drive by its DevTools protocol over a pipe: no port, no driver, no dependency."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

Json = Any
PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-extensions", "--mute-audio"),
    *("--remote-debugging-pipe", "--force-color-profile=srgb", "--hide-scrollbars"),
)
_IN, _OUT, _HIGH = 3, 4, 64


class Failed(Exception):  # noqa: N818 - what the browser said
    """The browser refused, or a script in the page threw."""


class Browser:
    """One tab."""

    def __init__(self, write: int, read: int) -> None:
        self._write, self._read = write, read
        self._numbers, self._rest = count(1), b""
        self._session: str | None = None
        self.events: list[Json] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Security"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Json) -> Json:
        """The answer to one command; events that come before it are kept."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while (said := self._next()).get("id") != number:
            self.events.append(said)
        if "error" in said:
            raise Failed(f"{method}: {said['error']['message']}")
        return said["result"]

    def open(self, address: str) -> None:
        """Go to a page and wait until it is loaded."""
        self.events.clear()
        self.send("Page.navigate", url=address)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())

    def ask(self, expression: str) -> Json:
        """The value of a JavaScript expression in the page, awaited."""
        found = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise Failed(str(found["exceptionDetails"].get("exception", {}).get("description")))
        return found["result"].get("value")

    def look(self, *, width: int, scheme: str, script: bool = True) -> None:
        """Be a screen of that width, light or dark, perhaps without JavaScript."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", media="screen", features=features)
        self.send("Emulation.setScriptExecutionDisabled", value=not script)

    def press(self, key: str) -> None:
        """Press and release a key."""
        code, text = {"Tab": (9, ""), "Enter": (13, "\r")}[key]
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, text=text)

    def picture(self, path: Path) -> None:
        """The whole page as PNG."""
        found = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(found["data"]))

    @property
    def complaints(self) -> list[str]:
        """What the browser had against the page: refused by its policy, not found, thrown."""
        kinds = ("Log.entryAdded", "Runtime.exceptionThrown")
        return [json.dumps(event["params"]) for event in self.events if event.get("method") in kinds]

    def _next(self) -> Json:
        while b"\0" not in self._rest:
            data = os.read(self._read, 2**20)
            if not data:
                raise Failed("the browser ended")
            self._rest += data
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser that ends with the block."""
    (there, write), (read, back) = os.pipe(), os.pipe()
    theirs = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _HIGH) for end in (there, back)]

    def place() -> None:
        os.dup2(theirs[0], _IN)
        os.dup2(theirs[1], _OUT)

    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [str(PROGRAM), *_OPTIONS, f"--user-data-dir={folder}", "about:blank"],
            stderr=subprocess.DEVNULL,
            pass_fds=(_IN, _OUT),
            preexec_fn=place,  # noqa: PLW1509 - its two numbers are fixed; no thread runs beside it
        )
        for end in (there, back, *theirs):
            os.close(end)
        try:
            yield Browser(write, read)
        finally:
            os.close(write)
            os.close(read)
            process.terminate()
            process.wait(timeout=30)

# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A headless Chromium, spoken to through its two pipes: no driver, no library, no port."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest

PROGRAMS = ("chromium-headless-shell", "chromium")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",  # it runs in namespaces that the lab made, and looks at our own file
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
]
#: How many seconds an answer is waited for.
PATIENCE = 60
#: The browser reads commands from 3 and writes answers to 4.
START = 'exec "$0" "$@" 3<&"$COMMANDS" 4>&"$ANSWERS"'


def program() -> str | None:
    """Return the browser, if there is one."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


class Page:
    """One page at a time, and all that it asked for and complained of."""

    def __init__(self, directory: Path) -> None:
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        self._process = subprocess.Popen(
            ["bash", "-c", START, str(program()), *ARGUMENTS, f"--user-data-dir={directory}"],
            pass_fds=(commands, answers),
            env={**os.environ, "COMMANDS": str(commands), "ANSWERS": str(answers)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._number = 0
        self._rest = b""
        self._events: list[dict[str, t.Any]] = []
        self._session = ""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: t.Any) -> dict[str, t.Any]:
        """Give a command and return its answer; what the browser says in between is kept."""
        self._number += 1
        words: dict[str, t.Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            words["sessionId"] = self._session
        os.write(self._commands, json.dumps(words).encode() + b"\0")
        while True:
            said = self._read()
            if said.get("id") == self._number:
                assert "error" not in said, f"{method}: {said['error']}"
                return said["result"]

    def _read(self) -> dict[str, t.Any]:
        while b"\0" not in self._rest:
            assert select.select([self._answers], [], [], PATIENCE)[0], "the browser says nothing"
            more = os.read(self._answers, 1 << 20)
            assert more, f"the browser has ended with {self._process.wait()}"
            self._rest += more
        line, self._rest = self._rest.split(b"\0", 1)
        said: dict[str, t.Any] = json.loads(line)
        if "method" in said:
            self._events.append(said)
        return said

    def open(self, url: str, width: int = 1280, scheme: str = "light") -> None:
        """Show a page in a window of that width, as a user sees it who wants that colour scheme."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self._events.clear()
        self.send("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._read()

    def run(self, expression: str) -> t.Any:
        """Return the value of a JavaScript expression in the page."""
        done = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    @property
    def requests(self) -> list[str]:
        """What the page asked for, itself too."""
        said = [event["params"] for event in self._events if event["method"] == "Network.requestWillBeSent"]
        return [request["request"]["url"] for request in said]

    @property
    def complaints(self) -> list[str]:
        """What stands in the console."""
        kinds = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
        return [json.dumps(event["params"]) for event in self._events if event["method"] in kinds]

    def picture(self, path: Path) -> None:
        """Write the whole page as a picture."""
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 8000), "scale": 1}
        shot = self.send("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self) -> None:
        """End the browser."""
        self._process.kill()
        self._process.wait()
        os.close(self._commands)
        os.close(self._answers)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Page]:
    """A browser that sees only its own profile."""
    if not program():
        pytest.skip("there is no Chromium here; make browser installs it where it may")
    found = Page(tmp_path_factory.mktemp("profile"))
    yield found
    found.close()

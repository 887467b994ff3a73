# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run one stage of the tests: ``stage.py NAME SECONDS COMMAND…``.

The stage's output goes to .cache/log/NAME.log.  Lines that begin with ``-- `` say what is being done and are
shown at once; the rest is shown when the stage fails, or all the time with V=1.  After SECONDS the stage is
ended, with all that it started; so it is when PODNET_END (as ``date +%s`` says it) has come.  ``N passed`` lines
are summed, so that the end can say how much was tested.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path

LOGS = Path(".cache/log")
SHOWN_ON_FAILURE = 150
PASSED = re.compile(r"(?:^|[ =])(\d+) passed\b")


class Stage:
    """One stage while it runs."""

    def __init__(self, name: str, limit: float, command: list[str]) -> None:
        self.name, self.limit, self.command = name, limit, command
        self.doing = "starting"
        self.passed = 0
        self.lines: list[str] = []
        self.started = time.monotonic()
        self.out_of_time = False

    def run(self) -> int:
        """Run the command to its end, or to the end of its time; return its status."""
        process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        timer = threading.Timer(self.limit, self.give_up, [process])
        timer.start()
        try:
            self.follow(t.cast("t.IO[str]", process.stdout))
            return process.wait()
        finally:
            timer.cancel()
            end(process)

    def follow(self, output: t.IO[str]) -> None:
        """Write the log, show the progress and count what passed."""
        with (LOGS / f"{self.name}.log").open("w", encoding="utf-8") as log:
            for line in output:
                log.write(line)
                log.flush()
                self.lines.append(line)
                self.passed += sum(int(count) for count in PASSED.findall(line))
                if line.startswith("-- "):
                    self.doing = line[3:].strip()
                if line.startswith("-- "):
                    say(f"{time.monotonic() - self.started:5.0f} s {self.name}: {line[3:].rstrip()}")
                elif os.environ.get("V"):
                    say(f"        {line.rstrip()}")

    def give_up(self, process: subprocess.Popen[str]) -> None:
        """End the stage because its time is over."""
        self.out_of_time = True
        end(process)


def end(process: subprocess.Popen[str]) -> None:
    """End the process and all that it started in its session."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        time.sleep(0.5)


def time_left(limit: float) -> float:
    """Return the seconds that a stage may take: its own, or what is left until the end of the whole run."""
    last = os.environ.get("PODNET_END")
    return max(0.0, min(limit, float(last) - time.time())) if last else limit


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


def main(name: str, limit: str, *command: str) -> int:
    """Run the stage and say how it went."""
    LOGS.mkdir(parents=True, exist_ok=True)
    count = LOGS / f"{name}.passed"
    count.unlink(missing_ok=True)
    say(f"== {name}")
    stage = Stage(name, time_left(float(limit)), list(command))
    status = stage.run()
    seconds = f"{time.monotonic() - stage.started:.0f} s"
    if status == 0 and not stage.out_of_time:
        count.write_text(f"{stage.passed}\n", encoding="utf-8")
        say(f"== {name}: {stage.passed} passed ({seconds})")
        return 0
    if not os.environ.get("V"):
        say("".join(stage.lines[-SHOWN_ON_FAILURE:]))
    reason = f"ran out of its {stage.limit:.0f} s while it was at" if stage.out_of_time else "failed at"
    say(f"== {name}: {reason} «{stage.doing}» ({seconds}); the whole output is in {LOGS / name}.log")
    return 1


if __name__ == "__main__":
    # Whoever ends this ends the stage, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)

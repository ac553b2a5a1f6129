"""A child process that never outlives its parent, not even after SIGKILL.

This file runs on both ends. `leashed` starts it as a script between parent and child; the script holds a pipe from the
parent, and when the pipe closes, for whatever reason, it ends the child, removes a folder if asked to, and goes.
Only the standard library, and none of our modules, so that the script starts in a few hundredths of a second.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO

POSIX = os.name == "posix"
PR_SET_PDEATHSIG = 1
ENDED = 143
"""The exit code of a child that was asked to end, as a shell has it for SIGTERM."""


class Leash:
    """A running child. `let_go` ends it; the end of this process, of any kind, does so too."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    @property
    def ended(self) -> bool:
        """Whether the child has ended, by itself or by us."""
        return self.process.poll() is not None

    def let_go(self) -> int:
        """End the child, wait until it is gone, and return its exit code, or ENDED where it was this that ended it."""
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        return self.process.wait()


def leashed(
    command: Sequence[str | Path],
    *,
    stop_signal: str = "SIGTERM",
    wait_s: float = 5.0,
    remove: Path | None = None,
    user: tuple[int, int] | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    output: IO[bytes] | int | None = subprocess.DEVNULL,
) -> Leash:
    """Start `command` so that it ends when this process ends.

    It is asked by `stop_signal` and killed `wait_s` later; `remove` is a folder that goes after it, unless it ended
    by itself and well; `user` are the numeric user and group to run it as. Ctrl-C in the terminal does not reach it:
    the parent decides when it ends.
    """
    script = [sys.executable, "-I", "-S", __file__, "--signal", stop_signal, "--wait-s", str(wait_s)]
    if remove is not None:
        script += ["--remove", str(remove)]
    if user is not None:
        script += ["--user", str(user[0]), "--group", str(user[1])]
    process = subprocess.Popen(
        [*script, "--", *map(str, command)],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        cwd=cwd,
        env=env,
        start_new_session=POSIX,
    )
    return Leash(process)


def main(arguments: Sequence[str]) -> int:
    """The script between: run the child until it ends or the pipe from the parent closes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--signal", default="SIGTERM")
    parser.add_argument("--wait-s", type=float, default=5.0)
    parser.add_argument("--remove", type=Path)
    parser.add_argument("--user", type=int)
    parser.add_argument("--group", type=int)
    parser.add_argument("command", nargs="+")
    asked = parser.parse_args(arguments)
    code: int | None = None
    try:
        code = _watch(asked)
    finally:
        if asked.remove is not None and code != 0:
            shutil.rmtree(asked.remove, ignore_errors=True)
    return code


def _watch(asked: argparse.Namespace) -> int:
    child = _start(asked)
    asked_to_end = threading.Event()

    def end() -> None:
        asked_to_end.set()
        _end(child, asked.signal, asked.wait_s)

    def stop(_number: int, _frame: FrameType | None) -> None:
        threading.Thread(target=end, daemon=True).start()

    def read_until_the_parent_lets_go() -> None:
        while os.read(0, 1024):
            pass
        end()

    if POSIX:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, stop)
    threading.Thread(target=read_until_the_parent_lets_go, daemon=True).start()
    code = child.wait()
    if POSIX:
        # What the child itself started goes with it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    return ENDED if asked_to_end.is_set() else code


def _start(asked: argparse.Namespace) -> subprocess.Popen[bytes]:
    if not POSIX:
        return subprocess.Popen(asked.command, stdin=subprocess.DEVNULL)
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
    number = int(getattr(signal, asked.signal))

    def die_with_the_leash() -> None:
        # Runs after the change of user, which would clear it. The last resort, should someone kill this very script.
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, number)

    return subprocess.Popen(
        asked.command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        user=asked.user,
        group=asked.group,
        extra_groups=None if asked.user is None else [],
        preexec_fn=die_with_the_leash,
    )


def _end(child: subprocess.Popen[bytes], signal_name: str, wait_s: float) -> None:
    if not POSIX:
        child.terminate()
        return
    with contextlib.suppress(ProcessLookupError):
        child.send_signal(int(getattr(signal, signal_name)))
    try:
        child.wait(wait_s)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""From a fresh clone to a running Store Agent, with nothing but Python and pip:  python3 run.py demo

Everything that it fetches goes into `.venv` and `.uv` beside this file. Only the standard library is used here, and
nothing newer than Python 3.6 in its grammar, so that an old Python gets a sentence and no SyntaxError.
"""

import contextlib
import errno
import hashlib
import os
import shutil
import subprocess
import sys
import time

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("Store Agent needs Python 3.11 or newer, and this is older. Run it by a newer one: python3.12 run.py demo")

from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
LOCK = ROOT / "requirements.lock"
VENV = ROOT / ".venv"
TOOLS = ROOT / ".uv"
BIN, EXE = ("Scripts", ".exe") if os.name == "nt" else ("bin", "")
PYTHON = VENV / BIN / ("python" + EXE)

USAGE = """\
Store Agent. What you can run, from this folder:

  python3 run.py demo            a chain with a centre and two stores on this machine; nothing stays behind
  python3 run.py demo --tour     the same without a screen, step by step;  --members N  scales it
  python3 run.py test            every check and test;  test -k WORDS  or  test tests/test_x.py  for some
  python3 run.py bench           how fast it is;  bench NAME  for one figure,  --json  for a machine
  python3 run.py trial           long trials of the whole

The first run fetches the libraries that it needs (a minute at most), into .venv beside this file.
With a Store Agent made ready here, everything else is:  .venv/{bin}/python -m store_agent --help
"""

# By module and not by script: a script names the folder in which it was installed, and this one may have moved.
CHECKS = (
    ("ruff check", ["-m", "ruff", "check", "."]),
    ("ruff format", ["-m", "ruff", "format", "--check", "."]),
    ("mypy", ["-m", "mypy"]),
    ("import-linter", ["-c", "from importlinter.cli import lint_imports_command as check; check()"]),
)


FULL = "The disk is full. Free about 500 MB and run it again."
CLOSED = "This folder is not yours to write. Copy it to where you may write, and run it there."

UNTRUSTED = (
    "The package index shows a certificate that this machine does not trust. "
    "Set SSL_CERT_FILE to your network's certificates and run it again."
)


class Stop(Exception):
    """What keeps us from going on, in one sentence with what to do."""


def main(arguments: Sequence[str]) -> int:
    command, rest = (arguments[0], list(arguments[1:])) if arguments else ("--help", [])
    if command in ("--help", "-h", "help"):
        print(USAGE.format(bin=BIN), end="")
        return 0
    if command not in ("demo", "test", "bench", "trial"):
        print(f"There is no '{command}' to run: it is one of demo, test, bench, trial.", file=sys.stderr)
        return 2
    prepare()
    if command == "demo":
        return become([str(PYTHON), "-m", "store_agent", "demo", *rest])
    os.chdir(ROOT)
    if command == "test":
        return test(rest)
    return become([str(PYTHON), "-m", "tests.benchmarks" if command == "bench" else "tests.trials", *rest])


def test(arguments: Sequence[str]) -> int:
    """Every check, then the tests; a failing one does not hide the next. `arguments` are for pytest alone."""
    runs = [*CHECKS, ("pytest", ["-m", "pytest", "-n", "3", *arguments])]
    failed = []
    for name, command in runs:
        print(f"== {name}", flush=True)
        began = time.monotonic()
        code = subprocess.call([str(PYTHON), *command])
        print(f"== {name}: {'good' if code == 0 else f'FAILED ({code})'}, {time.monotonic() - began:.1f} s", flush=True)
        failed += [name] if code else []
    print("All good." if not failed else f"Failed: {', '.join(failed)}.")
    return 1 if failed else 0


def become(command: Sequence[str]) -> int:
    """Run the command in our place, so that every signal reaches it and its exit code is ours."""
    sys.stdout.flush()
    if os.name == "nt":
        return subprocess.call(command)
    os.execv(command[0], list(command))


def prepare() -> None:
    """Make `.venv` hold exactly what `requirements.lock` says, unless a stamp says that it does."""
    stamp, unfinished = VENV / "store-agent-stamp", TOOLS / "unfinished"
    said = LOCK.read_bytes() + repr((sys.version_info[:2], sys.implementation.name, sys.platform)).encode()
    wanted = hashlib.sha256(said).hexdigest()
    if ready(stamp, wanted):
        return
    TOOLS.mkdir(exist_ok=True)
    with alone(TOOLS / "lock"):
        if ready(stamp, wanted):
            return
        print("Getting ready, this once...", file=sys.stderr, flush=True)
        began = time.monotonic()
        uv = find_uv()
        # A folder that we did not finish is made anew; one that someone made by hand is only filled.
        if unfinished.exists() or not works(PYTHON):
            unfinished.touch()
            shutil.rmtree(VENV, ignore_errors=True)
            call([uv, "venv", "--python", getattr(sys, "_base_executable", sys.executable), str(VENV)])
        unfinished.touch()
        stamp.unlink(missing_ok=True)
        install(uv)
        code = "import sysconfig; print(sysconfig.get_path('purelib'))"
        packages = Path(subprocess.check_output([str(PYTHON), "-c", code], text=True).strip())
        # Relative, so that it is plain ASCII wherever this folder lies.
        (packages / "store_agent_here.pth").write_text(os.path.relpath(ROOT, packages) + "\n", encoding="ascii")
        warm()
        stamp.write_text(wanted)
        unfinished.unlink()
        print(f"Ready after {time.monotonic() - began:.0f} s.", file=sys.stderr, flush=True)


def ready(stamp: Path, wanted: str) -> bool:
    return stamp.is_file() and stamp.read_text() == wanted and PYTHON.exists()


def works(python: Path) -> bool:
    """Whether this interpreter runs, and is of the version that runs us."""
    return runs([str(python), "-c", f"import sys; sys.exit(sys.version_info[:2] != {tuple(sys.version_info[:2])})"])


def find_uv() -> str:
    """The `uv` on the machine, or one fetched by pip into `.uv`: a venv module and a new pip are often missing."""
    places = [None, str(TOOLS / "bin"), str(TOOLS / "Scripts")]
    found = (shutil.which("uv", path=place) for place in places)
    for uv in filter(None, found):
        # It may be there and not run: a shim for another Python, or half fetched.
        if runs([uv, "--version"]):
            return uv
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode != 0:
        raise Stop(
            "This Python has neither uv nor pip. Install one of them (Debian: apt install python3-pip), run again."
        )
    call([sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target", str(TOOLS), "uv>=0.8"])
    return next(filter(None, (shutil.which("uv", path=place) for place in places[1:])))


def install(uv: str) -> None:
    """By uv; by uv with this machine's own certificates; by pip, whose settings may name a mirror or a proxy."""
    arguments = ["--require-hashes", "--only-binary", ":all:", "-r", str(LOCK)]
    by_uv = [uv, "pip", "install", "--python", str(PYTHON), *arguments]
    trouble = attempt(by_uv)
    if trouble == UNTRUSTED:
        trouble = attempt(by_uv, UV_SYSTEM_CERTS="1", UV_NATIVE_TLS="1")
    # Pip would not mend a full disk, only write more.
    if trouble and trouble not in (FULL, CLOSED) and has_pip():
        trouble = attempt([sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "--quiet", *arguments])
    if trouble:
        raise Stop(trouble)


def warm() -> None:
    """Have the libraries' bytecode written once: each start is then half as long, also where Python may not write it."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    code = (
        "import store_agent.demo.running, store_agent.entry.centre, store_agent.demo.tour, tui.app, pytest, hypothesis"
    )
    # Only a convenience: whatever is wrong shows again, and better, when it is used.
    quiet = subprocess.DEVNULL
    subprocess.call([str(PYTHON), "-c", code], stdin=quiet, stdout=quiet, stderr=quiet, env=environment, cwd=ROOT)


def has_pip() -> bool:
    return runs([sys.executable, "-m", "pip", "--version"])


def runs(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def call(command: Sequence[str]) -> None:
    trouble = attempt(command)
    if trouble:
        raise Stop(trouble)


def attempt(command: Sequence[str], **extra: str) -> str:
    """Run an installer silently, and return what went wrong as one sentence; what it said itself is in `.uv/log`."""
    settings = {"PIP_USER": "0", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    if not os.access(next(each for each in (cache, *cache.parents) if each.exists()), os.W_OK):
        settings["UV_CACHE_DIR"] = str(TOOLS / "cache")
    environment = {**settings, **os.environ, "UV_PYTHON_DOWNLOADS": "never", **extra}
    log = TOOLS / "log"
    with log.open("w", encoding="utf-8") as output:
        code = subprocess.call(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment)
    if code == 0:
        return ""
    said = log.read_text(encoding="utf-8", errors="replace").lower()
    for sentence, *signs in REASONS:
        if any(sign in said for sign in signs):
            return sentence
    return f"The libraries could not be installed; {log} says why. Run it again once that is mended."


REASONS = (
    (FULL, "no space left", "disk quota"),
    (UNTRUSTED, "certificate"),
    (CLOSED, "read-only file system", "permission denied", "access is denied"),
    (
        "A library that was fetched is not the one that was tested, so it was not installed. Run it again; if it stays "
        "so, something between here and the package index changes files.",
        "hash mismatch",
        "do not match the hashes",
    ),
    (
        "There is no way to the package index from here. Connect to the internet and run it again.",
        "dns error",
        "name resolution",
        "error sending request",
        "failed to fetch",
        "connection",
        "timed out",
    ),
    (
        "One of the libraries has no ready build for this system (.uv/log says which). "
        "Run it by Python 3.11 to 3.14 on Linux, macOS or Windows.",
        "no usable wheels",
        "no wheels with a matching",
        "no matching distribution found",
    ),
)


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the file's lock; where another run holds it, wait for that run. It is let go by any end of the process."""
    with path.open("a+") as file:
        told = False
        while not locked(file.fileno()):
            if not told:
                print("Another run is getting ready here; waiting for it...", file=sys.stderr, flush=True)
                told = True
            time.sleep(0.2)
        yield


def locked(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def run() -> int:
    try:
        return main(sys.argv[1:])
    except KeyboardInterrupt:
        return 130
    except Stop as stop:
        sentence = str(stop)
    except OSError as error:
        known = {errno.ENOSPC: FULL, errno.EDQUOT: FULL, errno.EROFS: CLOSED, errno.EACCES: CLOSED, errno.EPERM: CLOSED}
        sentence = known.get(error.errno or 0, f"This folder cannot be made ready: {error}.")
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(run())

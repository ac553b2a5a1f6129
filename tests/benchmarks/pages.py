"""A plain server of ready pages in a process of its own, the same for us and for every rival: `pages.py FOLDER`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.benchmarks.processes import started


class Pages(SimpleHTTPRequestHandler):
    """A file is a page; whatever stands behind the question mark is left aside."""

    protocol_version = "HTTP/1.1"
    # Head and page are two writes: without this, the second waits for the other side to say that it has the first.
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serve_pages(folder: Path) -> Iterator[str]:
    """The address under which the files of a folder are served."""
    with started([sys.executable, "-m", "tests.benchmarks.pages", str(folder)]) as server:
        yield server.said


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Pages, directory=sys.argv[1]))
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()

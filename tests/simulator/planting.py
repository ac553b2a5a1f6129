"""What a planted bug is: one place of the real code, put as somebody would really have written it."""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch


@dataclass(frozen=True, slots=True)
class Plant:
    """What is wrong, in one sentence, and how it is put there for a while."""

    about: str
    put: Callable[[], AbstractContextManager[None]]


def instead(place: Any, name: str, value: Any) -> Callable[[], AbstractContextManager[None]]:
    """Another function under this name."""

    @contextmanager
    def put() -> Iterator[None]:
        with patch.object(place, name, value):
            yield

    return put


def rewritten(place: Any, name: str, old: str, new: str) -> Callable[[], AbstractContextManager[None]]:
    """The function under this name with a piece of its own text written otherwise, as an editor would do it."""

    @contextmanager
    def put() -> Iterator[None]:
        with patch.object(place, name, _again(place, name, old, new)):
            yield

    return put


def _again(place: Any, name: str, old: str, new: str) -> Any:
    written = inspect.getattr_static(place, name)
    original = written.__func__ if isinstance(written, (staticmethod, classmethod)) else written
    text = textwrap.dedent(inspect.getsource(original))
    if text.count(old) != 1:
        raise LookupError(f"{name} has {text.count(old)} times what the plant would change: {old!r}")
    there = vars(sys.modules[original.__module__])
    made: dict[str, Any] = {}
    code = compile("from __future__ import annotations\n" + text.replace(old, new), f"<planted {name}>", "exec")
    # Its own globals, so that what else is patched there is seen by it too.
    exec(code, there, made)
    function = made[name]
    return function

"""Every endpoint of the real centre, over a real socket, by its own description: signed and not, sound and not."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sync import wire
from sync.central import app, endpoints
from sync.central.office import admin
from sync.central.openapi import describe
from sync.central.postgres.embedded import EmbeddedPostgres
from tests.trials import fuzz_bytes
from tests.trials.fuzz_centre import KNOWN, Speaker, check_ledger_itself, fuzzed_centre
from tests.trials.trial import Found, Trial

NUMBER, TOKEN, SIGNATURE, LENGTH = "an unchecked number", "no token asked", "no signature checked", "no length cap"
PLANTED = {
    NUMBER: "a pull's numbers are taken as they come",
    TOKEN: "the admin API is open to all",
    SIGNATURE: "whoever names a device is that device",
    LENGTH: "a body may have any length",
}
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
STRANGERS = {
    "device": ["nobody", "stranger", "wrong key", "other request", "admin"],
    "admin": ["nobody", "wrong token", "device"],
}
STRANGERS_PART = 5
"""One sound case in so many is first sent by everybody who may not."""
BYTES = (fuzz_bytes.push, fuzz_bytes.push, fuzz_bytes.pull, fuzz_bytes.headers)


class Fuzz:
    """One run: what was sent, and what was wrong with the answers."""

    def __init__(self, speaker: Speaker, count: int, seed: int) -> None:
        self.speaker = speaker
        self.count = count
        self.seed = seed
        self.random = Random(seed)
        self.sent: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.wrong: dict[str, str] = {}
        """By endpoint and trouble: how to see it again."""

    def cases_of(self, operation: Any, mode: GenerationMode, count: int) -> list[Any]:
        """So many cases of one endpoint. Nothing is shrunk: the first of each trouble is told as it was."""
        found: list[Any] = []

        @hypothesis.seed(self.seed)
        @settings(
            max_examples=count,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy(generation_mode=mode))
        def each(case: Any) -> None:
            _name_what_there_is(case, self.random)
            found.append(case)

        # There are endpoints to which nothing can be said wrongly.
        with suppress(Unsatisfiable):
            each()
        return found

    def welcome(self, case: Any) -> None:
        """One case from somebody who may."""
        response = self.speaker.send(_request_of(case, self.speaker.url), _security(case))
        self._count("cases", response)
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as group:
            self._tell(case, response, "; ".join(str(one).splitlines()[0] for one in group.exceptions))
        except Failure as failure:
            self._tell(case, response, str(failure).splitlines()[0])

    def unwelcome(self, case: Any) -> None:
        """One case from everybody who may not."""
        for who in STRANGERS.get(_security(case), []):
            response = self.speaker.send(_request_of(case, self.speaker.url), who)
            self._count("unwelcome", response)
            if not 400 <= response.status_code < 500:
                self._tell(case, response, f"{who} is answered with {response.status_code}")

    def bytes(self) -> None:
        """What no description says."""
        random = self.random
        response = self.speaker.send(*fuzz_bytes.too_long(self.speaker, random))
        if response.status_code != 413:
            self.wrong["a body over the limit"] = f"is answered with {response.status_code}"
        for number in range(self.count * len(BYTES)):
            make = BYTES[number % len(BYTES)]
            request, who = make(self.speaker, random)
            try:
                response = self.speaker.send(request, who)
            except (requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL, UnicodeError):
                continue
            self._count("odd_bytes", response)
            if response.status_code >= 500:
                self.wrong.setdefault(
                    f"{make.__name__}: {response.status_code}", repr((request.url, request.data))[:2000]
                )

    def _count(self, what: str, response: requests.Response) -> None:
        self.sent[what] += 1
        self.statuses[response.status_code // 100] += 1

    def _tell(self, case: Any, response: requests.Response, what: str) -> None:
        how = f"{case.as_curl_command(base_url=self.speaker.url)}\n{response.status_code} {response.text[:300]}"
        self.wrong.setdefault(f"{case.operation.label}: {what}", how)


def _request_of(case: Any, url: str) -> requests.Request:
    wanted = case.as_transport_kwargs(base_url=url)
    names = ("method", "url", "headers", "files", "data", "params", "json", "cookies")
    return requests.Request(**{name: wanted[name] for name in names if name in wanted})


def _security(case: Any) -> str:
    said = case.operation.definition.raw.get("security") or [{}]
    return next((name for name in ("device", "admin") if name in said[0]), "")


def _name_what_there_is(case: Any, random: Random) -> None:
    """Put names of rows that there are where names stand."""
    for part in (case.path_parameters, case.query, case.body):
        _rename(part, random)


def _rename(value: Any, random: Random) -> None:
    if isinstance(value, dict):
        for name in value:
            if name in KNOWN and random.random() < 0.6:
                value[name] = random.choice(KNOWN[name])
            else:
                _rename(value[name], random)
    elif isinstance(value, list):
        for part in value:
            _rename(part, random)


@contextmanager
def _signature_not_checked() -> Iterator[None]:
    with patch.object(wire, "is_signed", lambda key, signature, text: True):
        yield


PLANTS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    NUMBER: lambda: patch.object(app, "_number", lambda r, name, default=0: float(r.query_params.get(name, default))),
    TOKEN: lambda: patch.object(admin, "check_token", lambda request: None),
    SIGNATURE: _signature_not_checked,
    LENGTH: lambda: patch.object(endpoints, "BODY_BYTES_MOST", 2**40),
}


def _run(fuzz: Fuzz, only: Sequence[str]) -> None:
    every = [one for one in (*app.STORE_ENDPOINTS, *admin.ADMIN_ENDPOINTS) if not only or one.path in only]
    schema = schemathesis.openapi.from_dict(describe(every))
    half = max(1, fuzz.count // 2)
    cases = [
        fuzz.cases_of(operation, mode, half)
        for operation in (result.ok() for result in schema.get_all_operations() if isinstance(result, Ok))
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    ]
    before = fuzz.speaker.fingerprint()
    for case in (case for some in cases[::2] for case in some[: max(1, half // STRANGERS_PART)]):
        fuzz.unwelcome(case)
    if fuzz.speaker.fingerprint() != before:
        fuzz.wrong["the ledger changed"] = "by requests of nobody who may change it"
    fuzz.bytes()
    for case in (case for some in cases for case in some):
        fuzz.welcome(case)
    for wrong in check_ledger_itself(fuzz.speaker):
        fuzz.wrong.setdefault(wrong, "in the ledger")


def play_on(database_url: str, count: int, seed: int, plant: str, only: Sequence[str] = ()) -> Found:
    """The trial on an empty database; `only` names endpoints by their paths."""
    # What is declined is said in the log, a thousand times over.
    logging.getLogger("sync").addHandler(logging.NullHandler())
    folder = Path(tempfile.mkdtemp(prefix="store-agent-fuzz-"))
    try:
        with fuzzed_centre(database_url, folder, seed) as speaker, PLANTS[plant]() if plant else nullcontext():
            fuzz = Fuzz(speaker, count, seed)
            _run(fuzz, only)
            speaker.branch.replica.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    answers = {f"answers_{hundreds}xx": times for hundreds, times in sorted(fuzz.statuses.items())}
    figures = {"endpoints": len(app.STORE_ENDPOINTS) + len(admin.ADMIN_ENDPOINTS), **fuzz.sent, **answers}
    details = "\n\n".join(f"{what}\n{how}" for what, how in fuzz.wrong.items())
    first = next(iter(fuzz.wrong), "")
    more = f" (and {len(fuzz.wrong) - 1} more)" if len(fuzz.wrong) > 1 else ""
    return Found(figures=figures, failure=f"{first}{more}", details=details)


def _play(count: int, seed: int, plant: str) -> Found:
    with EmbeddedPostgres(durable=False) as postgres:
        return play_on(postgres.url, count, seed, plant)


TRIAL = Trial(name="fuzz", about=__doc__ or "", count=500, unit="cases an endpoint", play=_play, plants=PLANTED)

"""The line to the centre: one request each, signed, with foreign errors said as trouble. The only place that knows httpx."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote, urlencode

import httpx
import msgspec

from store_agent.trouble import Trouble
from store_agent.words import _, later
from sync import wire
from sync.session import Rubbish

REQUEST_S = 10.0
REPLY_BYTES_MOST = 64 * 1024 * 1024
Reply = TypeVar("Reply")


class Offline(Trouble):
    """The centre cannot be reached just now; `pause_s` is what it asked us to wait, or 0."""

    def __init__(self, what: str, hint: str = "", pause_s: float = 0.0) -> None:
        super().__init__(what, hint)
        self.pause_s = pause_s


class TooMuch(Trouble):
    """The request was too large, or took too long: the same with less may go through."""


class Unwelcome(Trouble):
    """The centre does not know this device (`is_unknown`), or turned it away."""

    def __init__(self, what: str, hint: str = "", *, is_unknown: bool = False) -> None:
        super().__init__(what, hint)
        self.is_unknown = is_unknown


class Forked(Trouble):
    """The centre holds another operation under a number or an id of this store, or has closed its epoch."""


class EpochUnknown(Trouble):
    """The centre is behind the epoch that this store writes in: it was restored."""


class LedgerBehind(Trouble):
    """The centre knows less than it once told this store: it was restored, and nobody gave it a new incarnation yet."""


class Gone(Trouble):
    """The centre does not keep what was asked for any more."""


class Client:
    """Speaks to one centre for one device. `transport` is the network; tests put their own cable there."""

    def __init__(
        self,
        url: str,
        *,
        device: str = "",
        secret: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
        request_s: float = REQUEST_S,
    ) -> None:
        self._device = device
        self._secret = secret
        self._request_s = request_s
        try:
            self._http = httpx.AsyncClient(base_url=url, transport=transport, timeout=request_s)
        except httpx.InvalidURL as error:
            raise _no_address() from error

    async def push(self, request: wire.PushRequest) -> wire.PushReply:
        """Give operations to the centre; what it holds is in the reply."""
        return await self._call("POST", "/v1/push", wire.PushReply, wire.encode(request))

    async def salvage(self, request: wire.SalvageRequest) -> wire.SalvageReply:
        """Give operations of a closed epoch to the centre."""
        return await self._call("POST", "/v1/salvage", wire.SalvageReply, wire.encode(request))

    async def epoch(self, request: wire.EpochRequest) -> wire.EpochReply:
        """Ask for a new chain."""
        return await self._call("POST", "/v1/epoch", wire.EpochReply, wire.encode(request))

    async def pull(
        self, cursors: dict[str, int], page_rows: int, wait_s: float = 0.0, known: dict[str, str] | None = None
    ) -> wire.PullReply:
        """Rows behind these cursors; the centre may hold the request for `wait_s` until there are some.

        `known` is what the centre once told: its `incarnation`, and `received`. A centre that was restored notices.
        """
        query = {**cursors, "rows": page_rows, "wait": f"{wait_s:g}", **(known or {})}
        target = "/v1/pull?" + urlencode(query)
        return await self._call("GET", target, wire.PullReply, timeout_s=self._request_s + wait_s)

    async def enrol(self, request: wire.EnrolRequest) -> wire.EnrolReply:
        """Exchange a one-time code for an identity."""
        return await self._call("POST", "/v1/enrol", wire.EnrolReply, wire.encode(request))

    async def acquire(self, request: wire.AcquireRequest) -> wire.AcquireReply:
        """Ask for the right to spend something; it comes in the stream."""
        return await self._call("POST", "/v1/rights/acquire", wire.AcquireReply, wire.encode(request))

    async def sight(self, request: wire.SightRequest) -> str:
        """Ask for a member whom this store does not hold; from then on their rows come here. Their id, or empty."""
        return (await self._call("POST", "/v1/sight", wire.SightReply, wire.encode(request))).member_id

    async def snapshot(self, request: wire.SnapshotRequest) -> wire.SnapshotReply:
        """What a store that has little or nothing begins with."""
        return await self._call("POST", "/v1/snapshot", wire.SnapshotReply, wire.encode(request))

    async def download(self, reply: wire.SnapshotReply, first: int) -> AsyncGenerator[bytes, None]:
        """A snapshot's bytes from this one on, as they come; Gone where the centre has no such file any more."""
        target = f"/v1/snapshot/{quote(reply.id, safe='')}"
        headers = self._signed("GET", target, b"") | {"accept-encoding": "identity"}
        if first:
            headers |= {"range": f"bytes={first}-", "if-range": f'"{reply.sha256}"'}
        with _translated():
            async with self._http.stream("GET", target, headers=headers) as response:
                if response.status_code == 206:
                    if not response.headers.get("content-range", "").startswith(f"bytes {first}-"):
                        raise _not_the_file()
                elif response.status_code in (404, 410, 416) or (response.status_code == 200 and first):
                    raise Gone(_("This snapshot is not kept any more."), _("Another one is taken."))
                else:
                    _check(response, b"" if response.status_code == 200 else await _read(response))
                async for piece in response.aiter_raw():
                    yield piece

    async def health(self) -> wire.Health:
        """Whether the centre can work."""
        return await self._call("GET", "/v1/health", wire.Health)

    async def _call(
        self, method: str, target: str, kind: type[Reply], body: bytes = b"", timeout_s: float | None = None
    ) -> Reply:
        headers = self._signed(method, target, body)
        with _translated():
            async with self._http.stream(
                method, target, content=body, headers=headers, timeout=timeout_s or self._request_s
            ) as response:
                content = await _read(response)
        _check(response, content)
        try:
            return msgspec.json.decode(content, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Rubbish(
                _("The centre's answer makes no sense."), _("Nothing was taken from it. Is the address right?")
            ) from error

    def _signed(self, method: str, target: str, body: bytes) -> dict[str, str]:
        headers = {"content-type": "application/json"} if body else {}
        if self._device:
            headers[wire.DEVICE_HEADER] = self._device
            text = wire.signed_text(method, target, self._device, body)
            headers[wire.SIGNATURE_HEADER] = wire.sign(self._secret, text)
        return headers

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (httpx.ReadTimeout, httpx.WriteTimeout) as error:
        raise TooMuch(_("The centre took too long to answer."), _("It will be asked again.")) from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise _no_address() from error
    except httpx.HTTPError as error:
        raise Offline(_("The centre cannot be reached."), _("Work goes on; it will be tried again.")) from error


def _not_the_file() -> Trouble:
    return Rubbish(_("The centre sent another part of the file than was asked for."), _("It is begun anew."))


PROBLEMS: dict[str, type[Trouble]] = {
    "fork": Forked,
    "id-taken": Forked,
    "epoch-closed": Forked,
    "epoch-unknown": EpochUnknown,
    "ledger-behind": LedgerBehind,
}
"""What a store can do something about, by the centre's word for it."""
SENTENCES = {
    "fork": later("The centre holds another operation under a number of this store."),
    "id-taken": later("The centre holds another operation under a number of this store."),
    "epoch-closed": later("The centre has closed the chain that this store writes in."),
    "epoch-unknown": later("The centre knows nothing of the chain that this store writes in."),
    "ledger-behind": later("The centre was restored from a backup and does not know it yet."),
}


def _no_address() -> Trouble:
    return Trouble(_("The centre's address is none."), _("Check `centre_url` in the configuration."))


async def _read(response: httpx.Response) -> bytes:
    """The whole reply, up to what any reply of a centre can be."""
    parts, size = [], 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > REPLY_BYTES_MOST:
            raise Rubbish(_("The centre's answer is larger than any can be."), _("Is the address right?"))
        parts.append(part)
    return b"".join(parts)


def _check(response: httpx.Response, content: bytes) -> None:
    status = response.status_code
    if status == 200:
        return
    if status in (408, 413):
        raise TooMuch(_("The request was too large for the centre."), _("It will be sent in smaller parts."))
    error, sentence = _problem(content)
    if status == 409 and error in PROBLEMS:
        raise PROBLEMS[error](_(SENTENCES[error]), _("Nothing is lost. Head office has to look."))
    if status in (401, 403):
        raise Unwelcome(
            sentence or _("The centre does not know this device."),
            _("Enrol it again: `store-agent enroll`."),
            is_unknown=status == 401,
        )
    if status == 429 or status >= 500:
        pause_s = _pause_s(response)
        raise Offline(_("The centre is busy or in trouble."), _("Work goes on; it will be tried again."), pause_s)
    if status == 410:
        raise Gone(sentence or _("The centre does not keep these rows any more."), _("All rows are taken anew."))
    raise Rubbish(sentence or _("The centre did not take the request ({status}).").format(status=status))


def _problem(content: bytes) -> tuple[str, str]:
    """The fixed word and the sentence; empty where the reply holds none."""
    try:
        problem = msgspec.json.decode(content, type=wire.Problem)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "", ""
    return problem.error, problem.sentence


def _pause_s(response: httpx.Response) -> float:
    try:
        return max(0.0, min(float(response.headers.get("retry-after", "0")), 3600.0))
    except ValueError:
        return 0.0

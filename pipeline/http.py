"""The one HTTP client: a key that never leaves for elsewhere, patience with what may be asked again, one clear message for the rest.

Three kinds of request. `ask` reads, and is repeated while the other side is busy or broken. `tell` changes something and is
sent once: whether to send it again is for those to decide who can look whether it happened. `upload` is `tell` with a file that
is streamed. Kept in memory: a megabyte of a file, and of an answer at most 8 MB.
"""

import contextlib
import email.utils
import itertools
import json
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

import httpx

from pipeline.errors import Declined, InDoubt, ProviderError, UsageError
from pipeline.patience import Patience
from pipeline.remote import Body
from pipeline.words import printable

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Where plain http is good enough: it does not leave the machine."""

DOUBTFUL = frozenset({408, 409, 425, 429})
"""Beside all from 500 on: statuses that say nothing of whether the request was carried out."""

RESENT = frozenset({307, 308})
REDIRECTS = frozenset({301, 302, 303}) | RESENT
MAX_HOPS = 3
MAX_ANSWER_BYTES = 8 << 20
MAX_TOLD = 300
MASK = "***"

BodyMaker = Callable[[], Mapping[str, Any]]
"""Makes the arguments of a request that hold its body, anew for each time that it is sent."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A key that shows itself only when asked to."""

    _key: str

    @classmethod
    def given(cls, variable: str, environ: Mapping[str, str]) -> "Secret":
        """The key in an environment variable. Raises UsageError where there is none, or none that can stand in a header."""
        key = environ.get(variable, "").strip()
        if not key:
            raise UsageError(f"the key is missing: put it into the environment variable {variable}")
        if not key.isascii() or not key.isprintable() or " " in key:
            raise UsageError(f"what is in {variable} is no key: it holds blanks or characters that a key does not have")
        return cls(key)

    def shown(self) -> str:
        """The key itself."""
        return self._key

    def masked(self, text: str) -> str:
        """A text without the key in it."""
        return text.replace(self._key, MASK)

    def __repr__(self) -> str:
        return MASK


@dataclass(frozen=True, slots=True)
class Part:
    """A file in a multipart body: its name there, its media type, what it is read from, and how long it is."""

    name: str
    media_type: str
    body: Body
    bytes: int


def origin(url: str, told: str) -> str:
    """Check where a key may be sent to, and strip the end: https, or http that stays on this machine. Raises UsageError."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise UsageError(f"what is in {told} is no address") from None
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"{told} holds a user name or password; a key goes into its own variable")
    if not host or not url.isprintable() or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        raise UsageError(f"what is in {told} is no address; write it as https://host or http://127.0.0.1:port")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise UsageError(f"{told} is plain http, over which anyone can read the key; use https")
    return url.rstrip("/")


class Api:
    """An HTTP interface at one address, with one key. Safe to use from several threads."""

    def __init__(self, base_url: str, key: Secret, headers: Mapping[str, str], patience: Patience) -> None:
        self._key = key
        self._patience = patience
        try:
            self._base = httpx.URL(base_url)
        except (httpx.InvalidURL, UnicodeError):
            raise UsageError("the base URL is no address; write it as https://host or http://127.0.0.1:port") from None
        local = self._base.host in LOOPBACK
        try:
            self._client = httpx.Client(
                headers={**headers, "Authorization": f"Bearer {key.shown()}"},
                timeout=httpx.Timeout(patience.answer_s, connect=patience.connect_s),
                follow_redirects=False,
                trust_env=not local,  # a proxy would get to see what must not leave this machine
            )
        except (ImportError, ValueError, OSError) as error:
            told = f"the proxy or the certificates that the environment names cannot be used: {error}"
            raise UsageError(self._clear(told)) from None

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def ask(self, path: str, **query: str | int | None) -> dict[str, Any]:
        """Read a document, again and again while the other side is busy or broken. Raises Declined and ProviderError."""
        wanted = {name: value for name, value in query.items() if value is not None}
        attempt = 0
        while True:
            try:
                answer = self._sent("GET", path, lambda: {"params": wanted}, REDIRECTS)
                if answer:
                    return answer
                raise InDoubt(f"GET {path} was answered with nothing", None)  # noqa: TRY301 - as bad as no answer
            except InDoubt as doubt:
                attempt += 1
                if attempt >= self._patience.tries:
                    raise ProviderError(f"{doubt}; tried {attempt} times, run again later") from doubt
                self._patience.pause(attempt - 1, doubt.retry_after_s)

    def tell(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Change something, once. Raises Declined, and InDoubt where it may have happened."""
        return self._sent(method, path, lambda: {} if document is None else {"json": document}, RESENT)

    def upload(self, path: str, fields: Mapping[str, str], part: Part) -> None:
        """Send one file as multipart/form-data, once, streamed. What its body raises breaks the request off before its end."""
        longest_s = self._patience.answer_s + part.bytes / self._patience.slowest_bytes_s
        timeout = httpx.Timeout(self._patience.answer_s, connect=self._patience.connect_s, read=longest_s)
        boundary = secrets.token_hex(16)
        head, tail = _around(boundary, fields, part)
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head) + part.bytes + len(tail)),
        }
        body: BodyMaker = lambda: {  # noqa: E731 - made anew for each time that it is sent
            "content": itertools.chain((head,), part.body.chunks(), (tail,)),
            "headers": headers,
            "timeout": timeout,
        }
        self._sent("POST", path, body, RESENT)

    def _sent(self, method: str, path: str, body: BodyMaker, follow: frozenset[int]) -> dict[str, Any]:
        url = self._base.join(self._base.path.rstrip("/") + path)
        for _ in range(MAX_HOPS):
            status, headers, content = self._exchanged(method, url, body)
            if status not in REDIRECTS:
                return self._understood(f"{method} {path}", status, headers, content)
            target = self._target(url, headers.get("location", ""))
            if (
                target is None
                or status not in follow
                or (target.scheme, target.host, target.port) != (url.scheme, url.host, url.port)
            ):
                raise Declined(
                    f"{method} {path} was redirected ({status}) to {self._clear(str(target or 'no address'))}, where nothing is sent:"
                    " a redirected request can look like a success without being one. Check the base URL",
                    status,
                )
            url = target
        raise Declined(f"{method} {path} is redirected in a circle", 310)

    def _target(self, url: httpx.URL, location: str) -> httpx.URL | None:
        """Where a redirect leads; `None` where that is no address, which shows when its parts are asked for."""
        with contextlib.suppress(httpx.InvalidURL, UnicodeError, ValueError):
            target = url.join(location)
            if target.host:
                return target
        return None

    def _exchanged(self, method: str, url: httpx.URL, body: BodyMaker) -> tuple[int, httpx.Headers, bytes]:
        try:
            with self._client.stream(method, url, **body()) as answer:
                content = b""
                for piece in answer.iter_bytes():
                    content += piece
                    if len(content) > MAX_ANSWER_BYTES:
                        break
                return answer.status_code, answer.headers, content
        except httpx.TimeoutException as error:
            raise InDoubt(f"{self._base.host} did not answer in time ({type(error).__name__})", None) from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            told = self._clear(str(error)) or type(error).__name__
            raise InDoubt(f"{self._base.host} cannot be reached: {told}", None) from None

    def _understood(self, what: str, status: int, headers: httpx.Headers, content: bytes) -> dict[str, Any]:
        if status >= 400:
            self._refused(what, status, headers, content)
        if not content.strip():
            return {}
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            raise InDoubt(f"{what} was answered ({status}) with what does not read as JSON", None) from None
        if not isinstance(document, dict):
            raise InDoubt(f"{what} was answered ({status}) with JSON of another shape", None)
        return document

    def _refused(self, what: str, status: int, headers: httpx.Headers, content: bytes) -> NoReturn:
        clean = self._key.masked(content.decode("utf-8", "replace"))
        request = self._key.masked(headers.get("x-request-id", ""))
        told = f"{what} was answered {status}: {self._clear(message(status, clean, request))}"
        if status in DOUBTFUL or status >= 500:
            raise InDoubt(told, _retry_after_s(headers.get("retry-after")))
        raise Declined(told, status)

    def _clear(self, text: str) -> str:
        return printable(self._key.masked(text))


def _around(boundary: str, fields: Mapping[str, str], part: Part) -> tuple[bytes, bytes]:
    """What stands before and behind a file in multipart/form-data (RFC 7578); the closing boundary is in the latter alone."""
    assert part.name.isascii() and not set(part.name) & set('"\\\r\n'), part.name  # noqa: PT018 - one condition on one name
    told = [f'--{boundary}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    told.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{part.name}"\r\n'
        f"Content-Type: {part.media_type}\r\n\r\n"
    )
    return "".join(told).encode(), f"\r\n--{boundary}--\r\n".encode()


def message(status: int, body: str, request: str = "") -> str:
    """What an error's body says in one line, whatever it is written in: JSON, text, HTML or nothing; with the request's id."""
    text = body.strip()
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict):
        text = ": ".join(str(document[name]) for name in ("title", "message", "detail", "error") if document.get(name))
        code = document.get("error_code")
        text = f"{text} [{code}]" if code else text
        request = str(document.get("request_id") or request)
    elif text[:1] == "<":
        title = re.search(r"<title[^>]*>(.*?)</title", text, re.IGNORECASE | re.DOTALL)
        text = title.group(1) if title is not None else re.sub(r"<[^>]*>", " ", text)
    text = " ".join(text.split())[:MAX_TOLD] or httpx.codes.get_reason_phrase(status) or "no reason given"
    return f"{text} (request {request[:64]})" if request else text


def _retry_after_s(value: str | None) -> float | None:
    """Seconds from a Retry-After header, which holds a number or a date (RFC 9110, section 10.2.3); `None`: neither."""
    if value is None:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value.strip()):
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None

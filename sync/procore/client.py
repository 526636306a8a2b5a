"""The one way to Procore's REST API: token, company header, pages, retries, limits, errors.

Sources: procore/documentation (oauth_client_credentials, pagination, rate_limiting, using_sync_actions).
Knows no resource; `sync.procore.api` does.
"""

import random
import ssl
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Self, TypeVar

import httpx
import structlog
from pydantic import BaseModel, SecretStr

from sync.procore.budget import Budget
from sync.procore.errors import (
    BadAnswerError,
    ProcoreBusyError,
    ProcoreRefusedError,
    ProcoreUnreachableError,
)
from sync.procore.limits import retry_after, told_by
from sync.procore.models import Token, Unusable, parsed, parsed_or_why
from workflow.masking import mask_hidden
from workflow.tracing import span

PER_PAGE = 2000
"""As many as Procore advises at most; an endpoint that gives fewer a page says so by its links."""
SYNC_UPDATES = 1000

_TRIES = 5
_FIRST_PAUSE = timedelta(seconds=0.5)
_RENEW_BEFORE = timedelta(minutes=5)
_WORDS_SHOWN = 300
_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_OUTCOMES = {"429": "rate_limited"}
_WAITS, _PASSING = {429, 503}, {500, 502, 504}
"""Not done, and a time is told; not known whether it was done."""

Params = Mapping[str, str | int]
R = TypeVar("R", bound=BaseModel)
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Account:
    """A service account of a company; the addresses are without a path and end with a slash."""

    company_id: int
    client_id: str
    client_secret: SecretStr
    api_url: str = "https://api.procore.com/"
    login_url: str = "https://login.procore.com/"


@dataclass(frozen=True, slots=True)
class SyncError:
    """An update that a sync action did not take: its place among the updates, and Procore's words."""

    index: int | None
    words: str


class ProcoreClient:
    """Calls Procore for one company. Not for several threads at once; close it, or use it as a context.

    `patience` is how long one call may wait in all for limits, before it raises `ProcoreBusyError`. `calls`
    counts by (method, `ok`, `rate_limited`, `unavailable` or the status).
    """

    def __init__(
        self,
        account: Account,
        budget: Budget,
        *,
        clock: Callable[[], datetime],
        pause: Callable[[float], None],
        patience: timedelta = timedelta(seconds=30),
    ) -> None:
        self.company_id = account.company_id
        self.calls: Counter[tuple[str, str]] = Counter()
        self._account = account
        self._budget = budget
        self._clock = clock
        self._pause = pause
        self._patience = patience
        self._http = httpx.Client(timeout=_TIMEOUT, follow_redirects=False, verify=_authorities())
        self._token: SecretStr | None = None
        self._renew_at: datetime | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def show(self, model: type[R], path: str, params: Params | None = None) -> R:
        """One resource."""
        return parsed(model, _content(self._call("GET", path, params=params)))

    def every(self, model: type[R], path: str, params: Params | None = None) -> Iterator[R]:
        """Every resource of a list, read as it is iterated."""
        for items in self._pages(path, params):
            yield from [parsed(model, item) for item in items]

    def every_or_why(self, model: type[R], path: str, params: Params | None = None) -> Iterator[R | Unusable]:
        """Every resource of a list, and in the place of each that cannot be used the reason."""
        for items in self._pages(path, params):
            yield from (parsed_or_why(model, item) for item in items)

    def _pages(self, path: str, params: Params | None) -> Iterator[list[Any]]:
        """A list, page by page as it comes; of an endpoint that knows no pages, one.

        What Procore moves from one page to the next while they are read comes twice; what it moves the other
        way is missed.
        """
        query: Params | None = {"per_page": PER_PAGE, **(params or {})}
        place, seen = path, set[str]()
        while True:
            answer = self._call("GET", place, params=query)
            items = _content(answer)
            if not isinstance(items, list):
                raise BadAnswerError(f"Procore's answer to {path} is not a list.")
            yield items
            following = answer.links.get("next", {}).get("url")
            if following is None:
                return
            url = httpx.URL(answer.url).join(following)
            # the path alone, for the token goes nowhere but to the address of the settings
            place, query = url.raw_path.decode(), None
            if url.path != httpx.URL(answer.url).path or place in seen:
                raise BadAnswerError(f"Procore's answer to {path} links to a next page that is none.")
            seen.add(place)

    def create(self, path: str, body: Mapping[str, Any]) -> Any:
        """POST; not repeated when it is unknown whether it was done. Returns the answer's content."""
        return _content(self._call("POST", path, body=body, repeatable=False))

    def change(self, path: str, body: Mapping[str, Any]) -> Any:
        """PATCH of what stays the same when it is repeated. Returns the answer's content."""
        return _content(self._call("PATCH", path, body=body))

    def remove(self, path: str, params: Params | None = None) -> None:
        """DELETE; what is gone already is fine."""
        try:
            self._call("DELETE", path, params=params)
        except ProcoreRefusedError as refused:
            if refused.status != 404:
                raise

    def sync(self, path: str, updates: Sequence[Mapping[str, Any]]) -> Iterator[SyncError]:
        """A sync action, 1,000 updates a call; gives what Procore did not take, though it answers 200."""
        for start in range(0, len(updates), SYNC_UPDATES):
            some = updates[start : start + SYNC_UPDATES]
            content = self.change(path, {"updates": list(some)})
            errors = content.get("errors") if isinstance(content, dict) else None
            if not isinstance(errors, list):
                raise BadAnswerError(f"Procore's answer to {path} does not say which updates failed.")
            for error in errors:
                yield _sync_error(error, some, start)

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: Any = None,
        repeatable: bool = True,
    ) -> httpx.Response:
        waited = _Patience(self._patience, self._clock, self._pause)
        renewed = False
        tries = 0
        reason = ""
        while tries < _TRIES:
            until = self._budget.take()
            if until is not None:
                waited.until(until)
                continue
            tries += 1
            try:
                answer = self._send(method, path, params, body, waited)
            except httpx.TransportError as error:
                reason = type(error).__name__
                unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                if not repeatable and not unsent:
                    raise ProcoreUnreachableError(_perhaps_done(reason)) from None
                waited.until(self._after(tries))
                continue
            told = told_by(answer.headers, now=self._clock())
            self._budget.heed(told)
            if answer.is_success:
                return answer
            reason = f"status {answer.status_code}"
            if answer.status_code == 401 and not renewed:
                renewed, self._token = True, None
                continue
            if answer.status_code not in _WAITS | _PASSING:
                raise ProcoreRefusedError(answer.status_code, self._refusal(answer, method, path))
            if answer.status_code in _PASSING and not repeatable:
                raise ProcoreUnreachableError(_perhaps_done(reason))
            waited.until(self._next_try(answer, told.wait_until, tries))
        raise ProcoreUnreachableError(
            f"Procore did not answer {method} {path} after {tries} tries ({reason})."
        )

    def _send(
        self, method: str, path: str, params: Params | None, body: Any, waited: "_Patience"
    ) -> httpx.Response:
        headers = {
            "Authorization": f"Bearer {self._access_token(waited)}",
            "Procore-Company-Id": str(self.company_id),
            "Accept": "application/json",
        }
        url = httpx.URL(self._account.api_url).join(path)
        outcome = "unavailable"
        try:
            with span("procore", method=method, path=url.path):
                answer = self._http.request(
                    method, url, params=dict(params) if params else None, json=body, headers=headers
                )
            outcome = "ok" if answer.is_success else str(answer.status_code)
        finally:
            self.calls[method, _OUTCOMES.get(outcome, outcome)] += 1
        return answer

    def _access_token(self, waited: "_Patience") -> str:
        if self._token is None or self._renew_at is None or self._clock() >= self._renew_at:
            self._renew(waited)
        assert self._token is not None
        return self._token.get_secret_value()

    def _renew(self, waited: "_Patience") -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._account.client_id,
            "client_secret": self._account.client_secret.get_secret_value(),
        }
        for tries in range(1, _TRIES + 1):
            asked_at = self._clock()
            try:
                answer = self._http.post(httpx.URL(self._account.login_url).join("oauth/token"), data=form)
            except httpx.TransportError:
                waited.until(self._after(tries))
                continue
            if answer.is_success:
                token = parsed(Token, _content(answer))
                life = timedelta(seconds=max(0, token.expires_in))
                self._token = SecretStr(token.access_token)
                self._renew_at = asked_at + max(life - _RENEW_BEFORE, life / 2)
                return
            if answer.status_code not in _WAITS | _PASSING:
                raise ProcoreRefusedError(
                    answer.status_code,
                    f"Procore gives no access token (status {answer.status_code}): check "
                    "COSTBOT_PROCORE_CLIENT_ID and COSTBOT_PROCORE_CLIENT_SECRET.",
                )
            waited.until(self._next_try(answer, None, tries))
        raise ProcoreUnreachableError("Procore's login did not answer; costbot tries again later.")

    def _refusal(self, answer: httpx.Response, method: str, path: str) -> str:
        mend = {
            401: "check the service account's client id and secret",
            403: "check the service account's permissions in Procore, and COSTBOT_PROCORE_COMPANY_ID",
            404: "check that the service account may see it in Procore",
        }.get(answer.status_code)
        # an answer may repeat what it was asked with
        known = (self._token or SecretStr(""), self._account.client_secret)
        said = mask_hidden(answer.text, *filter(None, (secret.get_secret_value() for secret in known)))
        words = " ".join(said.split())[:_WORDS_SHOWN]
        return f"Procore refused {method} {path.partition('?')[0]} with status {answer.status_code}" + (
            f": {mend}. It said: {words}" if mend else f". It said: {words}"
        )

    def _next_try(self, answer: httpx.Response, reset: datetime | None, tries: int) -> datetime:
        """When to try again: as the answer tells, else after a pause that grows."""
        if answer.status_code not in _WAITS:
            return self._after(tries)
        if answer.status_code == 429:
            _log.warning("Procore's rate limit is reached", path=answer.url.path)
        told = reset if answer.status_code == 429 else None
        wait = told or retry_after(answer.headers, now=self._clock())
        return _jittered(wait) if wait else self._after(tries)

    def _after(self, tries: int) -> datetime:
        pause = _FIRST_PAUSE * float(2 ** (tries - 1)) * random.uniform(0.5, 1.5)  # noqa: S311
        return self._clock() + pause


class _Patience:
    """Waits, for so long in all."""

    def __init__(
        self, most: timedelta, clock: Callable[[], datetime], pause: Callable[[float], None]
    ) -> None:
        self._end = clock() + most
        self._clock = clock
        self._pause = pause

    def until(self, at: datetime) -> None:
        """Wait until `at`; raises ProcoreBusyError where that is longer than anybody should wait."""
        if at > self._end:
            raise ProcoreBusyError(at)
        seconds = (at - self._clock()).total_seconds()
        if seconds > 0:
            self._pause(seconds)


def _perhaps_done(reason: str) -> str:
    return f"Procore did not answer ({reason}), so it may have been done or not: look, then repeat it."


@cache
def _authorities() -> ssl.SSLContext:
    """The certificates that httpx trusts, which it would read, some 40 ms, for each look at Procore."""
    return httpx.create_ssl_context()


def _jittered(at: datetime) -> datetime:
    """A little later than `at`, so that not all who wait come at once."""
    return at + timedelta(seconds=random.uniform(0.05, 1.0))  # noqa: S311


def _content(answer: httpx.Response) -> Any:
    if not answer.content:
        return None
    try:
        return answer.json()
    except ValueError:
        raise BadAnswerError(f"Procore's answer to {answer.url.path} is not JSON.") from None


def _sync_error(error: Any, updates: Sequence[Mapping[str, Any]], start: int) -> SyncError:
    """Which update an error is of: Procore sends the update's own fields back beside `errors`."""
    content = error if isinstance(error, dict) else {}
    for index, update in enumerate(updates):
        if all(str(content.get(key)) == str(value) for key, value in update.items()):
            return SyncError(start + index, _words_of(content.get("errors")))
    return SyncError(None, _words_of(content.get("errors", error)))


def _words_of(errors: Any) -> str:
    if isinstance(errors, dict):
        return "; ".join(
            (f"{field} " if field != "base" else "") + _words_of(words) for field, words in errors.items()
        )
    if isinstance(errors, list):
        return ", ".join(map(_words_of, errors))
    return str(errors)[:_WORDS_SHOWN]

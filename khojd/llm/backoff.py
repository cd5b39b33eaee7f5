"""How long a server that failed is left alone, and when the same request is sent again."""

import random
import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from khojd.config import Provider
from khojd.errors import ProviderError, ProviderReason

RETRIED: Final[frozenset[ProviderReason]] = frozenset({"rate", "busy", "server", "unreachable"})


class Pace(Struct, frozen=True):
    """Seconds. What a person would want is the same for all servers, so these are no settings."""

    retry: float = 0.5  # before the same request is sent again; doubled each time
    longest: float = 20.0  # that a request waits, also when the server asks for more
    loading: float = 2.0  # between two looks at a server of this machine that still loads its model
    away: float = 5.0  # that a server which failed is not asked, when another one can be; doubled each time
    away_longest: float = 300.0
    info: float = 300.0  # that a model's description is kept
    asked: float = 30.0  # for a description or a look at the health
    asked_least: float = 5.0  # for a description, also where a first token may take no longer than less
    count: float = 3.0  # for a count of tokens, which can be estimated instead


class Backoff:
    """Grows with each failure in a row, ends with an answer."""

    def __init__(self, pace: Pace, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace = pace
        self._clock = clock
        self._failures = 0
        self._until = 0.0

    def failed(self, retry_after: float | None = None) -> None:
        """`retry_after`: how long the server itself asks to be left alone."""
        away = min(self._pace.away * 2.0 ** min(self._failures, 30), self._pace.away_longest)
        self._failures += 1
        self._until = self._clock() + max(away, retry_after or 0.0)

    def answered(self) -> None:
        self._failures = 0
        self._until = 0.0

    @property
    def away(self) -> bool:
        """Whether it should not be asked yet."""
        return self._clock() < self._until


def again(pace: Pace, settings: Provider, error: ProviderError, attempt: int, spent: float, *, local: bool) -> float | None:
    """Seconds until a server is asked the same again, `attempt` counted from 0; None when it is not.

    `spent` are the seconds since it was asked first, `local` whether it is on this machine.
    """
    if error.reason not in RETRIED:
        return None
    wait = min(pace.retry * 2.0**attempt, pace.longest) * random.uniform(1.0, 1.25)
    if error.reason == "busy" and local:
        # It loads the model, or is at another request: it will come, and nobody wants another server for that.
        wait = max(min(wait, pace.loading), error.retry_after or 0.0)
        return wait if spent + wait < settings.first_seconds else None
    if attempt >= settings.retries or (error.retry_after or 0.0) > pace.longest:
        return None
    return max(wait, error.retry_after or 0.0)


def then(error: ProviderError, done: str) -> str:
    """An error, and what is done about it, in a line for people."""
    message = error.message.rstrip(". ")
    return f"{message}{'' if message.endswith('?') else ';'} {done}"

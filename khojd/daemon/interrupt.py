"""Control-C while a client waits for an answer."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self


class Interrupt:
    """While it is entered, a first SIGINT calls `cancel`, and does not raise KeyboardInterrupt wherever the program happens to be:
    in the middle of a read, what was read would be lost. A second one raises it.

    Only in the main thread, which alone gets signals, and where nobody else has a handler.
    """

    def __init__(self, cancel: Callable[[], None]) -> None:
        self.came = False
        self._cancel = cancel
        self._held = self._owed = self._set = False

    def __enter__(self) -> Self:
        mine = threading.current_thread() is threading.main_thread()
        if mine and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, lambda *_: self())
            self._set = True
        return self

    def __exit__(self, *_: object) -> None:
        if self._set:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def __call__(self) -> None:
        if self.came:
            raise KeyboardInterrupt
        self.came = True
        if self._held:
            self._owed = True
        else:
            self._cancel()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Put `cancel` off to the end of this: it must not come between two halves of something else that is sent."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            if self._owed:
                self._owed = False
                self._cancel()

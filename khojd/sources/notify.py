"""The events of a whole tree of directories as watchfiles gives them, where the system is not Linux.

It asks its own queue at intervals, so it is never quite idle.
"""

import threading

from watchfiles._rust_notify import RustNotify  # its documented low-level interface: we must know when the watches stand

from khojd.paths import plain

CHECK_MS = 2000  # how often we look whether the folder is still there


class Notify:
    """What changes below `root`, as `Tree` tells it. Raises OSError where there are no events."""

    def __init__(self, root: str) -> None:
        try:
            self._notify = RustNotify([root], False, False, 0, True, True)
        except RuntimeError as error:
            raise OSError(str(error)) from error
        self._stop = threading.Event()

    def wait(self, settle_ms: int, most_ms: int) -> frozenset[str] | None:
        found = self._notify.watch(most_ms, settle_ms, CHECK_MS, self._stop)
        if found == "stop":
            return None
        return frozenset(plain(path) for _, path in found) if isinstance(found, set) else frozenset()

    def stop(self) -> None:
        self._stop.set()

    def close(self) -> None:
        self._notify.close()

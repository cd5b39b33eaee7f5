"""Every error khojd raises on purpose, on one page.

::

    KhojdError                    base: `message` for a person, `code` for a program, `data` names the part
    ├── ConfigError               a setting, file or key is wrong; names file, key, value and what is allowed
    ├── QueryError                a search request cannot be understood; shows the part and what is allowed
    ├── ContentError              a file cannot be read as notes: its state becomes `failed`
    ├── SkippedContent            a file is left out on purpose: its state becomes `skipped`
    ├── StoreError                the index on disk cannot be used
    │   ├── IndexLocked           another daemon owns it
    │   ├── IndexTooNew           it was made by a newer khojd
    │   ├── IndexCorrupt          a store does not read back; it is rebuilt
    │   └── StorageFull           the disk is full or read-only; the old index still answers
    ├── ModelError                a model is missing, broken or cannot do what was asked; says what to do
    ├── ProviderError             a model server cannot be reached, refuses, or sends what is no answer; says what to do
    ├── ChatError                 a turn or conversation cannot go on as asked
    ├── DaemonError               the daemon cannot be found, started or spoken to
    ├── NotFound                  a path, folder, entry or method that is not there
    ├── EditError                 a change to notes cannot be made as asked, e.g. a rename to a name that is taken
    └── Cancelled                 the request was cancelled

`code` is stable and is sent as the JSON-RPC error code; `name` is its stable word in `--json` output and in `data.kind`.
"""

from typing import Any, ClassVar, Literal


class KhojdError(Exception):
    """Base of every error raised on purpose.

    `data` is JSON-serialisable and names the part at fault, e.g. `{"file": …, "key": …}`.
    """

    code: ClassVar[int] = -32000
    name: ClassVar[str] = "error"

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.data: dict[str, Any] = {"kind": self.name, **data}


class ConfigError(KhojdError):
    """A setting is wrong. `data`: file, key, value, allowed, closest (where known)."""

    code = -32010
    name = "config"


class QueryError(KhojdError):
    """A query or filter cannot be understood. `data`: part (the text at fault), allowed."""

    code = -32011
    name = "query"


class ContentError(KhojdError):
    """The file cannot be read as notes; becomes the state `failed` with this message as its reason."""

    code = -32012
    name = "content"


class SkippedContent(KhojdError):
    """The file is left out on purpose; becomes the state `skipped` with this message as its reason."""

    code = -32013
    name = "skipped"


class StoreError(KhojdError):
    """The index on disk cannot be used. `data`: path."""

    code = -32020
    name = "index"


class IndexLocked(StoreError):
    """Another daemon owns the index."""

    code = -32021
    name = "index-locked"


class IndexTooNew(StoreError):
    """The index was made by a newer khojd. `data`: path, found, supported."""

    code = -32022
    name = "index-too-new"


class IndexCorrupt(StoreError):
    """A store does not read back. `data`: path, store."""

    code = -32023
    name = "index-corrupt"


class StorageFull(StoreError):
    """The index cannot be written (disk full, read-only); what is there still answers. `data`: path."""

    code = -32024
    name = "storage"


class ModelError(KhojdError):
    """A model is missing, broken or cannot do what was asked; the message says what to do. `data`: model."""

    code = -32030
    name = "model"


ProviderReason = Literal[
    "unreachable",  # no connection, or it broke before the answer began
    "auth",  # the key is missing or refused
    "model",  # there is no such model
    "rate",  # too many requests; `retry_after` seconds where the server says so
    "busy",  # overloaded, or still loading the model
    "overflow",  # the prompt is longer than the model's context
    "request",  # the server finds fault with the request
    "server",  # an error of the server's own
    "garbled",  # what came is no answer: HTML, broken JSON, a wrong content type
    "cut",  # the answer broke off in its middle
    "timeout",  # nothing came for too long
    "endless",  # the model repeats itself
    "unsupported",  # this server or model cannot do it
]


class ProviderError(KhojdError):
    """A model server failed. `data`: provider, model (where known), reason, status (of HTTP, where there was one), retry_after.

    The message never holds a key, and nothing that the server sent back of the prompt.
    """

    code = -32031
    name = "provider"

    def __init__(
        self,
        message: str,
        *,
        provider: str,
        reason: ProviderReason,
        model: str = "",
        status: int = 0,
        retry_after: float | None = None,
        **data: Any,
    ) -> None:
        super().__init__(message, provider=provider, reason=reason, model=model, status=status, retry_after=retry_after, **data)
        self.reason = reason
        self.retry_after = retry_after


class ChatError(KhojdError):
    """A turn or conversation cannot go on as asked; the message says why. `data`: what was asked for."""

    code = -32032
    name = "chat"


class DaemonError(KhojdError):
    """The daemon cannot be found, started or spoken to. `data`: address (where known)."""

    code = -32040
    name = "daemon"


class NotFound(KhojdError):
    """A path, folder, entry or position that is not there. `data`: what was asked for."""

    code = -32041
    name = "not-found"


class EditError(KhojdError):
    """A change to notes cannot be made as asked (LSP's RequestFailed); the message says why. `data`: path (where known)."""

    code = -32803
    name = "edit"


class Cancelled(KhojdError):
    """The request was cancelled by its client (LSP's RequestCancelled)."""

    code = -32800
    name = "cancelled"

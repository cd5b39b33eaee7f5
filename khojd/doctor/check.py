"""What a check of `khojd doctor` says."""

from typing import Literal

from msgspec import Struct

State = Literal["ok", "warn", "fail"]


class Check(Struct, frozen=True):
    """`name` is stable; `fix` says what to do, "" when all is well or nothing can be done."""

    name: str
    state: State
    message: str
    fix: str = ""

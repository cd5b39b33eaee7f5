"""What may be said of an unexpected error without telling a note's text."""

import traceback


def where(error: BaseException) -> str:
    """The places an error came through, without its message."""
    return "".join(traceback.format_tb(error.__traceback__)).rstrip()


def reason(error: BaseException) -> str:
    """The innermost cause of a failed conversion: cattrs nests them in groups."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"

"""The keys of model servers: read where the configuration says they are, when a provider is opened, and kept nowhere else."""

import asyncio
import contextlib
import os
import shlex
import signal
import stat
import sys
import threading
from pathlib import Path
from typing import Any, Final

from khojd import config
from khojd.errors import ProviderError

SETTINGS: Final = ("key_env", "key_command", "key_file", "key_keyring")
COMMAND_SECONDS: Final = 60.0  # a person may have to unlock a password store
KEYRING_SECONDS: Final = 60.0
MAX_BYTES: Final = 65_536


class Secret(str):
    """A key. It is text like any other where it is sent; what shows it to people (repr, a debugger, a log of objects) does not."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<key>" if self else "<no key>"


async def key(name: str, provider: config.Provider, *, seconds: float = COMMAND_SECONDS) -> Secret:
    """The key of the configured provider `name`, empty when none of the key_ settings is given.

    Raises ProviderError (`auth`) that names the provider and the setting; `data["setting"]` is the setting.
    """
    given = [setting for setting in SETTINGS if getattr(provider, setting)]
    if not given:
        return Secret()
    if len(given) > 1:
        raise _error(name, given[0], f"{' and '.join(given)} are given; keep one of them")
    setting = given[0]
    if setting == "key_env":
        text = _from_environment(name, provider.key_env)
    elif setting == "key_command":
        text = await _from_command(name, provider.key_command, seconds)
    elif setting == "key_file":
        text = await asyncio.to_thread(_from_file, name, provider.key_file)
    else:
        text = await _from_keyring(name, provider.key_keyring)
    return _checked(name, setting, text)


def _error(name: str, setting: str, what: str) -> ProviderError:
    return ProviderError(f"providers.{name}.{setting}: {what}", provider=name, reason="auth", setting=setting)


def _checked(name: str, setting: str, text: str) -> Secret:
    """The first line, without the spaces around it: programs print a newline, and some print more lines below the key."""
    first = text.strip().partition("\n")[0].strip()
    if not first:
        raise _error(name, setting, "the key is empty")
    # A key goes into a header of HTTP, where anything else would be cut off or refused with a message that shows it.
    if not (first.isascii() and first.isprintable()):
        raise _error(name, setting, "what stands there is no key: it holds characters that no key has")
    return Secret(first)


def _from_environment(name: str, variable: str) -> str:
    value = os.environ.get(variable)
    if value is None:
        raise _error(
            name,
            "key_env",
            f"the environment variable {variable} is not set; the daemon has the environment of the program that started it: "
            "set it there and run `khojd stop`, or use key_file",
        )
    return value


async def _from_command(name: str, command: tuple[str, ...], seconds: float) -> str:
    program = str(_home(name, "key_command", command[0]))
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *command[1:],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # so that what it starts ends with it
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise _error(name, "key_command", f"cannot run {program}: {reason}") from None
    try:
        async with asyncio.timeout(seconds):
            output, complaint = await process.communicate()
    except TimeoutError:
        raise _error(name, "key_command", f"{program} did not end within {seconds:g} s") from None
    finally:
        if process.returncode is None:
            _kill(process)
            await process.wait()
    if process.returncode:
        said = _shown(complaint, output)
        raise _error(name, "key_command", f"{program} ended with {process.returncode}" + (f": {said}" if said else ""))
    if not output.strip():
        said = _shown(complaint, b"")
        raise _error(name, "key_command", f"{program} printed nothing" + (f"; it said: {said}" if said else ""))
    return output[:MAX_BYTES].decode(errors="replace")


def _home(name: str, setting: str, path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise _error(name, setting, f"{path}: there is no such home directory") from None


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


def _shown(complaint: bytes, output: bytes) -> str:
    """The last line of what a program said, fit for a person, without anything that it also printed as the key."""
    lines = complaint[-4096:].decode(errors="replace").strip().splitlines()
    last = "".join(character for character in lines[-1] if character.isprintable()) if lines else ""
    for word in sorted(set(output[:MAX_BYTES].decode(errors="replace").split()), key=len, reverse=True):
        if len(word) >= 6:
            last = last.replace(word, "***")
    return last[:300]


def _from_file(name: str, path: str) -> str:
    place = _home(name, "key_file", path)
    try:
        # Without O_NONBLOCK a pipe of that name would hold the thread for ever.
        opened = os.open(place, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise _error(name, "key_file", f"{place}: {reason}") from None
    try:
        status = os.fstat(opened)
        if not stat.S_ISREG(status.st_mode):
            raise _error(name, "key_file", f"{place} is no file")
        if sys.platform != "win32":  # Windows has neither owners nor modes of this kind
            if status.st_uid != os.geteuid():
                raise _error(name, "key_file", f"{place} belongs to another user; copy it and protect the copy")
            if status.st_mode & 0o077:
                raise _error(name, "key_file", f"others may read {place}; run: chmod 600 {shlex.quote(str(place))}")
        return os.read(opened, MAX_BYTES).decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise _error(name, "key_file", f"{place}: {error.strerror}") from None
    finally:
        os.close(opened)


async def _from_keyring(name: str, place: str) -> str:
    service, separator, user = place.rpartition("/")
    if not separator or not service or not user:
        raise _error(name, "key_keyring", f"{place!r} is not of the form service/user")
    found, problem = await _ask_keyring(service, user)
    if problem:
        raise _error(name, "key_keyring", problem)
    if found is None:
        raise _error(name, "key_keyring", f"the keyring holds nothing for {place}; run: keyring set {service} {user}")
    return found


async def _ask_keyring(service: str, user: str) -> tuple[str | None, str]:
    """The password or None, and what went wrong."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[tuple[str | None, str]] = loop.create_future()

    def settle(value: tuple[str | None, str]) -> None:
        if not answer.done():
            answer.set_result(value)

    def ask() -> None:
        value = _keyring_password(service, user)
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, value)

    # A thread of its own that nobody waits for: a keyring that asks its user for a password may never answer, and a thread
    # of the pool would hold up the daemon's end.
    threading.Thread(target=ask, name="khojd-keyring", daemon=True).start()
    try:
        async with asyncio.timeout(KEYRING_SECONDS):
            return await answer
    except TimeoutError:
        return None, f"the keyring did not answer within {KEYRING_SECONDS:g} s; is it locked?"


def _keyring_password(service: str, user: str) -> tuple[str | None, str]:
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return None, "the package keyring is not installed: pip install 'khojd[keyring]'"
    try:
        found: Any = keyring.get_password(service, user)
    except keyring.errors.NoKeyringError:
        return None, "this system has no keyring that works; use key_file or key_command"
    except Exception as error:  # backends raise what their libraries raise
        return None, f"the keyring failed ({type(error).__name__})"
    return found, ""

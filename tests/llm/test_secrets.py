"""Keys are read where the configuration says, and shown nowhere."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from khojd import config
from khojd.errors import ProviderError
from khojd.llm import secrets

KEY = "sk-test-0123456789abcdef"


def asking(**settings: Any) -> config.Provider:
    return config.Provider(kind="anthropic", **settings)


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


async def refused(provider: config.Provider, **more: Any) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await secrets.key("mine", provider, **more)
    assert caught.value.reason == "auth"
    assert caught.value.data["provider"] == "mine"
    assert caught.value.message.startswith(f"providers.mine.{caught.value.data['setting']}: ")
    assert KEY not in caught.value.message
    return caught.value


async def test_without_a_setting_there_is_no_key() -> None:
    assert await secrets.key("mine", asking()) == ""


async def test_a_key_is_text_that_does_not_show_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", f"  {KEY}\n")
    key = await secrets.key("mine", asking(key_env="MY_KEY"))
    assert f"Bearer {key}" == f"Bearer {KEY}"
    assert KEY not in repr(key)
    assert KEY not in repr({"headers": [key]})
    assert KEY not in f"{key!r}"


async def test_two_places_for_one_key_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    error = await refused(asking(key_env="MY_KEY", key_file="~/key"))
    assert "key_env and key_file" in error.message


async def test_a_variable_that_is_not_set_is_named() -> None:
    error = await refused(asking(key_env="KHOJD_TEST_NO_SUCH_VARIABLE"))
    assert "KHOJD_TEST_NO_SUCH_VARIABLE is not set" in error.message
    assert "khojd stop" in error.message


@pytest.mark.parametrize("value", ["", "  \n ", f"{KEY}\x00x", "schlüssel", "a\tb"])
async def test_what_cannot_be_a_key_is_refused(value: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(value, encoding="utf-8")
    file.chmod(0o600)
    await refused(asking(key_file=str(file)))


async def test_a_file_in_the_home_directory_is_read_each_time(own_home: Path) -> None:
    file = own_home / "key"
    for value in (KEY, "another"):
        file.write_text(value + "\r\nsecond line\n")
        file.chmod(0o600)
        assert await secrets.key("mine", asking(key_file="~/key")) == value


@pytest.mark.skipif(sys.platform == "win32", reason="modes of files are POSIX's")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620])
async def test_a_file_that_others_may_read_is_refused_with_the_command_that_helps(mode: int, tmp_path: Path) -> None:
    file = tmp_path / "my key"
    file.write_text(KEY)
    file.chmod(mode)
    error = await refused(asking(key_file=str(file)))
    assert error.message.endswith(f"chmod 600 '{file}'")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can give files away")
async def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(0o600)
    os.chown(file, 12345, 12345)
    assert "another user" in (await refused(asking(key_file=str(file)))).message


async def test_what_is_no_file_is_refused_and_does_not_hang(tmp_path: Path) -> None:
    assert "No such file" in (await refused(asking(key_file=str(tmp_path / "none")))).message
    assert "no file" in (await refused(asking(key_file=str(tmp_path)))).message
    if sys.platform != "win32":
        os.mkfifo(tmp_path / "pipe", 0o600)
        async with asyncio.timeout(60):
            assert "no file" in (await refused(asking(key_file=str(tmp_path / "pipe")))).message


async def test_a_command_prints_the_key() -> None:
    assert await secrets.key("mine", asking(key_command=python(f"print('{KEY}'); print('user: me')"))) == KEY


async def test_a_command_gets_its_arguments_as_they_are() -> None:
    provider = asking(key_command=(*python("import sys; print(sys.argv[1])"), "$HOME;echo*"))
    assert await secrets.key("mine", provider) == "$HOME;echo*"


async def test_a_command_that_fails_is_shown_with_what_it_said_but_not_with_the_key() -> None:
    code = f"import sys; print('{KEY}'); print('first\\ncannot decrypt {KEY}\\x1b[31m', file=sys.stderr); sys.exit(3)"
    error = await refused(asking(key_command=python(code)))
    assert "ended with 3: cannot decrypt ***[31m" in error.message


async def test_a_command_that_prints_nothing_is_refused() -> None:
    error = await refused(asking(key_command=python("import sys; print('locked', file=sys.stderr)")))
    assert "printed nothing; it said: locked" in error.message


async def test_a_command_that_is_not_there_is_named() -> None:
    assert "cannot run khojd-no-such-program" in (await refused(asking(key_command=("khojd-no-such-program",)))).message


@pytest.mark.skipif(sys.platform == "win32", reason="processes end in groups on POSIX")
async def test_a_command_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    pipe = tmp_path / "alive"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    # The grandchild holds the pipe open for writing until it is killed.
    code = (
        f"import os, subprocess, sys; out = os.open({str(pipe)!r}, os.O_WRONLY); os.write(out, b'x'); "
        "os.set_inheritable(out, True); "
        "subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'], close_fds=False)"
    )
    loop = asyncio.get_running_loop()
    started, ended = asyncio.Event(), asyncio.Event()

    def readable() -> None:
        if os.read(reading, 1):
            started.set()
        else:
            loop.remove_reader(reading)
            ended.set()

    asked = asyncio.create_task(secrets.key("mine", asking(key_command=python(code))))
    loop.add_reader(reading, readable)
    async with asyncio.timeout(60):
        await started.wait()
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        await ended.wait()
    os.close(reading)


async def test_a_command_has_limited_time() -> None:
    error = await refused(asking(key_command=python("import time; time.sleep(600)")), seconds=0.2)
    assert "did not end within 0.2 s" in error.message


class TestKeyring:
    """With keyring's own file-less backends, so that no test asks the system's."""

    @pytest.fixture(autouse=True)
    def backend(self) -> Any:
        keyring = pytest.importorskip("keyring")
        from keyring.backend import KeyringBackend

        class Memory(KeyringBackend):
            priority = 1

            def set_password(self, service: str, username: str, password: str) -> None:
                raise AssertionError("keys are only read")

            def get_password(self, service: str, username: str) -> str | None:
                if service == "broken":
                    raise RuntimeError(f"no bus for {KEY}")
                return KEY if (service, username) == ("api.example/v1", "me") else None

        before = keyring.get_keyring()
        keyring.set_keyring(Memory())  # type: ignore[no-untyped-call]
        yield
        keyring.set_keyring(before)

    async def test_a_key_is_read_from_the_keyring(self) -> None:
        assert await secrets.key("mine", asking(key_keyring="api.example/v1/me")) == KEY

    async def test_what_the_keyring_does_not_hold_is_said_with_the_command_that_stores_it(self) -> None:
        assert "keyring set service me" in (await refused(asking(key_keyring="service/me"))).message

    async def test_a_place_without_a_user_is_refused(self) -> None:
        assert "service/user" in (await refused(asking(key_keyring="service"))).message

    async def test_a_keyring_that_fails_is_an_error_without_its_words(self) -> None:
        assert "RuntimeError" in (await refused(asking(key_keyring="broken/me"))).message

    async def test_without_a_keyring_another_setting_is_offered(self) -> None:
        import keyring
        from keyring.backends.fail import Keyring

        keyring.set_keyring(Keyring())  # type: ignore[no-untyped-call]
        assert "key_file" in (await refused(asking(key_keyring="service/me"))).message

    async def test_without_the_package_its_installation_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "keyring", None)
        assert "pip install 'khojd[keyring]'" in (await refused(asking(key_keyring="service/me"))).message

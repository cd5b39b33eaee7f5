"""What mode 0600 is elsewhere: a file that only its user can open (Windows)."""

import ctypes
import os
import sys
from pathlib import Path

assert sys.platform == "win32"

_TOKEN_QUERY = 8
_TOKEN_USER = 1
_DACL_SECURITY_INFORMATION = 4
_SDDL_REVISION = 1
_LARGEST_SID = 68 + 16  # bytes of a TOKEN_USER with its SID


def close_to_others(path: Path) -> None:
    """Full access for this process's user, none for anyone else, and none from the folder's rules. Raises OSError."""
    advapi = ctypes.WinDLL("advapi32", use_last_error=True)
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    descriptor = ctypes.c_void_p()
    rule = f"D:P(A;;FA;;;{_user(advapi, kernel)})"
    _check(advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW(rule, _SDDL_REVISION, ctypes.byref(descriptor), None))
    try:
        _check(advapi.SetFileSecurityW(os.fspath(path), _DACL_SECURITY_INFORMATION, descriptor))
    finally:
        kernel.LocalFree(descriptor)


def _user(advapi: ctypes.WinDLL, kernel: ctypes.WinDLL) -> str:
    """The security identifier of the user, as S-1-…"""
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    process = ctypes.c_void_p(kernel.GetCurrentProcess())
    token = ctypes.c_void_p()
    _check(advapi.OpenProcessToken(process, _TOKEN_QUERY, ctypes.byref(token)))
    try:
        user = ctypes.create_string_buffer(_LARGEST_SID)
        size = ctypes.c_uint32()
        _check(advapi.GetTokenInformation(token, _TOKEN_USER, user, _LARGEST_SID, ctypes.byref(size)))
    finally:
        kernel.CloseHandle(token)
    text = ctypes.c_wchar_p()
    _check(advapi.ConvertSidToStringSidW(ctypes.c_void_p.from_buffer(user), ctypes.byref(text)))
    try:
        return str(text.value)
    finally:
        kernel.LocalFree(text)


def _check(done: int) -> None:
    if not done:
        raise ctypes.WinError(ctypes.get_last_error())

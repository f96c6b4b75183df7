#!/usr/bin/env python3
"""Chromium that does not notice this machine's network interfaces coming and going.

Every container that starts or stops adds or removes one, and Chromium then breaks its requests off with
ERR_NETWORK_CHANGED, loopback ones too; no flag turns that off. It learns of interfaces from a netlink socket,
so this wrapper forbids the kernel to give it one (seccomp, inherited by all it starts) and then becomes
Chromium.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

CHROMIUM = os.environ.get("CHATBOT_TEST_CHROMIUM", "/usr/bin/chromium")

SOCKET_CALL = {"x86_64": 41, "aarch64": 198}  # the number of socket(2)
AF_NETLINK = 16
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
ALLOW = 0x7FFF0000
REFUSE = 0x00050000 | errno.EAFNOSUPPORT
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # BPF instructions
CALL_NUMBER, FIRST_ARGUMENT = 0, 16  # offsets in struct seccomp_data


def forbid_netlink() -> None:
    """From here on, socket(AF_NETLINK, …) fails in this process and all it starts."""
    program = b"".join(
        struct.pack("=HBBI", *instruction)
        for instruction in [
            (LOAD, 0, 0, CALL_NUMBER),
            (JUMP_IF_EQUAL, 0, 3, SOCKET_CALL[platform.machine()]),
            (LOAD, 0, 0, FIRST_ARGUMENT),
            (JUMP_IF_EQUAL, 0, 1, AF_NETLINK),
            (RETURN, 0, 0, REFUSE),
            (RETURN, 0, 0, ALLOW),
        ]
    )
    instructions = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0
    ):
        raise OSError(ctypes.get_errno(), "seccomp was refused")


if __name__ == "__main__":
    if platform.machine() in SOCKET_CALL:
        forbid_netlink()
    os.execv(CHROMIUM, [CHROMIUM, *sys.argv[1:]])

"""Base images made from packages, for where the registry of the official ones cannot be reached.

A stand-in offers what its official image offers (same distribution family, same command paths, same users)
and is made from packages whose bytes are pinned: wheels by SHA-256, Debian packages by the archive's
signature.
"""

from __future__ import annotations

# What the recipes run on the operator's machine, as apt package names (Debian and Ubuntu). `chatbot setup`
# installs them; the last two make mmdebstrap usable on Ubuntu (Debian's keys) and without root (subuid maps).
HOST_PACKAGES: tuple[str, ...] = (
    "mmdebstrap",
    "e2fsprogs",
    "binutils",
    "ca-certificates",
    "debian-archive-keyring",
    "uidmap",
)

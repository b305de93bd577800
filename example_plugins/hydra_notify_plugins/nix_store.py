"""What the local Nix store says of paths, and the `.narinfo` of a binary cache.

By the program `nix-store`, whose output has not changed in many years; signatures,
which it does not show, by `nix`, where that is there and says them.
"""

import contextlib
import json
import subprocess
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import PurePosixPath
from typing import Final

from msgspec import Struct

from hydra_notify_sdk import Permanent, Retry

QUERY_TIMEOUT: Final = 120.0
"""Seconds for a question about many paths, on a store that is busy."""

PATHS_AT_ONCE: Final = 1000
"""Of one command: a tenth of what a command line may have."""

ALPHABET: Final = "0123456789abcdfghijklmnpqrsvwxyz"
"""Of Nix's base 32."""


class StorePath(Struct, kw_only=True):
    """A path of the store.

    Attributes:
        nar_hash: SHA-256 of its archive.
        nar_size: Bytes of that.
        references: Paths, its own may be among them.
        deriver: A path, or "".
    """

    path: str
    nar_hash: bytes
    nar_size: int
    references: list[str]
    deriver: str
    signatures: list[str]

    @property
    def digest(self) -> str:
        """The part of its name that tells it from all others."""
        return PurePosixPath(self.path).name.partition("-")[0]


def closure(paths: Sequence[str]) -> list[str]:
    """These paths and all they need, what is needed first.

    Raises:
        Permanent: One of them is not in the store (any more).
        Retry: The store does not say.
    """
    return _ask(["nix-store", "--query", "--requisites", *paths]).split()


def described(paths: Iterable[str]) -> list[StorePath]:
    """What the store says of paths, in their order.

    Raises:
        Permanent, Retry: As for `closure`.
    """
    found: list[StorePath] = []
    rest = iter(paths)
    while batch := list(islice(rest, PATHS_AT_ONCE)):
        signatures = _signatures(batch)
        lines = iter(_ask(["nix-store", "--dump-db", *batch]).splitlines())
        # Each: path, hash, size, deriver, the number of references, and those.
        found += [
            StorePath(
                path=path,
                nar_hash=bytes.fromhex(next(lines)),
                nar_size=int(next(lines)),
                deriver=next(lines),
                references=list(islice(lines, int(next(lines)))),
                signatures=signatures.get(path, []),
            )
            for path in lines
        ]
    return found


def narinfo(
    path: StorePath, url: str, compression: str, file_hash: bytes, file_size: int
) -> str:
    """The text that describes a path to those who fetch it.

    Args:
        path: What it is about.
        url: Of the file, from the root of the cache.
        compression: As Nix calls it.
        file_hash: SHA-256 of the file.
        file_size: Bytes of it.
    """
    lines = [
        f"StorePath: {path.path}",
        f"URL: {url}",
        f"Compression: {compression}",
        f"FileHash: sha256:{base32(file_hash)}",
        f"FileSize: {file_size}",
        f"NarHash: sha256:{base32(path.nar_hash)}",
        f"NarSize: {path.nar_size}",
        f"References: {' '.join(PurePosixPath(each).name for each in path.references)}",
    ]
    if path.deriver:
        lines.append(f"Deriver: {PurePosixPath(path.deriver).name}")
    lines += [f"Sig: {each}" for each in path.signatures]
    return "\n".join(lines) + "\n"


def base32(digest: bytes) -> str:
    """Bytes in Nix's base 32: from the last bits to the first."""
    number = int.from_bytes(digest, "little")
    length = (len(digest) * 8 + 4) // 5
    return "".join(ALPHABET[number >> 5 * n & 31] for n in reversed(range(length)))


def _ask(command: list[str]) -> str:
    try:
        answer = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=QUERY_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Retry(f"{command[0]} does not answer: {error}") from error
    if answer.returncode == 0:
        return answer.stdout
    words = " ".join(answer.stderr.split())[-300:]
    if "is not valid" in words:
        raise Permanent(f"it has left the store: {words}", code=410)
    raise Retry(f"{' '.join(command[:2])} failed: {words}")


def _signatures(paths: list[str]) -> dict[str, list[str]]:
    """The signatures of paths; none where `nix` is missing or does not say."""
    command = ["nix", "--extra-experimental-features", "nix-command"]
    with contextlib.suppress(Retry, Permanent, ValueError, KeyError, TypeError):
        answer = json.loads(_ask([*command, "path-info", "--json", *paths]))
        if isinstance(answer, list):
            # Before Nix 2.19.
            answer = {each["path"]: each for each in answer}
        return {
            path: [str(signature) for signature in info.get("signatures", [])]
            for path, info in answer.items()
        }
    return {}

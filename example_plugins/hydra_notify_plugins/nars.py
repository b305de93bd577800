"""Archives of store paths, compressed into files."""

import bz2
import contextlib
import hashlib
import lzma
import subprocess
from collections.abc import Callable, Generator
from pathlib import Path
from typing import IO, Final, Literal, Protocol, get_args

from msgspec import Struct

from hydra_notify_plugins.nix_store import StorePath
from hydra_notify_sdk import Permanent, Retry

CHUNK: Final = 1 << 20
"""Bytes read at a time; between two the host may be heard."""

END_TIMEOUT: Final = 60.0
"""Seconds for a compressor to write its last block."""

Compression = Literal["bzip2", "xz", "zstd", "none"]
COMPRESSIONS: Final = get_args(Compression)
EXTENSIONS: Final = {"bzip2": ".bz2", "xz": ".xz", "zstd": ".zst", "none": ""}


class Nar(Struct, frozen=True):
    """A compressed archive; `hash` is the SHA-256 of the file, `size` its bytes."""

    file: Path
    hash: bytes
    size: int


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class _Plain:
    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


def pack(
    path: StorePath, compression: Compression, folder: Path, tick: Callable[[], None]
) -> Nar:
    """The archive of a path, compressed.

    Args:
        path: What the store says of it; the archive has to be just that.
        compression: How.
        folder: Where to put the file. It has the name of the path.
        tick: Called between chunks; what it raises ends the work.

    Raises:
        Permanent: What lies in the store is not what the store says.
        Retry: It cannot be read, or the file cannot be written.
    """
    file = folder / f"{path.digest}.nar"
    whole, size = hashlib.sha256(), 0
    try:
        with file.open("w+b") as target:
            with _written(compression, target) as write:
                for chunk in _dump(path.path):
                    whole.update(chunk)
                    size += len(chunk)
                    write(chunk)
                    tick()
            if (whole.digest(), size) != (path.nar_hash, path.nar_size):
                raise Permanent(
                    f"{path.path} is not what the store says of it",
                    fix=f"nix-store --repair-path {path.path}",
                )
            target.seek(0)
            digest = hashlib.file_digest(target, "sha256").digest()
    except OSError as error:
        raise Retry(
            f"no archive can be written in {folder}: {error.strerror}"
        ) from error
    return Nar(file, digest, file.stat().st_size)


def _dump(path: str) -> Generator[bytes]:
    with subprocess.Popen(
        ["nix-store", "--dump", path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            while chunk := process.stdout.read(CHUNK):
                yield chunk
        except BaseException:
            process.kill()
            raise
        words = process.stderr.read().decode(errors="replace")
    if process.returncode != 0:
        raise Retry(f"nix-store --dump failed: {' '.join(words.split())[-300:]}")


@contextlib.contextmanager
def _written(
    compression: Compression, target: IO[bytes]
) -> Generator[Callable[[bytes], object]]:
    """What writes into a file by a compression; at the end all of it is there."""
    if compression == "zstd":
        with _zstd(target) as write:
            yield write
        return
    compressor: _Compressor
    match compression:
        case "bzip2":
            compressor = bz2.BZ2Compressor()
        case "xz":
            compressor = lzma.LZMACompressor()
        case "none":
            compressor = _Plain()
    yield lambda data: target.write(compressor.compress(data))
    target.write(compressor.flush())
    target.flush()


@contextlib.contextmanager
def _zstd(target: IO[bytes]) -> Generator[Callable[[bytes], object]]:
    # Python has it since 3.14; the program is there wherever Hydra compresses logs.
    with subprocess.Popen(
        ["zstd", "--quiet", "--stdout"],
        stdin=subprocess.PIPE,
        stdout=target,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        try:
            yield process.stdin.write
            process.stdin.close()
            process.wait(END_TIMEOUT)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise Retry("zstd does not end") from error
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise Retry(f"zstd ended with status {process.returncode}")

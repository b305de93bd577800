"""Bytes to lines: any chunking, bounded memory; an over-long line loses only itself."""

import msgspec

from hydra_notify_sdk.wire.limits import MAX_FRAME_BYTES

_encoder = msgspec.json.Encoder()


class Oversized(msgspec.Struct, frozen=True):
    """A line longer than the limit was thrown away.

    Attributes:
        length: Bytes of the line, without its newline.
    """

    length: int


class Framer:
    """Cuts a stream into its lines, without newlines; empty lines are skipped.

    Parts of an unfinished line are kept as they came and joined once, so a line that
    arrives in many chunks costs time proportional to its length. A line past the limit
    is discarded up to its newline and reported as `Oversized` in its place.
    """

    def __init__(self, limit: int = MAX_FRAME_BYTES) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._held = 0
        self._discarding = False

    def feed(self, chunk: bytes) -> list[bytes | Oversized]:
        """The lines that `chunk` completes, in order."""
        complete, newline, rest = chunk.rpartition(b"\n")
        if not newline:
            self._hold(chunk)
            return []
        lines: list[bytes | Oversized] = []
        if self._held:
            first, newline, complete = complete.partition(b"\n")
            self._hold(first)
            lines.append(self._release())
            if not newline:
                self._hold(rest)
                return self._without_empty(lines)
        if len(complete) > self._limit:
            lines.extend(
                line if len(line) <= self._limit else Oversized(len(line))
                for line in complete.split(b"\n")
            )
        else:
            lines.extend(complete.split(b"\n"))
        self._hold(rest)
        return self._without_empty(lines)

    def close(self) -> bytes | Oversized:
        """What is left when the stream has ended: half a line, never a frame."""
        return self._release()

    @property
    def held(self) -> int:
        """Bytes of the unfinished line so far."""
        return self._held

    @staticmethod
    def _without_empty(lines: list[bytes | Oversized]) -> list[bytes | Oversized]:
        return [line for line in lines if line not in (b"", b"\r")]

    def _hold(self, part: bytes) -> None:
        if not part:
            return
        self._held += len(part)
        if self._held > self._limit:
            self._discarding = True
            self._parts.clear()
        if not self._discarding:
            self._parts.append(part)

    def _release(self) -> bytes | Oversized:
        line = Oversized(self._held) if self._discarding else b"".join(self._parts)
        self._parts.clear()
        self._held = 0
        self._discarding = False
        return line


def to_line(message: msgspec.Struct) -> bytes:
    """One frame: compact JSON and its newline.

    Raises:
        UnicodeEncodeError: A string holds a lone surrogate.
    """
    return _encoder.encode(message) + b"\n"

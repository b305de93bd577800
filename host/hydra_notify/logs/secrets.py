"""What no line of the log shows, whoever puts it there.

The last line of defence: who handles a secret masks it where it is handled, too, since
the log is not the only place where words go.
"""

import math
import threading
import time
from collections.abc import Callable, Iterable

from hydra_notify.limits import SECRET_MEMORY
from hydra_notify.plugin_log import masker


class _Hidden:
    """The values that are hidden, and until when (seconds of a monotonic clock)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[tuple[str, str], float] = {}
        self.mask: Callable[[str], str] = masker(())

    def hide(self, owner: str, values: Iterable[str]) -> None:
        now = time.monotonic()
        present = {(owner, value) for value in values}
        with self._lock:
            known = {key for key in self._until if key[0] == owner}
            if present == known and all(self._until[key] == math.inf for key in known):
                return
            for key, until in list(self._until.items()):
                if until <= now:
                    del self._until[key]
                elif key[0] == owner and key not in present:
                    self._until[key] = min(until, now + SECRET_MEMORY)
            self._until.update(dict.fromkeys(present, math.inf))
            self.mask = masker(value for _, value in self._until)


_hidden = _Hidden()


def hide(owner: str, values: Iterable[str]) -> None:
    """Have the log show `***` for each of `values`.

    What was hidden for the same owner before stays so for SECRET_MEMORY: something may
    still know it. It is forgotten when something is hidden after that.

    Args:
        owner: Whose secrets; a call replaces what an earlier one has said of it.
        values: As `masker` takes them; a value that is too short is shown.
    """
    _hidden.hide(owner, values)


def mask(text: str) -> str:
    """`text` without any of the values that are hidden."""
    return _hidden.mask(text)

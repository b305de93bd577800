"""A Nix store that is a few files, behind programs that are called as Nix's are."""

import hashlib
import json
from pathlib import Path

NIX_STORE = """\
#!/bin/sh
here=$(dirname "$0")
echo "$@" >>"$here/calls"
case $1 in
--query)
    shift 2
    for path; do
        if [ ! -e "$here/db/${path##*/}" ]; then
            echo "error: path '$path' is not valid" >&2
            exit 1
        fi
    done
    cat "$here/closure" ;;
--dump-db)
    shift
    for path; do cat "$here/db/${path##*/}"; done ;;
--dump)
    exec cat "$here/nar/${2##*/}" ;;
esac
"""

NIX = """\
#!/bin/sh
exec cat "$(dirname "$0")/signatures"
"""

NO_NIX = """\
#!/bin/sh
exit 1
"""

STORE = "/nix/store"


class FakeStore:
    """Has three paths, of which the first is what the others need.

    Attributes:
        folder: Has the programs, and what was asked of `nix-store` in `calls`.
        paths: What is needed first.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("db", "nar"):
            (folder / name).mkdir(parents=True)
        self._program("nix-store", NIX_STORE)
        # Never that of the machine, which would look for the paths elsewhere for long.
        self._program("nix", NO_NIX)
        self.paths: list[str] = []
        libc = self.add("libc-2.38", b"the library", [])
        gcc = self.add("gcc", b"another library" * 100, [libc])
        # A path may need itself.
        self.add("hello-2.12", b"hello", [libc, gcc, "self"])

    def add(self, name: str, nar: bytes, references: list[str]) -> str:
        digest = str(len(self.paths) + 1) * 32
        path = f"{STORE}/{digest}-{name}"
        needed = [path if each == "self" else each for each in references]
        (self.folder / "nar" / f"{digest}-{name}").write_bytes(nar)
        deriver = f"{STORE}/{digest}-{name}.drv" if needed else ""
        lines = [path, hashlib.sha256(nar).hexdigest(), str(len(nar)), deriver]
        lines += [str(len(needed)), *needed]
        (self.folder / "db" / f"{digest}-{name}").write_text("\n".join(lines) + "\n")
        self.paths.append(path)
        (self.folder / "closure").write_text("".join(f"{p}\n" for p in self.paths))
        return path

    def nar(self, path: str) -> Path:
        return self.folder / "nar" / Path(path).name

    def dumps(self) -> list[str]:
        """The paths whose archives were asked for."""
        lines = (self.folder / "calls").read_text().splitlines()
        return [line.split()[1] for line in lines if line.startswith("--dump ")]

    def sign(self, *, listed: bool) -> None:
        """Has `nix` say signatures, in the form of before 2.19 or of after it."""
        told = {path: {"signatures": [f"key:{path[-4:]}"]} for path in self.paths}
        answer = [{"path": path, **info} for path, info in told.items()]
        (self.folder / "signatures").write_text(json.dumps(answer if listed else told))
        self._program("nix", NIX)

    def _program(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)

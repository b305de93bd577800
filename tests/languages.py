"""The example plugins of `example_plugins/languages`, built where they need it."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

LANGUAGES = Path(__file__).parents[1] / "example_plugins" / "languages"

NAME = "note_builds"
"""What the plugin is called in each language."""

NO_CODE = ("#", "//", "--")
"""How a line of comment begins."""

BUILD_LIMIT = 120.0
"""Seconds for a compiler; the first build of a machine compiles Go's library too."""


@dataclass(frozen=True)
class Language:
    """What an example needs.

    Attributes:
        file: The program, or what is built from.
        tools: Programs that have to be there.
        build: A command that writes the program to the path after `-o`, which is added
            to it; none where the file itself is run.
        sources: What has to follow after that.
        settings: Whether it has any.
    """

    file: str
    tools: tuple[str, ...]
    build: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    settings: bool = True


EXAMPLES: Mapping[str, Language] = {
    "bash": Language(f"{NAME}.sh", ("bash", "jq")),
    "go": Language("main.go", ("go",), ("go", "build")),
    "go_short": Language(
        f"{NAME}.go", ("go",), ("go", "build"), (f"{NAME}.go",), settings=False
    ),
    "lua": Language(f"{NAME}.lua", ("lua5.4",)),
    "lua_short": Language(f"{NAME}.lua", ("lua5.4",), settings=False),
    "node": Language(f"{NAME}.mjs", ("node",)),
    "perl": Language(f"{NAME}.pl", ("perl",)),
    "python": Language(f"{NAME}.py", ()),
    "ruby": Language(f"{NAME}.rb", ("ruby",)),
    "rust": Language(
        "src/main.rs",
        ("rustc",),
        ("rustc", "-O", "--edition", "2021"),
        ("src/main.rs",),
    ),
    "rust_short": Language(
        f"{NAME}.rs",
        ("rustc",),
        ("rustc", "-O", "--edition", "2021"),
        (f"{NAME}.rs",),
        settings=False,
    ),
}
"""By folder. Those in `_short` are the plugin of that language in one short file."""


def need(*tools: str) -> None:
    """Skips the test where a tool is missing; on CI none may be."""
    for tool in tools:
        if shutil.which(tool) is None:
            _miss(tool)


def need_perl(*modules: str) -> None:
    """The same for modules of Perl."""
    need("perl")
    for module in modules:
        found = subprocess.run(
            ["perl", f"-M{module}", "-e1"], capture_output=True, check=False
        )
        if found.returncode != 0:
            _miss(f"Perl's {module}")


def _miss(what: str) -> None:
    message = f"{what} is not installed, so this is not tested"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def program(name: str, builds: Path) -> Path:
    """The program of an example, which is built once by all who share `builds`."""
    language = EXAMPLES[name]
    need(*language.tools)
    if not language.build:
        return LANGUAGES / name / language.file
    target = builds / f"{name}_{NAME}"
    with (builds / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            new = target.with_suffix(".new")
            subprocess.run(
                [*language.build, "-o", str(new), *language.sources],
                cwd=LANGUAGES / name,
                env=offline(),
                check=True,
                timeout=BUILD_LIMIT,
            )
            new.rename(target)
    return target


def files(name: str) -> tuple[Path, ...]:
    """What an example is written in, its tests aside."""
    suffix = Path(EXAMPLES[name].file).suffix
    folder = LANGUAGES / name
    found = (*folder.glob(f"*{suffix}"), *folder.glob(f"src/*{suffix}"))
    return tuple(file for file in found if "test" not in file.stem)


def lines_of_code(*paths: Path) -> int:
    """How many lines are neither empty nor comment."""
    lines = (line.strip() for path in paths for line in path.read_text().splitlines())
    return sum(bool(line) and not line.startswith(NO_CODE) for line in lines)


def offline() -> dict[str, str]:
    """An environment in which no compiler asks the network."""
    return {
        **os.environ,
        "GOFLAGS": "-mod=mod",
        "GOPROXY": "off",
        "CARGO_NET_OFFLINE": "true",
    }


def is_plugin(path: Path) -> bool:
    """Whether a file is a plugin that can be started: a script, and no test of one."""
    script = path.is_file() and path.read_bytes().startswith(b"#!")
    return script and path.name != "test.sh"

"""A new plugin: the example of its language under the author's name.

The examples are the tested ones of `example_plugins/languages`; what is added are a
README and a file of settings to try it with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

import hydra_notify
from hydra_notify.config.checks import check_name
from hydra_notify.errors import HydraNotifyError

EXAMPLE: Final = "note_builds"
"""What the plugin is called in every example, in its files and in their names."""


class NotWritten(HydraNotifyError):
    """There is no new plugin; the message says why, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Language:
    """How a plugin is made in a language.

    Attributes:
        title: Its name.
        files: Of the example, those that a new plugin has too.
        handler: Where the author's code goes.
        program: What the host runs, once it is built.
        needs: What has to be installed.
        test: Commands that build the plugin, and have it tested.
    """

    title: str
    files: tuple[str, ...]
    handler: str
    program: str
    needs: str
    test: tuple[str, ...]


LANGUAGES: Final[Mapping[str, Language]] = {
    "python": Language(
        "Python",
        (f"{EXAMPLE}.py", "test_plugin.py"),
        f"`note` in `{EXAMPLE}.py`",
        f"{EXAMPLE}.py",
        "Python 3.11 or newer, and the package hydra-notify-sdk",
        ("python3 -m unittest",),
    ),
    "bash": Language(
        "bash",
        (f"{EXAMPLE}.sh", "test.sh"),
        f"`handle` in `{EXAMPLE}.sh`",
        f"{EXAMPLE}.sh",
        "bash 4.4 or newer, and jq",
        ("./test.sh",),
    ),
    "node": Language(
        "JavaScript",
        (f"{EXAMPLE}.mjs", "plugin.test.mjs"),
        f"`handle` in `{EXAMPLE}.mjs`",
        f"{EXAMPLE}.mjs",
        "Node 18 or newer",
        ("node --test",),
    ),
    "go": Language(
        "Go",
        ("main.go", "protocol.go", "main_test.go", "go.mod", ".gitignore"),
        "`handle` in `main.go`",
        EXAMPLE,
        "Go 1.19 or newer, to build it",
        ("go build", "go test"),
    ),
    "rust": Language(
        "Rust",
        (
            "src/main.rs",
            "src/protocol.rs",
            "src/json.rs",
            "tests/plugin.rs",
            "Cargo.toml",
            ".gitignore",
        ),
        "`handle` in `src/main.rs`",
        f"target/release/{EXAMPLE}",
        "Rust 1.63 or newer with cargo, to build it",
        ("cargo build --release", "cargo test"),
    ),
    "perl": Language(
        "Perl",
        (f"{EXAMPLE}.pl", "t/plugin.t"),
        f"`handle` in `{EXAMPLE}.pl`",
        f"{EXAMPLE}.pl",
        "Perl 5.14 or newer with its own modules",
        ("prove",),
    ),
    "ruby": Language(
        "Ruby",
        (f"{EXAMPLE}.rb", "test_plugin.rb"),
        f"`handle` in `{EXAMPLE}.rb`",
        f"{EXAMPLE}.rb",
        "Ruby 2.7 or newer; minitest, which most come with, for the test",
        ("ruby test_plugin.rb",),
    ),
}
"""By the word that `plugin new` takes."""

SETTINGS: Final = f"""\
# What `hydra-notify plugin check --config settings.toml` tells the plugin. A host is
# told by a file of its own, which says of secrets only where they are: README.md.

[settings]
# Whether builds that succeed are passed over.
failures_only = false

[secrets]
# {EXAMPLE} has no use for it yet: made up, to sign in with.
token = "made up"
"""

README: Final = Template(f"""\
# {EXAMPLE}

A plugin for hydra-notify in $title. It logs each finished build, and keeps a list of
them, `received.log`, where the host runs it. Your code goes into $handler.

It needs $needs.

```
$test
hydra-notify plugin check ./$program --config settings.toml --level should
```

The last line tries every rule of the protocol on it; `settings.toml` has what the
plugin is told meanwhile.

## Install it

Into the host's `hydra-notify.toml`:

```toml
[plugins.{EXAMPLE}]
command = ["/opt/{EXAMPLE}/$program"]

[plugins.{EXAMPLE}.settings]
# Whether builds that succeed are passed over.
failures_only = false

[plugins.{EXAMPLE}.secrets]
# Where it is read from; never the secret itself.
# token = {{ file = "/run/keys/{EXAMPLE}" }}
```

Then `hydra-notify check-config` says what is wrong with the file, if anything is.
""")


def examples() -> Path:
    """Where the examples are: a wheel's own copy, or those of the checkout."""
    package = Path(hydra_notify.__file__).parent
    installed = package / "demo" / "examples" / "example_plugins"
    checkout = package.parents[1] / "example_plugins"
    return (installed if installed.exists() else checkout) / "languages"


def write_plugin(word: str, name: str, parent: Path) -> tuple[str, ...]:
    """Write a plugin into a directory of its name.

    Args:
        word: Of `LANGUAGES`.
        name: Of the plugin, and of the directory.
        parent: Where the directory is made.

    Returns:
        What to do next, in lines.

    Raises:
        NotWritten: No such language, no such name, or something bears that name.
    """
    language = LANGUAGES.get(word)
    if language is None:
        known = ", ".join(LANGUAGES)
        raise NotWritten(f"there is no example in {word!r}; the languages are: {known}")
    _check_name(word, name)
    folder = examples() / word
    texts = {file: (folder / file).read_text("utf-8") for file in language.files}
    texts["README.md"] = _readme(language)
    texts["settings.toml"] = SETTINGS
    renamed = {
        file.replace(EXAMPLE, name): text.replace(EXAMPLE, name)
        for file, text in texts.items()
    }
    if len(renamed) < len(texts):
        taken = language.program.replace(EXAMPLE, name)
        raise NotWritten(f"{taken} is what its test is called; choose another name")
    directory = parent / name
    try:
        directory.mkdir()
        for file, text in renamed.items():
            _write(directory / file, text)
    except FileExistsError as error:
        problem = "is there already, and nothing is overwritten"
        raise NotWritten(f"{directory} {problem}; choose another name") from error
    except OSError as error:
        raise NotWritten(f"{directory} cannot be written: {error.strerror}") from error
    return _next_steps(language, name)


def _check_name(word: str, name: str) -> None:
    finding = check_name(name)
    if finding is None and word == "rust" and name[0].isdigit():
        finding = "begins with a digit, as no crate may", "put a letter before it"
    if finding is not None:
        problem, fix = finding
        raise NotWritten(f"{name!r} {problem}; {fix}")


def _readme(language: Language) -> str:
    return README.substitute(
        title=language.title,
        handler=language.handler,
        needs=language.needs,
        test="\n".join(language.test),
        program=language.program,
    )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
    if text.startswith("#!"):
        # Not copied: whoever unpacked the examples may have lost it.
        mode = path.stat().st_mode
        path.chmod(mode | (mode & 0o444) >> 2)


def _next_steps(language: Language, name: str) -> tuple[str, ...]:
    program = language.program.replace(EXAMPLE, name)
    handler = language.handler.replace(EXAMPLE, name).replace("`", "")
    return (
        f"cd {name} && {' && '.join(language.test)}",
        f"hydra-notify plugin check ./{program} --config settings.toml --level should",
        f"Your code goes into {handler}; README.md says how to install it.",
    )

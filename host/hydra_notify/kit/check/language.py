"""Which language a plugin is written in, and how its people say things there."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Final


@dataclass(frozen=True, slots=True)
class Language:
    """How to do in a language what the protocol asks for.

    Attributes:
        name: Of the language.
        flush: Send each line at once.
        log: Print without touching the wire.
        loop: Read to the end of stdin and leave.
        compact: Write JSON on one line.
    """

    name: str
    flush: str
    log: str
    loop: str
    compact: str


_ANY: Final = Language(
    "",
    "flush standard output after each line: flush=True in Python, $| = 1 in Perl, "
    "jq --unbuffered in a shell, $stdout.sync = true in Ruby",
    "print to standard error; move the wire away first where libraries print: "
    "exec 3>&1 1>&2 in a shell, dup and dup2 elsewhere",
    "read lines until there are none, then exit with status 0",
    "write the frame without line breaks and one newline after it",
)

_LANGUAGES: Final = {
    "python": Language(
        "Python",
        "print(json.dumps(frame), flush=True), or use hydra_notify_sdk",
        "print(..., file=sys.stderr), or use hydra_notify_sdk, which moves the wire "
        "away from print",
        "for line in sys.stdin: ...; then let the program end (no while True)",
        "json.dumps(frame) without indent",
    ),
    "perl": Language(
        "Perl",
        "$| = 1; before the first print",
        "print STDERR ..., or open(my $wire, '>&', \\*STDOUT) and then "
        "open(STDOUT, '>&', \\*STDERR)",
        "while (my $line = <STDIN>) { ... } and nothing after it",
        "JSON::PP->new->utf8 without ->pretty",
    ),
    "ruby": Language(
        "Ruby",
        "$stdout.sync = true before the first puts",
        "warn ..., or keep wire = $stdout.dup and $stdout.reopen($stderr)",
        "STDIN.each_line { ... } and nothing after it",
        "JSON.generate(frame), not JSON.pretty_generate",
    ),
    "node": Language(
        "JavaScript",
        'process.stdout.write(JSON.stringify(frame) + "\\n")',
        "console.error(...), not console.log(...)",
        "let the event loop run dry when readline closes: clear timers, close sockets",
        "JSON.stringify(frame) without its third argument",
    ),
    "shell": Language(
        "shell",
        "jq --unbuffered (and stdbuf -oL for sed, grep and awk)",
        "exec 3>&1 1>&2 as the first command, and write frames with >&3",
        "while IFS= read -r line; do ...; done and nothing after it",
        "jq -c",
    ),
    "go": Language(
        "Go",
        "json.NewEncoder(os.Stdout).Encode(frame), or Flush the bufio.Writer",
        "log.Print(...) or fmt.Fprintln(os.Stderr, ...)",
        "return from main when the reader says io.EOF",
        "json.Marshal, not json.MarshalIndent",
    ),
    "rust": Language(
        "Rust",
        "println! (it is line-buffered), or flush() the writer after each line",
        "eprintln!, not println!",
        "for line in std::io::stdin().lock().lines() { ... }, then return from main",
        "serde_json::to_string, not to_string_pretty",
    ),
    "lua": Language(
        "Lua",
        'io.stdout:setvbuf("line") before the first write',
        "io.stderr:write(...)",
        "for line in io.lines() do ... end and nothing after it",
        _ANY.compact,
    ),
    "tcl": Language(
        "Tcl",
        "fconfigure stdout -buffering line",
        "puts stderr ...",
        "while {[gets stdin line] >= 0} {...} and nothing after it",
        _ANY.compact,
    ),
}

_INTERPRETERS: Final = {
    "sh": "shell",
    "bash": "shell",
    "dash": "shell",
    "zsh": "shell",
    "jq": "shell",
    "awk": "shell",
    "nodejs": "node",
    "tclsh": "tcl",
}
_SUFFIXES: Final = {
    ".py": "python",
    ".pl": "perl",
    ".rb": "ruby",
    ".js": "node",
    ".mjs": "node",
    ".cjs": "node",
    ".sh": "shell",
    ".bash": "shell",
    ".jq": "shell",
    ".go": "go",
    ".rs": "rust",
    ".lua": "lua",
    ".tcl": "tcl",
}

_START_BYTES: Final = 65_536
"""Of a program that are looked at: a first line, or what compilers leave in front."""


def language_of(command: Sequence[str]) -> Language:
    """The language of a program; one without a name if nobody can tell."""
    for word in command:
        name = _language_of_word(word)
        if name in _LANGUAGES:
            return _LANGUAGES[name]
    return _ANY


def _language_of_word(word: str) -> str:
    path = Path(word)
    if path.suffix in _SUFFIXES:
        return _SUFFIXES[path.suffix]
    interpreter = _interpreter(path.name)
    if interpreter in _LANGUAGES:
        return interpreter
    found = which(word)
    try:
        with Path(found or word).open("rb") as program:
            start = program.read(_START_BYTES)
    except (OSError, ValueError):
        return ""
    if start.startswith(b"#!"):
        words = start[2:].split(b"\n", 1)[0].decode("utf-8", "replace").split()
        names = [Path(each).name for each in words if not each.startswith("-")]
        return next(
            (i for name in names if (i := _interpreter(name)) in _LANGUAGES), ""
        )
    return "go" if b"Go build ID" in start else ""


def _interpreter(name: str) -> str:
    """The language of an interpreter such as `python3.12` or `lua5.4`."""
    bare = name.rstrip("0123456789.")
    return _INTERPRETERS.get(bare, bare)

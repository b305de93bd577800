"""Hydra's configuration file is read as Perl's Config::General reads it."""

import contextlib
import json
import random
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.languages import need_perl

from hydra_notify.hydra_conf import (
    HydraConfError,
    Scalar,
    plain,
    read_hydra_conf,
)

FILES: Mapping[str, str] = {
    "one": "in1 = 1\n",
    "block": "<s>\nk = v\n</s>\n",
    "sub/inner": "include beside\ninclude one\n",
    "sub/beside": "beside = 1\n",
    "sub/one": "in1 = sub\n",
    "opens": "<x>\n",
    "closes": "</x>\n",
    "no_newline": "tail = 1",
    "bom": "\ufeffz = 1\n",
}
"""Beside the file that is read."""

QUIRKS: Mapping[str, object] = {
    # Keys and values.
    "a = 1\nb 2\nc=3\nd =4\ne= 5\n": {"a": "1", "b": "2", "c": "3", "d": "4", "e": "5"},
    "k2 : v\n": {"k2": ": v"},
    "a = b = c\nd==1\ne f=g\n": {"a": "b = c", "d": "=1", "e": "f=g"},
    'novalue\nempty =\nquoted = ""\n': {"novalue": None, "empty": "", "quoted": ""},
    "Key = 1\nkey = 2\n": {"Key": "1", "key": "2"},
    "a = 1\na = 2\na = 3\n": {"a": ["1", "2", "3"]},
    "a\na = 1\n": {"a": [None, "1"]},
    'a = "x y"\nb = \'x\'\nc = "x" y\nd = "x\n': {
        "a": "x y",
        "b": "'x'",
        "c": '"x" y',
        "d": '"x',
    },
    'a = ""x""\nb = "\nc = "  x "\nd = "x\\"\n': {
        "a": '"x"',
        "b": "",
        "c": "  x ",
        "d": "x\\",
    },
    '"a b" = 1\n': {'"a': 'b" = 1'},
    "a\t1 2\t3  \n": {"a": "1 2\t3"},
    "a = 1; b = [2]\n": {"a": "1; b = [2]"},
    "ü = é\n": {"ü": "é"},
    'a = 1\r\n<s>\r\nb = "x"\r\nc\r\n</s>\r\n': {"a": "1", "s": {"b": "x", "c": None}},
    "\ufeffa = 1\n": {"a": "1"},
    "a = 1\rb = 2\n": {"a": "1\rb = 2"},
    # Escapes; everything else keeps its backslash, so regular expressions survive.
    r"a = \$x \# \" \\ \. \d \@ $y": {"a": r"$x # " + '"' + r" \ \. \d \@ $y"},
    # Comments.
    'a = foo#bar\nb = "Hydra #1"\nc = foo\\#bar\nd = #x\ne #x\n': {
        "a": "foo",
        "b": '"Hydra',
        "c": "foo#bar",
        "d": "",
        "e": None,
    },
    "# c \\\n  # d\nb = 2\na = 1 # c \\\n": {"a": "1", "b": "2"},
    "/* x */\na = 1 /* y */\n/* z\nc = 3\n*/\nd = 4\n": {"a": "1", "d": "4"},
    "a = 1 /* x */ 2\nb = 1 /* y */ 2 /* z */ 3\n": {"a": "12", "b": "13"},
    "a = /path/*\nb = 1\n": {"a": "/path/*", "b": "1"},
    "a = 1 /* y\nb = 2 */ c = 3\n": {"a": "1 /* y", "c": "3"},
    "/* x\n y /* z\n*/ a = 1\n": {"a": "1"},
    "# /* x\nb = 2\n": {"b": "2"},
    # Lines that are continued.
    "a = x \\\n   y\nb = x\\\ny\nc = x\\\n\nd = 1\n": {
        "a": "x y",
        "b": "xy",
        "c": "x",
        "d": "1",
    },
    "a = x \\\n# c\nb = 1\\\\\nc = 1\\ \nd = 2\n": {
        "a": "x",
        "b": "1\\",
        "c": "1\\",
        "d": "2",
    },
    "a \\\ninclude one\n": {"a": "include one"},
    # Here-documents.
    "a <<E\nl1\n l2 # x\n\nE\nb = 1\n": {"a": "l1\n l2 # x", "b": "1"},
    "a = <<E\n  l1\n    l2\n  E\nb = 1\n": {"a": "l1\n  l2", "b": "1"},
    'a <<E\n"x" \\$y \\\n</s>\nE\n': {"a": '"x" $y \\\n</s>'},
    "a = x <<E\nb = 1 << 2\n": {"a": "x <<E", "b": "1 << 2"},
    "x \\\na <<E\nl\nE\ny\n": {"a": "l", "x": "y"},
    # Blocks.
    "<x>\na = 1\n</x>\n": {"x": {"a": "1"}},
    "<x>\na = 1\n</x>\n<x>\nb = 2\n</x>\n<x>\n</x>\n": {
        "x": [{"a": "1"}, {"b": "2"}, {}]
    },
    "<x>\n<y>\na = 1\n</y>\n<y>\n</y>\n</x>\n": {"x": {"y": [{"a": "1"}, {}]}},
    "<named foo>\na = 1\n</named>\n<named bar>\n</named>\n": {
        "named": {"foo": {"a": "1"}, "bar": {}}
    },
    "<x foo>\na = 1\n</x>\n<x foo>\n</x>\n": {"x": {"foo": [{"a": "1"}, {}]}},
    '<x "a b">\n</x>\n<"y z" c d>\n</y>\n': {"x": {"a b": {}}, "y z": {"c d": {}}},
    "<x foo>\na = 1\n</x>\n<x>\nb = 1\n</x>\n": {
        "x": [{"foo": {"a": "1"}}, {"b": "1"}]
    },
    "<x>\na = 1\n</x>\n<x a>\nb = 1\n</x>\n": {"x": {"a": ["1", {"b": "1"}]}},
    "<x>\n</x>\nx = 1\n": {"x": [{}, "1"]},
    "<slack/>\n<y foo/>\n<z />\n": {"slack": {}, "y": {"foo": {}}, "z": {"": {}}},
    "<x>\na = 1\n</y>\n": {"x": {"a": "1"}},
    " <x> # c\na = 1\n </ x >\n": {"x": {"a": "1"}},
    "<X>\na = <x>\n</x>\n": {"X": {"a": "<x>"}},
    "<>\nx>\n</\n": {"<>": None, "x>": None, "</": None},
    # Includes.
    "include one\nInclude one\n<y>\nINCLUDE one\n</y>\n": {
        "in1": ["1", "1"],
        "y": {"in1": "1"},
    },
    "include \"one\"\ninclude 'block' # c\ninclude\n": None,
    'include "one"\n  include   block   # c\ninclude\n': {
        "in1": "1",
        "s": {"k": "v"},
        "include": None,
    },
    "include sub/inner\n": {"beside": "1", "in1": "sub"},
    "a = 1\ninclude opens\nb = 2\ninclude closes\n": {"a": "1", "x": {"b": "2"}},
    "include no_newline\ninclude bom\nincludes one\n": {
        "tail": "1",
        "z": "1",
        "includes": "one",
    },
    "IncludeOptional one\n": {"in1": "1"},
}
"""What Config::General makes of a file; None where it refuses it."""

REFUSED: Mapping[str, str] = {
    "a = 1\ninclude nope\n": "hydra.conf:2: includes nope, which does not exist",
    "include o*\n": "Hydra takes no globs",
    "include = one\n": "includes = one, which does not exist",
    "include sub\n": "cannot be read (Is a directory)",
    "IncludeOptional nope\n": "does not exist",
    "include hydra.conf\n": "which includes this file",
    "include sub/../hydra.conf\n": "the 50th of files that include each other",
    "include a\0b\n": "which does not exist",
    "<x>\n<y>\n</y>\n": "hydra.conf:1: a block begins and does not end",
    "<x></x>\n": "a block begins and does not end",
    "a = 1\n</x>\n": "hydra.conf:2: a block ends here that has not begun",
    "<<include one>>\n": "a block begins and does not end",
    "x = 1\n<x>\n</x>\n": "hydra.conf:2: this block is called as the value at",
    "x = 1\n<x y>\n</x>\n": "hydra.conf:2: this block has a name",
    "<x>\n</x>\n<x>\n</x>\n<x y>\n</x>\n": "hydra.conf:5: this block has a name",
}
"""What Config::General refuses too, and what is said of it."""

DROPPED: Mapping[str, str] = {
    "b = 1\na <<E\nl\n": "hydra.conf:2: a here-document does not end in this file",
    "/* x\na = 1\n": "hydra.conf:1: a comment that begins with /* does not end",
    "b = 1\na = 1 \\\n": "hydra.conf:2: a line that ends in a backslash does not end",
}
"""What it drops without a word."""

ORACLE = r"""
use Config::General; use JSON::PP;
$SIG{__WARN__} = sub {};
my $json = JSON::PP->new->canonical->allow_nonref->ascii;
for my $file (@ARGV) {
    my %read = eval { Config::General->new(-UseApacheInclude => 1, -IncludeAgain => 1,
        -IncludeRelative => 1, -ConfigFile => $file)->getall };
    print $@ ? "null" : $json->encode(\%read), "\n";
}
"""

PIECES = (
    *("=", '"', "\\", "#", "$", "'", "<", ">", "/", "é", "a", "b", "x", "1", "key"),
    *(" = ", " ", "\t", "/*", "*/", "\\#", '"one"', "include ", *["\n"] * 6, "\r\n"),
    *("<x>\n", "</x>\n", "<x y>\n", "<y>\n", "</y>\n", "<x/>\n", "# c\n", "\\\n"),
    *("a <<E\n", "E\n", "\nE\n", "a = 1\n", "b 2\n", 'b = "q"\n'),
    *("include one\n", "include block\n"),
)
"""What files are made of that nobody would write."""


def write_all(directory: Path) -> None:
    for name, text in FILES.items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())


def read(path: Path) -> object:
    def text_of(file: Path) -> str:
        return file.read_bytes().decode("utf-8", "surrogateescape")

    return plain(read_hydra_conf(path, text_of).top)


def read_or_why(path: Path) -> object:
    try:
        return read(path)
    except HydraConfError as error:
        return error


def from_text(text: str) -> object:
    """What a file says that includes nothing."""

    def text_of(file: Path) -> str:
        if file != Path("/hydra.conf"):
            raise FileNotFoundError(2, "No such file or directory")
        return text

    return plain(read_hydra_conf(Path("/hydra.conf"), text_of).top)


def read_by_perl(paths: list[Path]) -> list[object]:
    """What the real Config::General makes of each; None where it refuses it."""
    done = subprocess.run(
        ["perl", "-e", ORACLE, *paths], capture_output=True, check=True, timeout=60
    )
    lines = done.stdout.decode().splitlines()
    assert len(lines) == len(paths)
    return [_as_text(json.loads(line)) for line in lines]


def _as_text(value: object) -> object:
    """To Perl it is bytes, and it writes each as a character."""
    if isinstance(value, dict):
        return {_as_text(key): _as_text(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_text(each) for each in value]
    if isinstance(value, str):
        return value.encode("latin1").decode("utf-8", "surrogateescape")
    return value


@pytest.mark.parametrize("text", QUIRKS)
def test_a_file_is_read_with_every_quirk(tmp_path: Path, text: str) -> None:
    write_all(tmp_path)
    path = tmp_path / "hydra.conf"
    path.write_bytes(text.encode())
    if QUIRKS[text] is None:
        with pytest.raises(HydraConfError):
            read(path)
    else:
        assert read(path) == QUIRKS[text]


@pytest.mark.parametrize("text", [*REFUSED, *DROPPED])
def test_what_hydra_refuses_or_drops_is_refused_by_file_and_line(
    tmp_path: Path, text: str
) -> None:
    write_all(tmp_path)
    path = tmp_path / "hydra.conf"
    path.write_text(text)
    with pytest.raises(HydraConfError) as refusal:
        read(path)
    assert {**REFUSED, **DROPPED}[text] in str(refusal.value)
    assert "; " in str(refusal.value)


def test_the_real_config_general_agrees_on_all_of_that(tmp_path: Path) -> None:
    need_perl("Config::General")
    write_all(tmp_path)
    # Which Hydra follows until it has no more files to open.
    texts = [*QUIRKS, *(each for each in REFUSED if "hydra.conf" not in each)]
    paths = []
    for number, text in enumerate(texts):
        paths.append(tmp_path / f"{number}.conf")
        paths[-1].write_bytes(text.encode())
    expected = [*QUIRKS.values(), *[None] * (len(texts) - len(QUIRKS))]
    assert read_by_perl(paths) == expected


def test_the_real_config_general_agrees_on_files_that_chance_has_made(
    tmp_path: Path,
) -> None:
    need_perl("Config::General")
    write_all(tmp_path)
    chance = random.Random(20)
    paths = []
    for number in range(700):
        text = "".join(chance.choices(PIECES, k=chance.randint(1, 14)))
        paths.append(tmp_path / f"{number}.conf")
        paths[-1].write_bytes(text.encode())
    read_by_both = 0
    for path, expected in zip(paths, read_by_perl(paths), strict=True):
        ours = read_or_why(path)
        if isinstance(ours, HydraConfError):
            assert expected is None or "Hydra drops" in str(ours), path.read_bytes()
        elif expected is not None:
            assert ours == expected, path.read_bytes()
            read_by_both += 1
    assert read_by_both > 300


@settings(max_examples=50)
@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(HydraConfError):
        assert isinstance(from_text(text), dict)


_word = st.text("abcXYZ019_-.", min_size=1, max_size=6)
_value = st.text("ab1 é$#'<>=*:,", min_size=1, max_size=12).filter(
    lambda text: text.strip() == text and not text.startswith("<<")
)
_tree = st.recursive(
    _value,
    lambda inner: st.dictionaries(
        _word, inner | st.lists(inner, min_size=2, max_size=3), max_size=4
    ),
    max_leaves=10,
)


def _written(tree: object, key: str) -> str:
    if isinstance(tree, list):
        return "".join(_written(each, key) for each in tree)
    if isinstance(tree, dict):
        inner = "".join(_written(each, name) for name, each in tree.items())
        return f"<{key}>\n{inner}</{key}>\n"
    escaped = "".join(f"\\{each}" if each in '$"#' else each for each in str(tree))
    return f"{key} = {escaped}\n"


def _mixed(tree: object) -> bool:
    """Whether a block comes after a value of the same name, which is refused."""
    if isinstance(tree, list):
        kinds = [isinstance(each, dict) for each in tree]
        return len(set(kinds)) > 1 or any(map(_mixed, tree))
    return isinstance(tree, dict) and any(map(_mixed, tree.values()))


@settings(max_examples=30)
@given(st.dictionaries(_word, _tree, max_size=4).filter(lambda tree: not _mixed(tree)))
def test_what_is_written_is_read_again(tree: dict[str, object]) -> None:
    text = "".join(_written(each, name) for name, each in tree.items())
    assert from_text(text) == tree


def test_files_that_include_each_other_without_end_are_refused() -> None:
    with pytest.raises(HydraConfError, match="the 50th of files"):
        read_hydra_conf(Path("/hydra.conf"), lambda path: "include a/b\n")


def test_every_value_knows_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("# c\n\ntoken = x \\\n  y\n")
    path = tmp_path / "hydra.conf"
    path.write_text("a = 1\n<slack>\n  include token\n</slack>\nh <<E\nl\nE\n")
    hydra = read_hydra_conf(path, Path.read_text)
    slack = hydra.top.all("slack")[0]
    assert str(slack.place) == f"{path}:2"
    assert not isinstance(slack, Scalar)
    assert str(slack.all("token")[0].place) == f"{tmp_path / 'token'}:3"
    assert str(hydra.top.all("h")[0].place) == f"{path}:5"
    assert hydra.top.all("nothing") == []
    assert hydra.files == (path, tmp_path / "token")


def test_a_value_is_not_shown_by_accident() -> None:
    hydra = read_hydra_conf(Path("/hydra.conf"), lambda path: "token = tell-nobody\n")
    assert "tell-nobody" not in repr(hydra)


# T/Hydra/Config/include.t


def test_include_t_a_nested_include_of_an_included_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "hydra.conf").write_text("include sub/foo.conf\n")
    (tmp_path / "sub/foo.conf").write_text("<foo>\n  include bar.conf\n</foo>\n")
    (tmp_path / "sub/bar.conf").write_text("bar = baz\n")
    assert read(tmp_path / "hydra.conf") == {"foo": {"bar": "baz"}}

"""Perl's regular expressions on jobs mean the same as globs, and to Python."""

import re
from pathlib import Path

import pytest
import tomli_w
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hydra_notify.config import Match, parse_config
from hydra_notify.takeover.jobs import globs, matches_nothing, python_problem, whole


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (".*", []),
        (".*:.*", []),
        (".*:.*:.*", []),
        ("nixpkgs:trunk:.*", ["nixpkgs:trunk:*"]),
        ("^nixpkgs:trunk:tested$", ["nixpkgs:trunk:tested"]),
        ("nixpkgs.*", ["nixpkgs*:*:*"]),
        ("nixpkgs:rel-.*", ["nixpkgs:rel-*:*"]),
        ("nixpkgs:rel-.*:.*", ["nixpkgs:rel-*:*"]),
        (r"a:release-20\.09:hello\..*", ["a:release-20.09:hello.*"]),
        ("[^:]*:b:c", ["*:b:c"]),
        ("a:b:c.+", ["a:b:c?*"]),
        ("a:b:c.d", ["a:b:c?d"]),
        ("a:b[0-9]:c", ["a:b[0-9]:c"]),
        (r"a:b:c\*", ["a:b:c[*]"]),
        ("(a|b):c:(?:d|e.*)", ["a:c:d", "a:c:e*", "b:c:d", "b:c:e*"]),
        # A . or .* in front of a colon may stand for that of a job's own name.
        ("a:.*:b", None),
        ("a:b:c:d.*", None),
        ("a:b.c:d", None),
        (".*:b:.*", None),
        ("a:b:c*", None),
        ("a:b:c?", None),
        ("a:b:c{2}", None),
        (r"a:b:\d", None),
        ("a:b:[^d]", None),
        ("a:b:(c|d)*", None),
        # What matches nothing is nothing that a glob can say.
        ("nixpkgs", None),
        ("a:b", None),
        ("a::b", None),
        ("a:b:", None),
        (":".join(["(a|b|c|d)"] * 3), None),
    ],
)
def test_an_expression_becomes_globs_only_if_they_mean_the_same(
    pattern: str, expected: list[str] | None
) -> None:
    found = globs(pattern)
    text = tomli_w.dumps(
        {"plugins": {"x": {"command": ["x"], "match": {"jobs": found or ()}}}}
    )
    assert parse_config(text, directory=Path("/"), environ={}).plugins
    assert (None if found is None else list(found)) == expected


_atoms = st.sampled_from(
    ["a", "b", ".", ".*", ".+", "[^:]*", "[ab]", "-", r"\.", "a*", "(a|b)", "(?:b|.*)"]
)
_section = st.lists(_atoms, max_size=3).map("".join)
_pattern = st.lists(_section, min_size=1, max_size=4).map(":".join)
_patterns = st.lists(_pattern, min_size=1, max_size=2).map("|".join)
_part = st.text("ab-.", min_size=1, max_size=3)
_name = st.tuples(_part, _part, st.text("ab-.:", min_size=1, max_size=4)).map(":".join)


@settings(max_examples=80)
@given(_patterns, st.lists(_name, min_size=15, max_size=15))
def test_globs_and_the_whole_expression_match_what_hydra_matches(
    pattern: str, names: list[str]
) -> None:
    expression = whole(pattern)
    found = globs(expression)
    match = None if found is None else Match(jobs=found)
    for name in names:
        hydras = re.search(f"^{pattern}$", name) is not None
        assert (re.fullmatch(expression, name) is not None) == hydras
        assert match is None or match.wants_build(name, None) == hydras
        assert not (matches_nothing(expression) and hydras)


@given(_pattern)
def test_an_expression_without_a_bar_stays_as_it_is(pattern: str) -> None:
    assume("|" not in pattern.replace("(a|b)", "").replace("(?:b|.*)", ""))
    assert whole(pattern) == pattern


def test_a_bar_outside_of_parentheses_divides_beginning_and_end() -> None:
    assert whole("a:.*|b|c$") == "(?:a:.*).*|.*(?:b).*|.*(?:c$)"
    assert whole(r"(a|b)[|]\|:c") == r"(a|b)[|]\|:c"
    assert whole("[]|]") == "[]|]"


@pytest.mark.parametrize(
    "pattern",
    [
        "[[:alpha:]]+",
        r"a\z",
        r"a\Z",
        r"\h+",
        r"a\Kb",
        r"\p{Lu}",
        r"\x{61}",
        r"(a)\g{1}",
        "(?<name>a)",
        "(?|a|b)",
        "(?R)",
        "(?{ 1 })",
        "(*FAIL)",
        "a{,3}",
        r"\y",
        "(a",
        "a:(?i)b",
    ],
)
def test_what_python_does_not_take_as_perl_does_is_noticed(pattern: str) -> None:
    assert python_problem(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "nixpkgs:(trunk|staging):.*",
        r"\d+\.\w*[^:]{2,3}?",
        "(?=a)a(?!b)(?<=a)(?<!b)",
        "(?i)a",
        "a++",
        "(?>a)",
        r"a\\z",
        r"\bx",
    ],
)
def test_what_both_take_alike_is_not(pattern: str) -> None:
    assert python_problem(pattern) is None

"""The words of a configuration's problems."""

import json
import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")

_EXPECTED: Final = re.compile(
    r"Expected `(?P<type>[^`]+)`(?:, got|(?P<bound> >= | <= | of length >= )(?P<n>\d+))"
)

_LONGEST_QUOTE: Final = 60
"""Characters of the user's text in a message: enough to find it again."""

_NOUNS: Final = {
    "array": "an array",
    "bool": "true or false",
    "float": "a number",
    "int": "an integer",
    "object": "a table",
    "str": "a string",
}


def quoted(text: str) -> str:
    """`text` in double quotes, on one line, cut where it is long."""
    if len(text) > _LONGEST_QUOTE:
        text = text[:_LONGEST_QUOTE] + "…"
    return json.dumps(text, ensure_ascii=False)


def joined(table: str, key: str) -> str:
    """The key path of `key` in `table`, written as TOML would."""
    part = key if _BARE_KEY.fullmatch(key) else quoted(key)
    return f"{table}.{part}" if table else part


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The fix for a word that is not one of `known`."""
    words = tuple(known)
    close = get_close_matches(word, words, n=1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(words)}"


def kind_of(value: object) -> str:
    """What a value of TOML is: `an integer`, `true or false`, `a date or time`."""
    match value:
        case bool():
            return _NOUNS["bool"]
        case str():
            return _NOUNS["str"]
        case int():
            return _NOUNS["int"]
        case float():
            return _NOUNS["float"]
        case list():
            return _NOUNS["array"]
        case dict():
            return _NOUNS["object"]
        case _:
            return "a date or time"


def problem_in(message: str, value: object) -> str:
    """What msgspec's `message` about `value` says, in the words of a TOML author."""
    if message.startswith("Invalid enum value"):
        return f"is {quoted(str(value))}, which is not one of its words"
    expected = _EXPECTED.match(message)
    if expected is None:
        return f"cannot be used ({message})"
    match expected["bound"]:
        case " >= ":
            return f"is less than {expected['n']}"
        case " <= ":
            return f"is more than {expected['n']}"
        case " of length >= ":
            return "is empty"
        case _:
            types = (t for t in expected["type"].split(" | ") if t != "null")
            wanted = " or ".join(_NOUNS.get(t, t) for t in types)
            return f"is {kind_of(value)}, not {wanted}"

"""A plugin's words, made fit for the log."""

import pytest

from hydra_notify.plugin_log import (
    PluginLog,
    classify,
    masker,
    masker_of_parts,
    one_line,
)
from hydra_notify_sdk.wire.limits import LOG_LINE_BYTES, LOG_LINES_BURST


@pytest.mark.parametrize(
    ("line", "level", "text"),
    [
        ("hello", "info", "hello"),
        ("<3>no route", "error", "no route"),
        ("<7>detail", "debug", "detail"),
        ("<9>no level", "info", "<9>no level"),
        ("[ERROR] no route", "error", "no route"),
        ("WARN: slow", "warning", "slow"),
        ("ERRORS happen", "info", "ERRORS happen"),
        ('{"level":"ERROR","msg":"no route"}', "error", "no route"),
        ('{"level":"warning","message":"slow"}', "warning", "slow"),
        ("{not json", "info", "{not json"),
        ("Traceback (most recent call last):", "error", None),
    ],
)
def test_the_level_of_a_line_is_found_in_the_usual_places(
    line: str, level: str, text: str | None
) -> None:
    assert classify(line) == (level, line if text is None else text)


def test_secrets_are_masked_the_longest_first() -> None:
    mask = masker(["abcd", "abcdef"])
    assert mask("x abcdef y abcd z") == "x *** y *** z"


def test_each_line_of_a_key_is_a_secret_of_its_own() -> None:
    mask = masker(["-----BEGIN KEY-----\nMIIEvQIBADAN\n-----END KEY-----"])
    assert mask("read MIIEvQIBADAN") == "read ***"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("log in with hunt…", "log in with ***…"),
        ("log in with hunter22…", "log in with ***…"),
        ('{"a":"pa\\"s…', '{"a":"***…'),
        ("log in with hunt", "log in with hunt"),
        ("log in with hun…", "log in with hun…"),
    ],
)
def test_where_a_text_was_cut_half_a_secret_is_one_too(text: str, shown: str) -> None:
    assert masker_of_parts(["hunter22", 'pa"ssé'])(text) == shown


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ('it\'s "x" \\n', repr('it\'s "x" \\n')),
        ("it's", repr('it\'s "x"')),
        ("a b/c&d", "https://chat.test/?token=a%20b%2Fc%26d"),
        ("a b/c&d", "token=a+b%2Fc%26d"),
        ("  blanks ", "log in with blanks"),
        ("line one\nline two", "line one | line two"),
    ],
)
def test_a_secret_is_found_as_errors_addresses_and_lines_have_it(
    secret: str, text: str
) -> None:
    assert secret.strip().splitlines()[0] not in masker([secret])(text)
    assert "***" in masker([secret])(text)


def test_a_secret_that_is_too_short_is_none() -> None:
    assert masker(["abc", " ab "])("abc ab") == "abc ab"


def test_an_empty_secret_masks_nothing() -> None:
    assert masker(["", " "])("some text") == "some text"


@pytest.mark.parametrize(
    "line",
    [
        rb'{"level":"info","msg":"log in with pa\"ss\u00e9"}',
        rb'{"level":"info","msg":"log in with \u0070\u0061\"\u0073s\u00e9"}',
        rb'{"no":"record","token":"pa\"ss\u00e9"}',
        '{"no":"record","token":"pa\\"ssé"}'.encode(),
        b"x" * (LOG_LINE_BYTES - 3) + 'pa"ssé'.encode(),
    ],
    ids=["a record", "all of it escaped", "no record", "as it is", "at the cut"],
)
def test_a_secret_is_masked_however_json_writes_it(line: bytes) -> None:
    log = PluginLog(['pa"ssé'], now=0.0)
    shown = log.stderr(line, now=0.0)
    assert shown is not None
    for text in (shown[1], *log.tail):
        assert "ss" not in text
        assert "pa" not in text
        assert "**" in text


def test_secrets_do_not_reach_the_tail_that_a_crash_report_shows() -> None:
    log = PluginLog(["hunter22"], now=0.0)
    log.stderr(b"login with hunter22\n", now=0.0)
    assert list(log.tail) == ["login with ***"]


def test_lines_beyond_the_rate_are_counted_and_dropped() -> None:
    log = PluginLog([], now=0.0)
    kept = [log.allow(now=0.0) for _ in range(LOG_LINES_BURST + 5)]
    assert kept.count(True) == LOG_LINES_BURST
    assert log.dropped == 5


def test_a_second_of_silence_earns_a_hundred_lines() -> None:
    log = PluginLog([], now=0.0)
    for _ in range(LOG_LINES_BURST):
        log.allow(now=0.0)
    assert [log.allow(now=1.0) for _ in range(101)].count(True) == 100


def test_bytes_that_are_no_text_are_replaced_not_refused() -> None:
    assert PluginLog([], 0.0).stderr(b"\xff\xfe oh", 0.0) == ("info", "�� oh")


def test_words_of_a_plugin_cannot_pass_for_a_line_of_the_host() -> None:
    assert one_line("fine\n12:00:00 INFO    listening\x1b[2J") == (
        "fine | 12:00:00 INFO    listening·[2J"
    )

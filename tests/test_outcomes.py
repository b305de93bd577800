"""Error codes and their details: what becomes of a delivery."""

import msgspec
import pytest

from hydra_notify.outcomes import Dead, Delivered, Outcome, Retry, outcome_of
from hydra_notify_sdk.wire import RpcError

PAUSE = 30.0


def outcome(code: int, **data: object) -> Outcome:
    raw = msgspec.Raw(msgspec.json.encode(data)) if data else msgspec.Raw()
    return outcome_of(RpcError(code, "words", raw), pause_default=PAUSE)


@pytest.mark.parametrize("code", [500, 502, 504, 408, 425, 599, -32603, 7, 499])
def test_an_outage_or_an_unknown_code_is_worth_another_try(code: int) -> None:
    assert outcome(code) == Retry(f"{code} words")


@pytest.mark.parametrize("code", [400, 404, 410, 413, 415, 422])
def test_a_request_that_can_never_work_is_given_up(code: int) -> None:
    assert outcome(code) == Dead(f"{code} words")


def test_a_conflict_means_that_it_was_done_already() -> None:
    assert isinstance(outcome(409), Delivered)


@pytest.mark.parametrize("code", [429, 503])
def test_slow_down_pauses_the_whole_plugin(code: int) -> None:
    assert outcome(code) == Retry(f"{code} words", pause=PAUSE)
    assert outcome(code, retry_after_ms=1500) == Retry(
        f"{code} words", after=1.5, pause=1.5
    )


@pytest.mark.parametrize("digits", [9, 18, 20, 400])
def test_no_plugin_waits_longer_than_a_day_however_much_it_asks_for(
    digits: int,
) -> None:
    data = msgspec.Raw(b'{"retry_after_ms":%s}' % (b"9" * digits))
    error = RpcError(500, "words", data)
    assert outcome_of(error, pause_default=PAUSE) == Retry("500 words", after=86_400.0)


@pytest.mark.parametrize("code", [401, 403, 407])
def test_refused_credentials_block_the_whole_plugin(code: int) -> None:
    assert outcome(code) == Retry(f"{code} words", block=True)
    assert outcome(code, scope="event") == Retry(f"{code} words")
    assert outcome(code, retryable=True) == Retry(f"{code} words")


def test_slow_down_for_one_event_pauses_nothing() -> None:
    assert outcome(429, scope="event") == Retry("429 words")


def test_the_plugins_own_word_on_retrying_beats_its_code() -> None:
    assert outcome(404, retryable=True) == Retry("404 words")
    assert outcome(500, retryable=False) == Dead("500 words")
    assert outcome(429, retryable=False) == Dead("429 words")
    assert outcome(429, retryable=True) == Retry("429 words", pause=PAUSE)


def test_the_plugins_help_is_part_of_the_reason() -> None:
    assert outcome(500, help="restart the proxy") == Retry(
        "500 words (restart the proxy)"
    )


@pytest.mark.parametrize("data", [b'"text"', b"[1]", b'{"retry_after_ms":"soon"}'])
def test_details_that_make_no_sense_do_not_hide_the_error(data: bytes) -> None:
    error = RpcError(500, "words", msgspec.Raw(data))
    assert outcome_of(error, pause_default=PAUSE) == Retry("500 words")

"""Browsers that are signed in, and how often a wrong token may be tried."""

from hydra_notify.http.sessions import Guesses, Sessions
from hydra_notify.limits import HTTP_SESSION_TIME, HTTP_SESSIONS, HTTP_WRONG_TOKENS

TOKEN = "correct horse battery staple"


def test_a_session_ends_with_its_day() -> None:
    sessions = Sessions()
    sessions.begin("a", TOKEN, 0.0)
    assert sessions.holds("a", TOKEN, HTTP_SESSION_TIME - 1)
    assert not sessions.holds("a", TOKEN, HTTP_SESSION_TIME)
    assert not sessions.holds("a", TOKEN, 0.0)


def test_of_too_many_sessions_the_oldest_ends() -> None:
    sessions = Sessions()
    for number in range(HTTP_SESSIONS + 1):
        sessions.begin(str(number), TOKEN, 0.0)
    assert not sessions.holds("0", TOKEN, 0.0)
    assert sessions.holds("1", TOKEN, 0.0)
    assert sessions.holds(str(HTTP_SESSIONS), TOKEN, 0.0)


def test_so_many_wrong_tokens_a_second_and_no_more() -> None:
    guesses = Guesses()
    for number in range(HTTP_WRONG_TOKENS):
        assert not guesses.too_many(0.1 * number)
        guesses.wrong(0.1 * number)
    assert guesses.too_many(0.9)
    assert not guesses.too_many(1.0)
    guesses.wrong(1.0)
    assert guesses.too_many(1.0)
    assert guesses.count == HTTP_WRONG_TOKENS + 1

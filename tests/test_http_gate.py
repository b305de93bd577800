"""Who is let in at an address that others can reach, and who may act there."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
import trio.testing
from tests.http_asking import Address, Answer, ask, listening

from hydra_notify.config import HttpConfig, SecretSource
from hydra_notify.http import HostSocket, Reply, Request, Route, Server
from hydra_notify.limits import HTTP_SESSION_TIME, HTTP_WRONG_TOKENS

TOKEN = "correct horse battery staple"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Acts:
    """A page for everybody, one for machines, one that acts, one for our own user."""

    def __init__(self) -> None:
        self.done: list[Request] = []
        self.routes = [
            Route("/", self.look),
            Route("/metrics", self.look, open=True),
            Route("/act", self.act, "POST", acts=True),
            Route("/inner", self.look, local_only=True),
        ]

    async def look(self, request: Request, reply: Reply) -> None:
        await reply.json({"trusted": request.trusted, "signed_in": request.signed_in})

    async def act(self, request: Request, reply: Reply) -> None:
        self.done.append(request)
        await reply.redirect("/")


@pytest.fixture
def acts() -> Acts:
    return Acts()


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


@pytest.fixture
def config(token: Path) -> HttpConfig:
    return HttpConfig(token=SecretSource(file=token), hosts=("CI.example.org",))


@asynccontextmanager
async def served(acts: Acts, config: HttpConfig) -> AsyncGenerator[Address]:
    async with listening(acts.routes, config) as (address, _):
        yield address


def own(address: Address) -> dict[str, str]:
    """The headers of a browser that posts from a page of the host."""
    return {"Host": str(address), "Origin": f"http://{address}", **FORM}


async def sign_in(address: Address, token: str = TOKEN, **fields: str) -> Answer:
    body = urlencode({"token": token, **fields}).encode()
    return await ask(address, "/session", own(address), method="POST", body=body)


async def test_a_name_that_is_not_the_hosts_is_refused_and_says_what_to_set(
    acts: Acts, config: HttpConfig
) -> None:
    async with served(acts, config) as address:
        answer = await ask(address, "/", {"Host": "rebound.example"})
        assert answer.status == 421
        assert b"'rebound.example'" in answer.body
        assert b"http.hosts" in answer.body
        assert (await ask(address, "/", {"Host": "ci.example.org"})).status == 200
        assert (await ask(address, "/", {"Host": str(address)})).status == 200
        # Nor does it say what there is.
        nowhere = await ask(address, "/nowhere", {"Host": "rebound.example"})
        assert nowhere.status == 421


async def test_machines_may_ask_by_whatever_name(
    acts: Acts, config: HttpConfig
) -> None:
    async with served(acts, config) as address:
        answer = await ask(address, "/metrics", {"Host": "scraped.internal"})
    assert answer.status == 200


async def test_what_is_local_is_not_to_be_had(acts: Acts, config: HttpConfig) -> None:
    async with served(acts, config) as address:
        answer = await ask(address, "/inner", BEARER)
    assert answer.status == 404
    assert b"own socket" in answer.body


async def test_over_the_hosts_own_socket_everything_is_allowed(
    acts: Acts, tmp_path: Path
) -> None:
    place = tmp_path / "host.sock"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Server(HostSocket(place), acts.routes).run)
        headers = {"Host": "rebound.example", "Origin": "https://evil.example"}
        answer = await ask(place, "/act", headers, method="POST", body=b"")
        assert answer.status == 303
        assert (await ask(place, "/inner")).status == 200
        nursery.cancel_scope.cancel()
    (request,) = acts.done
    assert request.local
    assert request.trusted
    assert not request.can_sign_in


async def test_a_program_acts_with_the_token(acts: Acts, config: HttpConfig) -> None:
    async with served(acts, config) as address:
        answer = await ask(address, "/act", BEARER, method="POST")
        assert (answer.status, answer.headers["location"]) == (303, "/")
        body = b'{"plugin": "chat"}'
        headers = {**BEARER, "Content-Type": "application/json"}
        await ask(address, "/act", headers, method="POST", body=body)
    assert [request.form for request in acts.done] == [{}, {"plugin": "chat"}]
    assert not acts.done[0].signed_in


async def test_nobody_acts_without_or_with_a_wrong_token(
    acts: Acts, config: HttpConfig
) -> None:
    async with served(acts, config) as address:
        without = await ask(address, "/act", own(address), method="POST", body=b"")
        assert without.status == 401
        assert without.headers["www-authenticate"].startswith("Bearer")
        wrong = {"Authorization": "Bearer correct"}
        assert (await ask(address, "/act", wrong, method="POST")).status == 401
        assert (await ask(address, "/", wrong)).status == 401
        forged = {**own(address), "Cookie": "hydra-notify-session=x"}
        assert (await ask(address, "/act", forged, method="POST")).status == 401
    assert acts.done == []


async def test_without_a_token_in_the_configuration_all_is_read_only(
    acts: Acts,
) -> None:
    async with served(acts, HttpConfig()) as address:
        assert (await ask(address, "/")).status == 200
        answer = await ask(address, "/act", BEARER, method="POST")
        assert answer.status == 403
        assert b"set http.token" in answer.body
        assert (await sign_in(address)).status == 403
    assert acts.done == []


async def test_a_browser_signs_in_acts_and_signs_out(
    acts: Acts, config: HttpConfig
) -> None:
    async with served(acts, config) as address:
        answer = await sign_in(address, next="/?plugin=chat")
        assert answer.status == 303
        assert answer.headers["location"] == "/?plugin=chat"
        assert TOKEN not in str(answer)
        cookie, *attributes = answer.headers["set-cookie"].split("; ")
        assert set(attributes) == {
            "HttpOnly",
            "SameSite=Strict",
            "Path=/",
            f"Max-Age={HTTP_SESSION_TIME:.0f}",
        }
        browser = {**own(address), "Cookie": f"other=1; {cookie}"}
        looked = await ask(address, "/", browser)
        assert looked.body == b'{"trusted": true, "signed_in": true}\n'
        assert (await ask(address, "/act", browser, method="POST")).status == 303
        ended = await ask(address, "/session/end", browser, method="POST")
        assert "Max-Age=0" in ended.headers["set-cookie"]
        assert (await ask(address, "/act", browser, method="POST")).status == 401
    assert [request.signed_in for request in acts.done] == [True]


async def test_a_page_of_somebody_else_cannot_act_for_who_is_signed_in(
    acts: Acts, config: HttpConfig
) -> None:
    async with served(acts, config) as address:
        cookie = (await sign_in(address)).headers["set-cookie"].partition(";")[0]
        browser = {**own(address), "Cookie": cookie}
        for more in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
        ):
            answer = await ask(address, "/act", {**browser, **more}, method="POST")
            assert answer.status == 403
            assert b"another page" in answer.body
        del browser["Origin"]
        assert (await ask(address, "/act", browser, method="POST")).status == 403
        foreign = {**FORM, "Origin": "https://evil.example"}
        body = urlencode({"token": TOKEN}).encode()
        answer = await ask(address, "/session", foreign, method="POST", body=body)
        assert answer.status == 403
    assert acts.done == []


async def test_behind_tls_the_cookie_is_for_tls_alone(
    acts: Acts, config: HttpConfig
) -> None:
    async with served(acts, config) as address:
        headers = {
            **FORM,
            "Host": "ci.example.org",
            "Origin": "https://ci.example.org",
            "X-Forwarded-Proto": "https",
        }
        body = urlencode({"token": TOKEN}).encode()
        answer = await ask(address, "/session", headers, method="POST", body=body)
    assert answer.headers["set-cookie"].endswith("; Secure")


async def test_a_token_that_is_replaced_counts_from_then_on(
    acts: Acts, config: HttpConfig, token: Path
) -> None:
    async with served(acts, config) as address:
        cookie = (await sign_in(address)).headers["set-cookie"].partition(";")[0]
        browser = {**own(address), "Cookie": cookie}
        await trio.Path(token).write_text("another")
        assert (await ask(address, "/act", BEARER, method="POST")).status == 401
        assert (await ask(address, "/act", browser, method="POST")).status == 401
        new = {"Authorization": "Bearer another"}
        assert (await ask(address, "/act", new, method="POST")).status == 303
        # Nor does the old session come back with the old token.
        await trio.Path(token).write_text(TOKEN)
        assert (await ask(address, "/act", browser, method="POST")).status == 401


async def test_a_token_that_cannot_be_read_is_said_in_the_log(
    acts: Acts, config: HttpConfig, token: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await trio.Path(token).unlink()
    async with served(acts, config) as address:
        answer = await ask(address, "/act", BEARER, method="POST")
        assert answer.status == 503
        assert b"the host's log says why" in answer.body
        assert (await ask(address, "/")).status == 200
    assert f"http.token cannot be read from {token}" in caplog.text


async def test_wrong_tokens_are_counted_bounded_and_never_logged(
    acts: Acts, config: HttpConfig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with served(acts, config) as address:
        answers = [await sign_in(address, "hunter22")]
        # A second may pass while they are tried.
        while answers[-1].status != 429:
            answers.append(await sign_in(address, "hunter22"))
        assert len(answers) > HTTP_WRONG_TOKENS
        assert {answer.status for answer in answers[:-1]} == {401}
        assert b"too many wrong tokens" in answers[-1].body
        # Who has shown it before, and who only looks, is not concerned.
        assert (await ask(address, "/")).status == 200
    assert acts.done == []
    assert "a wrong token, number 4" in caplog.text
    assert "hunter22" not in caplog.text
    assert TOKEN not in caplog.text

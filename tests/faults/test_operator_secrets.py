"""Secrets that are changed while the host runs."""

from pathlib import Path

from tests.end_to_end.stage import Stage


async def test_a_rotated_secret_reaches_the_next_start_of_the_plugin(
    stage: Stage, tmp_path: Path
) -> None:
    stage.limit(RESTART_BASE=0.1)
    token = tmp_path / "token"
    token.write_text("first-token")
    stage.puppet("one", secrets={"token": {"file": str(token)}})
    host = await stage.listening()
    hello = await stage.frame("one")
    assert hello.frame["params"]["secrets"] == {"token": "first-token"}
    token.write_text("second-token")
    await hello.exit(1)
    hello = await stage.frame("one")
    assert hello.frame["params"]["secrets"] == {"token": "second-token"}
    # Masked in the log from its first use on, as the first one was.
    await hello.write("say second-token\n")
    assert "say ***" in await host.logged("say ")


async def test_a_secret_that_comes_late_is_waited_for(
    stage: Stage, tmp_path: Path
) -> None:
    stage.limit(RESTART_BASE=0.1)
    token = tmp_path / "token"
    stage.puppet("one", secrets={"token": {"file": str(token)}})
    host = await stage.start_host()
    assert str(token) in await host.logged("starting it again")
    token.write_text("late-token")
    hello = await stage.frame("one")
    assert hello.frame["params"]["secrets"] == {"token": "late-token"}
    await host.logged("listening")
    build, (event,) = await stage.one_build("one")
    await event.succeed()
    await stage.cleared(build)

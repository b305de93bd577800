"""Everything that is looked at, in the order in which one thing rests on another."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import trio

from hydra_notify.config import Config, PluginConfig, read_config, read_secrets
from hydra_notify.doctor.check import Check, fail, ok, warn
from hydra_notify.doctor.database import survey
from hydra_notify.doctor.files import password_checks, state_dir_checks
from hydra_notify.doctor.handshake import handshake
from hydra_notify.doctor.host import Found, Presence, find_host, host_checks
from hydra_notify.doctor.http import http_checks
from hydra_notify.doctor.limits import FILES_LIMIT, HANDSHAKES
from hydra_notify.doctor.plugins import is_startable, plugin_checks
from hydra_notify.doctor.plugins import told_by_host as plugin_by_host
from hydra_notify.doctor.sandbox import judged_here
from hydra_notify.doctor.sandbox import told_by_host as sandbox_by_host
from hydra_notify.errors import ConfigError
from hydra_notify.limits import HTTP_ANSWER
from hydra_notify.process import find_machine

T = TypeVar("T")

Told = Callable[[Sequence[Check]], None]
"""Called with what was found, as it is found."""

_SLOW: Final = "look at what it is mounted from, or what answers there"


async def examine(path: Path, environ: Mapping[str, str], told: Told) -> list[Check]:
    """Look at everything around a host, changing nothing and sending no event.

    Args:
        path: Of the configuration.
        environ: Of this process.
        told: Told of each section.
    """
    every: list[Check] = []

    def tell(checks: Sequence[Check]) -> None:
        every.extend(checks)
        told(checks)

    read = await _bounded(partial(_read, path, environ))
    if read is None:
        tell([_hangs("config", str(path))])
        return every
    config, checks = read
    tell(checks)
    if config is None:
        return every
    surveyed = await survey(config.database.url)
    tell(surveyed.checks)
    found = await _bounded(partial(find_host, config), more=HTTP_ANSWER)
    if found is None:
        found = Found(Presence.UNKNOWN, reason="its socket hangs")
    tell(host_checks(config, found, surveyed.active, asked=surveyed.asked))
    state_dir = config.host.state_dir
    state = await _bounded(partial(state_dir_checks, state_dir))
    tell([_hangs("state_dir", str(state_dir))] if state is None else state)
    http = await _bounded(partial(http_checks, config.http, found, environ))
    tell([_hangs("http", config.http.listen)] if http is None else http)
    for each in await _of_plugins(config, found, environ):
        tell(each)
    return every


def _read(path: Path, environ: Mapping[str, str]) -> tuple[Config | None, list[Check]]:
    try:
        config = read_config(path, environ=environ)
    except ConfigError as error:
        return None, [
            fail("config", f"{each.key} {each.problem}", each.fix)
            for each in error.problems
        ]
    number = len(config.plugins)
    words = f"{path} can be used: {number} plugin{'' if number == 1 else 's'}"
    if not number:
        fix = "write [plugins.NAME] for each; hydra-notify.toml of the docs shows how"
        return config, [warn("config", words, fix)]
    return config, [ok("config", words), *password_checks(config, path)]


async def _of_plugins(
    config: Config, found: Found, environ: Mapping[str, str]
) -> list[list[Check]]:
    """Of each plugin, and then of the sandbox of each."""
    running = found.running
    states = {} if running is None else {each.name: each for each in running.plugins}
    by_plugin: dict[str, list[Check]] = {name: [] for name in config.plugins}
    sandboxes: dict[str, list[Check]] = {name: [] for name in config.plugins}
    turns = trio.CapacityLimiter(HANDSHAKES)

    async def look(plugin: PluginConfig) -> None:
        name, status = plugin.name, states.get(plugin.name)
        checks = by_plugin[name]
        work = partial(plugin_checks, plugin, status, environ)
        seen = await _bounded(work)
        checks += [_hangs("plugins", name)] if seen is None else seen
        machine = await _bounded(partial(find_machine, plugin.sandbox.user))
        if running is not None and status is not None:
            checks += plugin_by_host(running, status)
            sandboxes[name] += sandbox_by_host(status)
            return
        if machine is None:
            sandboxes[name].append(_hangs("sandbox", name))
            return
        sandboxes[name] += judged_here(plugin, machine)
        if found.presence is Presence.UNKNOWN:
            words = "not tried, since a host that cannot be asked may run it"
            checks.append(warn("plugins", words, "see what is said of the host", name))
        elif seen is not None and is_startable(seen):
            secrets = await _bounded(partial(_secrets, plugin, environ))
            if secrets is not None:
                async with turns:
                    checks.append(
                        await handshake(plugin, config.host, secrets, machine)
                    )

    async with trio.open_nursery() as nursery:
        # Ends with the slowest plugin; each wait for one is bounded.
        for plugin in config.plugins.values():
            nursery.start_soon(look, plugin)
    return [*by_plugin.values(), *sandboxes.values()]


def _secrets(plugin: PluginConfig, environ: Mapping[str, str]) -> dict[str, str] | None:
    try:
        return read_secrets(plugin, environ=environ)
    except ConfigError:
        # A moment ago they could be read.
        return None


def _hangs(section: str, what: str) -> Check:
    words = f"{what}: it could not be looked at within {FILES_LIMIT:.0f} s"
    return fail(section, words, _SLOW)


async def _bounded(work: Callable[[], T], *, more: float = 0.0) -> T | None:
    """What `work` returns, in a thread; None if that takes too long.

    Args:
        more: Seconds beyond what files may take.
    """
    with trio.move_on_after(FILES_LIMIT + more):
        return await trio.to_thread.run_sync(work, abandon_on_cancel=True)
    return None

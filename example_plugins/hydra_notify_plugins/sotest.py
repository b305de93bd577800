"""Has SoTest try a build on hardware: Hydra's SoTest.

    [plugins.sotest]
    command = ["hydra-notify-sotest"]

    [plugins.sotest.settings]
    url = "https://opensource.sotest.io"    # of the controller
    priority = 0
    jobs = ""                               # a regular expression for
                                            # project:jobset:job; "" is all
    timeout = 20                            # seconds for one request

    [plugins.sotest.secrets]
    auth = { file = "/var/lib/hydra/sotest.auth" }    # username:password

A test is made of each build that has two products: one of subtype `sotest-binaries`,
which the controller downloads from Hydra, and one of subtype `sotest-config`, a file
that is sent along. So the plugin has to run where Hydra's store is. In the build, they
are declared in `nix-support/hydra-build-products`:

    file sotest-binaries /nix/store/...-test/binaries.zip
    file sotest-config /nix/store/...-test/config.yaml

An event that is sent again makes no second test, unless the plugin was killed in the
moment between test and note. Builds that ended with another are not looked at: they
end so because they have failed.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote

from msgspec import Meta, Struct

from hydra_notify_plugins.done import Done
from hydra_notify_plugins.http import TIMEOUT, Service, web_address
from hydra_notify_plugins.jobs import compile_jobs, job_name
from hydra_notify_sdk import (
    BuildEvent,
    ConfigProblem,
    Context,
    Permanent,
    Plugin,
    Skipped,
)

EVENT_TIMEOUT: Final = 30.0
"""Seconds for one event, as the host counts them."""


class Settings(Struct):
    """See above."""

    url: str = "https://opensource.sotest.io"
    priority: int = 0
    jobs: str = ""
    timeout: Annotated[float, Meta(gt=0, lt=EVENT_TIMEOUT)] = TIMEOUT


plugin = Plugin("sotest", "0.1.0", config=Settings, timeout=EVENT_TIMEOUT)
service = Service("SoTest")
done_in = cache(Done)


@plugin.on_start
def check(context: Context[Settings]) -> None:
    """Refuses what can never work."""
    web_address(context.config.url)
    compile_jobs(context.config.jobs)
    credentials(context)


def credentials(context: Context[Settings]) -> tuple[str, str]:
    """Name and password.

    Raises:
        ConfigProblem: They are not both there.
    """
    name, _, password = context.secrets.get("auth", "").strip().partition(":")
    if not name or not password:
        fix = f"one line, username:password, in [plugins.{context.instance}.secrets]"
        raise ConfigProblem("secrets.auth", "has to be name and password", fix=fix)
    return name, password


@plugin.on("build_finished")
def submit(event: BuildEvent, context: Context[Settings]) -> Skipped | None:
    """Makes a test of the build if it has what a test needs."""
    data, config = event.data, context.config
    if not compile_jobs(config.jobs).fullmatch(job_name(data)):
        return Skipped("not a job of this plugin")
    products = {product.subtype: product for product in data.products}
    binaries = products.get("sotest-binaries")
    test = products.get("sotest-config")
    if binaries is None or test is None or test.path is None:
        return Skipped("it has no products for SoTest")
    done = done_in(context.state_dir)
    if event.id in done:
        return Skipped("its test was made before")
    form = {
        "boot_files_url": f"{data.url}/download/{binaries.product_nr}/"
        + quote(binaries.name),
        "name": job_name(data),
        "url": data.url,
        "priority": str(config.priority),
    }
    service.post(
        f"{web_address(config.url)}/api/create",
        auth=credentials(context),
        data=form,
        files={"config": (Path(test.path).name, content(Path(test.path)))},
        timeout=config.timeout,
    )
    done.add(event.id)
    return None


def content(path: Path) -> bytes:
    """What a product holds.

    Raises:
        Permanent: It cannot be read here.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        fix = "the plugin has to run where Hydra's store is"
        message = f"{path} cannot be read: {error.strerror}"
        raise Permanent(message, fix=fix) from error


def main() -> None:
    """Runs the plugin."""
    plugin.run()


if __name__ == "__main__":
    main()

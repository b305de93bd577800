"""From Hydra's own configuration to a host with all its plugins."""

import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

import tomli_w
from tests.command_line import Commands
from tests.end_to_end.stage import Stage, start_host
from tests.languages import need
from tests.whole_hydra_conf import PLUGINS, write_whole

PERL_LIB = Path(__file__).parents[1] / "perl" / "lib"


async def test_a_configuration_with_every_block_starts_all_plugins(
    stage: Stage, tmp_path: Path
) -> None:
    need("perl", "zstd")
    path = tmp_path / "hydra-notify.toml"
    secrets = tmp_path / "secrets"
    commands = Commands(path)
    whole = ("import-config", str(write_whole(tmp_path)), "--output", str(path))
    commands.said(*whole, "--secrets-dir", str(secrets))
    document = tomllib.loads(path.read_text())
    do_what_the_report_says(document, stage.url, tmp_path)
    path.write_text(tomli_w.dumps(document))
    host = await start_host(stage.nursery, path)
    stage.hosts.append(host)
    for name in PLUGINS:
        await host.logged(f"{name}: ready")
    assert await host.terminate() == 0


def do_what_the_report_says(
    document: dict[str, Any], url: str, directory: Path
) -> None:
    """What Hydra's file does not hold, and what is different on this machine."""
    plugins = document["plugins"]
    bin_ = directory / "bin"
    bin_.mkdir()
    path = f"{bin_}:{Path(sys.executable).parent}:/usr/bin:/bin"
    for name in ("nix-store", "nix"):
        (bin_ / name).write_text("#!/bin/sh\nexit 0\n")
        (bin_ / name).chmod(0o755)
    data = directory / "data"
    for name in ("build-logs", "runcommand-logs"):
        (data / name).mkdir(parents=True)
    document["database"] = {"url": url}
    document["host"] |= {"state_dir": str(directory / "state"), "hydra_data": str(data)}
    for plugin in plugins.values():
        program = shutil.which(plugin["command"][0], path=path)
        assert program is not None, plugin["command"]
        plugin["command"][0] = program
        plugin["environment"] = {"PATH": path, "PERL5LIB": str(PERL_LIB)}
    secret = directory / "made-up"
    secret.write_text("user:made-up\n")
    secret.chmod(0o600)
    reference = {"file": str(secret)}
    plugins["sotest"]["secrets"]["auth"] = reference
    plugins["gitea"]["settings"] = {"url": "https://git.example.org"}
    plugins["s3_backup"].setdefault("secrets", {})
    for name in ("access_key_id", "secret_access_key"):
        plugins["s3_backup"]["secrets"][name] = reference
    empty = directory / "empty.conf"
    empty.touch()
    for name in ("declarative_jobsets", "my_plugin"):
        # What stands in for Hydra's modules reads no more than that.
        plugins[name]["settings"] = {"class": "Records", "hydra_config": str(empty)}

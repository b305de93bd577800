"""The NixOS module and the packages, evaluated; and what pages say for NixOS."""

import re
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from tests.nix_eval import NIX, STAND_INS, NixError, evaluate, machine, nix
from tests.packaging import unit
from tests.pages import ROOT, blocks

import hydra_notify
from hydra_notify import ledger
from hydra_notify.config import parse_config
from hydra_notify.daemon.suitable import check_database
from hydra_notify.database import Connection
from hydra_notify.demo.simulation.hydra import Hydra

HERE = {
    "ExecStart": "/opt/hydra-notify/bin/hydra-notify --config /etc/hydra-notify.toml",
    "ExecReload": "/bin/kill -HUP $MAINPID",
    "Environment": "PATH=/opt/hydra-notify/bin:/usr/local/bin:/usr/bin:/bin",
}
"""What differs from one machine to the other."""

HOST = "hydra-notify-host"

MAIL = """{
  services.hydra.enable = true;
  services.hydra-notify.enable = true;
  services.hydra-notify.credentials.smtp = "/run/keys/smtp";
  services.hydra-notify.settings = {
    host.base_url = "https://hydra.example.org";
    plugins.mail = {
      command = [ "hydra-notify-mail" ];
      secrets.password.credential = "smtp";
    };
  };
  # As Hydra's own module has it.
  systemd.services.hydra-notify = {
    enable = true;
    serviceConfig.User = "hydra-queue-runner";
  };
}"""


def as_systemd_writes(value: object) -> str:
    return {"True": "yes", "False": "no"}.get(str(value), str(value))


@pytest.mark.parametrize(
    "file", [*NIX.glob("*.nix"), *STAND_INS.glob("*.nix")], ids=lambda file: file.name
)
def test_nix_can_parse_it(file: Path) -> None:
    assert nix("--parse", file)


def test_what_is_not_nix_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.nix").write_text("{ a = ")
    with pytest.raises(NixError, match="unexpected end of file"):
        nix("--parse", tmp_path / "bad.nix")


def test_the_service_is_that_of_the_unit() -> None:
    service = machine(MAIL)["systemd"]["services"][HOST]
    made = {k: as_systemd_writes(v) for k, v in service["serviceConfig"].items()}
    assert made.pop("Group") == "hydra-notify"
    assert made.pop("LoadCredential") == "['smtp:/run/keys/smtp']"
    shipped = {key: " ".join(values) for key, values in unit("Service").items()}
    for key, value in HERE.items():
        assert shipped.pop(key) == value
        made.pop(key, None)
    assert made == shipped
    assert [str(service["startLimitIntervalSec"])] == unit("Unit")[
        "StartLimitIntervalSec"
    ]
    assert [" ".join(service["after"])] == unit("Unit")["After"]


def test_the_programs_are_those_of_the_packages() -> None:
    made = machine(MAIL, '{ services.hydra-notify.path = [ "/nix/store/jq" ]; }')
    service = made["systemd"]["services"][HOST]
    start = "/nix/store/hydra-notify/bin/hydra-notify --config /etc/hydra-notify.toml"
    assert service["serviceConfig"]["ExecStart"] == start
    assert service["path"] == ["/nix/store/hydra-notify-plugins", "/nix/store/jq"]


def test_a_change_of_the_settings_is_a_reload_and_no_restart() -> None:
    service = machine(MAIL)["systemd"]["services"][HOST]
    assert service["reloadTriggers"] == ["/nix/store/hydra-notify.toml"]
    assert "restartTriggers" not in service
    assert "/nix/store/hydra-notify.toml" not in str(service["serviceConfig"])


def test_the_settings_are_a_configuration(tmp_path: Path) -> None:
    made = machine(MAIL)
    etc = made["environment"]["etc"]
    assert etc == {"hydra-notify.toml": {"source": "/nix/store/hydra-notify.toml"}}
    document = made["services"]["hydra-notify"]["settings"]
    config = parse_config(tomli_w.dumps(document), directory=tmp_path, environ={})
    assert config.database.url == "postgresql:///hydra"
    assert config.host.base_url == "https://hydra.example.org"
    assert list(config.plugins) == ["mail"]
    assert str(config.host.state_dir) == "/var/lib/hydra-notify"


def test_hydras_own_daemon_is_turned_off_where_it_is() -> None:
    assert machine(MAIL)["systemd"]["services"]["hydra-notify"]["enable"] is False
    other = MAIL.replace("services.hydra.enable", "services.hydra-dev.enable")
    assert machine(other)["systemd"]["services"]["hydra-notify"]["enable"] is False
    without = "{ services.hydra-notify.enable = true; }"
    assert "hydra-notify" not in machine(without)["systemd"]["services"]


def test_a_module_that_is_not_enabled_does_nothing() -> None:
    made = machine("{ services.hydra.enable = true; }")
    assert not {"environment", "users", "systemd", "assertions"} & set(made)


def test_the_user_is_made_unless_it_is_another() -> None:
    assert machine(MAIL)["users"]["users"]["hydra-notify"]["isSystemUser"] is True
    queue_runner = """{
      services.hydra-notify.user = "hydra-queue-runner";
      services.hydra-notify.group = "hydra";
    }"""
    made = machine(MAIL, queue_runner)
    assert "users" not in made
    service = made["systemd"]["services"][HOST]["serviceConfig"]
    assert (service["User"], service["Group"]) == ("hydra-queue-runner", "hydra")


def refusals(*modules: str) -> list[str]:
    made = machine(*modules)
    return [each["message"] for each in made["assertions"] if not each["assertion"]]


def test_a_credential_that_nobody_gives_is_refused() -> None:
    assert refusals(MAIL) == []
    (said,) = refusals(MAIL.replace("credentials.smtp", "credentials.other"))
    assert "has no smtp" in said
    token = """{
      services.hydra-notify.settings.http.token.credential = "http-token";
    }"""
    (said,) = refusals(MAIL, token)
    assert "has no http-token" in said


def test_a_user_of_hydras_needs_no_rights() -> None:
    queue_runner = """{
      services.hydra-notify.user = "hydra-queue-runner";
      services.hydra-notify.localDatabase = true;
      services.postgresql.package = "/nix/store/postgresql";
    }"""
    (said,) = refusals(MAIL, queue_runner)
    assert "hydra-queue-runner is Hydra's" in said


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("services.hydra-notify.setings = { };", "no option .services.hydra-notify.s"),
        ("services.hydra-notify.path = { };", "path is of another type"),
        (
            'services.hydra-notify.user = "a"; }) ({ services.hydra-notify.user = "b";',
            "user is defined in two ways",
        ),
    ],
)
def test_what_is_no_option_is_refused(wrong: str, said: str) -> None:
    with pytest.raises(NixError, match=said):
        machine(MAIL, f"{{ {wrong} }}")


@pytest.fixture
def owner(hydra: Hydra) -> Iterator[Connection]:
    """Of Hydra's tables; beside it there is a role for the host."""
    connection = hydra.connection
    connection.execute('create role "hydra-notify" login')
    yield connection
    connection.execute("reset role")
    connection.execute('drop owned by "hydra-notify"; drop role "hydra-notify"')


def test_the_database_is_set_up_as_the_host_needs_it(owner: Connection) -> None:
    made = machine(
        MAIL,
        """{
          services.hydra-notify.localDatabase = true;
          services.postgresql.package = "/nix/store/postgresql";
        }""",
    )
    postgresql = made["services"]["postgresql"]
    assert postgresql["ensureUsers"] == [{"name": "hydra-notify"}]
    assert postgresql["identMap"] == "hydra-users hydra-notify hydra-notify\n"
    service = made["systemd"]["services"]["hydra-notify-database"]
    assert service["serviceConfig"]["User"] == "hydra"
    assert service["requiredBy"] == service["before"] == [f"{HOST}.service"]
    script = service["script"]
    assert script.startswith(
        "hydra-notify ledger create --config /nix/store/owner.toml"
    )
    (statements,) = re.findall(r"<<'EOF'\n(.*)\nEOF\n", script, re.DOTALL)
    # It is run at each start of the machine.
    for _ in range(2):
        ledger.create(owner)
        owner.execute(statements.encode())
    owner.execute('set role "hydra-notify"')
    check_database(owner)
    owner.execute("delete from taskretries")
    assert ledger.version(owner) == ledger.VERSION
    ledger.claim(owner, "a host")


def packages() -> Any:
    expression = f"""
      let
        lib = import {STAND_INS / "lib.nix"};
        asked = args: args // {{ outPath = args.pname; inherit args; }};
        python3.pkgs = {{
          buildPythonApplication = asked;
          buildPythonPackage = asked;
        }} // builtins.listToAttrs (map
          (name: {{ inherit name; value = name; }})
          [ "apprise" "click" "h11" "hatchling" "httpx2" "jinja2" "msgspec" "nats-py"
            "obstore" "prometheus-client" "psycopg" "rich" "tomli-w" "trio" ]
        );
        host = import {NIX / "package.nix"} {{ inherit lib python3; }};
        shown = package: {{
          inherit (package.args) version pythonImportsCheck;
          dependencies = map toString package.args.dependencies;
        }};
      in {{
        hydra-notify = shown host;
        hydra-notify-plugins = shown host.args.passthru.plugins;
        hydra-notify-sdk = shown host.args.passthru.sdk;
      }}
    """
    return evaluate(expression)


@pytest.mark.parametrize("folder", [".", "plugin_sdk", "example_plugins"])
def test_a_package_needs_what_its_project_says(folder: str) -> None:
    project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
    package = packages()[project["name"]]
    assert package["version"] == project["version"] == hydra_notify.__version__
    needed = list(project["dependencies"])
    if project["name"] == "hydra-notify-plugins":
        needed += chain.from_iterable(project["optional-dependencies"].values())
    names = sorted(re.split(r"[><=\[; ]", each)[0] for each in needed)
    assert sorted(package["dependencies"]) == names
    for name in package["pythonImportsCheck"]:
        __import__(name)


def nix_blocks(page: str) -> list[str]:
    """The Nix of a page, also what stands in a list."""
    text = (ROOT / "docs" / page).read_text().replace("\n  ", "\n")
    return [text for language, _, text in blocks(text) if language == "nix"]


def test_the_configuration_of_the_page_on_migrating_is_one(tmp_path: Path) -> None:
    (text,) = nix_blocks("migrating.md")
    perl = "{ systemd.services.hydra-notify.enable = true; }"
    database = '{ services.postgresql.package = "/nix/store/postgresql"; }'
    hydra = "{ services.hydra.enable = true; }"
    made = machine(f"{{ pkgs, ... }}: {{ {text} }}", perl, database, hydra)
    services = made["systemd"]["services"]
    assert services["hydra-notify"]["enable"] is False
    assert services[HOST]["serviceConfig"]["User"] == "hydra-notify"
    assert [each for each in made["assertions"] if not each["assertion"]] == []
    document = made["services"]["hydra-notify"]["settings"]
    assert parse_config(tomli_w.dumps(document), directory=tmp_path, environ={}).plugins


def test_the_environment_of_the_page_on_the_bridge_is_one() -> None:
    (text,) = nix_blocks("plugins/bridge.md")
    hydra = '{ outPath = "/hydra"; perlDeps = "/deps"; nix = "/nix"; }'
    made = evaluate(
        f"""let
          lib = import {STAND_INS / "lib.nix"};
          config.services.hydra.package = {hydra};
          pkgs = {{
            coreutils = "/coreutils"; git = "/git"; bzip2 = "/bzip2"; zstd = "/zstd";
            perlPackages.makePerlPath = toString;
          }};
        in {text}"""
    )
    assert set(made) == {"PERL5LIB", "PATH"}

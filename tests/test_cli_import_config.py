"""`hydra-notify import-config`: a file of ours from Hydra's, and no secret anywhere."""

import importlib
import json
import stat
from pathlib import Path

import msgspec
import pytest
import tomli_w
from tests.command_line import Commands
from tests.whole_hydra_conf import PLUGINS, SECRETS, write_whole

from hydra_notify.config import read_config, read_secrets


@pytest.fixture
def hydra(tmp_path: Path) -> Path:
    """A configuration that uses every block."""
    return write_whole(tmp_path)


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Without anything in the environment that Hydra would read."""
    for name in ("HYDRA_DATABASE_URL", "HYDRA_DBI", "HYDRA_DATA"):
        monkeypatch.delenv(name, raising=False)
    return Commands(tmp_path / "hydra-notify.toml")


def test_every_block_becomes_a_plugin_that_check_config_accepts(
    commands: Commands, hydra: Path
) -> None:
    report = commands.said("import-config", str(hydra), "--output", str(commands.path))
    assert "hush" not in report
    text = commands.path.read_text()
    assert text.startswith(f"# Made by `hydra-notify import-config` from {hydra}.\n")
    assert "hush" not in text
    lines = commands.said("check-config").splitlines()
    assert [line.split(":")[0] for line in lines] == list(PLUGINS)
    config = read_config(commands.path, environ={})
    assert config.host.base_url == "https://hydra.example.org"
    commands_run = config.plugins["run_command"].settings["commands"]
    assert commands_run == [
        {"job": "p:j:*", "command": 'cp "$HYDRA_JSON" /tmp'},
        {"job": "*:*:*", "command": "echo a\necho b"},
    ]


def test_the_report_says_which_value_goes_where_and_what_changes(
    commands: Commands, hydra: Path
) -> None:
    result = commands.run("import-config", str(hydra))
    keys = "/run/keys/hydra-notify"
    assert f"Read {hydra} and 2 included; plugins: github, github_2," in result.stderr
    slack = f"  {keys}/slack.url: slack.url ({hydra.parent}/keys/slack:1)"
    lines = result.stderr.splitlines()
    assert slack in lines
    assert result.stderr.count(f"  {keys}/") == len(SECRETS)
    headings = [line for line in lines if line and not line.startswith(" ")]
    assert headings[1:] == [
        "Secrets that you have to write:",
        "Files with secrets that everybody may read (think of new secrets):",
        "To do before the first start:",
        "What will be different:",
        "Not taken over:",
        "To take over what Hydra's daemon means to try again:",
    ]
    assert lines[-1].startswith("  hydra-notify taskretries import --map Github")
    assert "--map EmailNotification=mail" in lines[-1]
    assert "RunCommand" not in lines[-1]
    second = lines.index(next(each for each in lines if "it begins to send" in each))
    assert lines[second + 1] == f"    {hydra}:18 plugins.github_2"
    assert result.stdout.startswith("# Made by")
    assert "hush" not in result.output


def test_secrets_get_files_of_their_own_that_the_plugins_are_given(
    commands: Commands, hydra: Path, tmp_path: Path
) -> None:
    keys = tmp_path / "secrets"
    report = commands.said(
        *("import-config", str(hydra), "--output", str(commands.path)),
        *("--secrets-dir", str(keys)),
    )
    assert "Secrets, written to:" in report
    assert "hush" not in report + commands.path.read_text()
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    files = list(keys.iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert sorted(file.read_text() for file in files) == sorted(SECRETS)
    config = read_config(commands.path, environ={})
    github = read_secrets(config.plugins["github_2"], environ={})
    assert github == {"token": SECRETS[1], "NixOS": SECRETS[0]}
    # What is a file already stays where it is.
    source = config.plugins["sotest"].secrets["auth"]
    assert source.file == Path("/var/lib/hydra/sotest.auth")


def test_nothing_is_overwritten(
    commands: Commands, hydra: Path, tmp_path: Path
) -> None:
    words = ("import-config", str(hydra), "--output", str(commands.path))
    commands.path.write_text("mine")
    assert "is there already" in commands.said(*words, status=2)
    assert commands.path.read_text() == "mine"
    commands.path.unlink()
    keys = tmp_path / "secrets"
    keys.mkdir()
    (keys / "slack.url").write_text("mine")
    said = commands.said(*words, "--secrets-dir", str(keys), status=2)
    assert f"{keys / 'slack.url'} is there already" in said
    assert [file.read_text() for file in keys.iterdir()] == ["mine"]
    assert not commands.path.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\n<slack>\n", "hydra.conf:2: a block begins and does not end; end it"),
        ("include nope\n", "hydra.conf:1: includes nope, which does not exist; put it"),
        ("slack = hush\n", "hydra.conf:1: slack is a value, and Hydra reads a block"),
        ("x = hush\n<x>\n</x>\n", "hydra.conf:2: this block is called as the value at"),
        ("token <<hush\n", "hydra.conf:1: a here-document does not end in this file"),
    ],
)
def test_what_cannot_be_read_is_said_with_file_line_and_fix(
    commands: Commands, tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "hydra.conf"
    path.write_text(text)
    output = commands.said("import-config", str(path), status=2)
    assert output.startswith("hydra-notify: ")
    assert said in output
    assert "hush" not in output


def test_a_file_that_is_not_there_is_said(commands: Commands, tmp_path: Path) -> None:
    output = commands.said("import-config", str(tmp_path / "no.conf"), status=2)
    assert (
        "no.conf cannot be read (No such file or directory); run this where" in output
    )


def test_a_directory_that_cannot_be_written_to_is_said(
    commands: Commands, hydra: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    output = str(tmp_path / "file" / "x.toml")
    said = commands.said("import-config", str(hydra), "--output", output, status=2)
    assert f"{output} cannot be written: Not a directory" in said
    keys = ("--secrets-dir", str(tmp_path / "file" / "keys"))
    assert "cannot be made" in commands.said(
        "import-config", str(hydra), *keys, status=2
    )


def test_hydras_environment_says_where_the_database_is(
    commands: Commands, hydra: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYDRA_DBI", "dbi:Pg:dbname=hydra;user=hydra;password=hush")
    result = commands.run("import-config", str(hydra))
    assert "database.url has a password" in result.stderr
    assert "hush" not in result.output
    monkeypatch.setenv("HYDRA_DBI", "dbi:Pg:dbname=other;user=hydra")
    assert (
        'url = "postgresql:///other?user=hydra"'
        in commands.run("import-config", str(hydra)).stdout
    )
    monkeypatch.setenv("HYDRA_DBI", "dbi:SQLite:hush")
    said = commands.said("import-config", str(hydra), status=2)
    assert "$HYDRA_DBI is for DBI's driver SQLite" in said


def test_what_is_made_is_read_by_any_reader_of_toml(
    commands: Commands, tmp_path: Path
) -> None:
    path = tmp_path / "hydra.conf"
    path.write_text(
        "<runcommand>\ncommand = printf '\\a' \\\"é\\t☃\\\" ''' \\\\\n</runcommand>\n"
    )
    commands.said("import-config", str(path), "--output", str(commands.path))
    config = read_config(commands.path, environ={})
    made = config.plugins["run_command"].settings
    assert made == {
        "commands": [{"job": "*:*:*", "command": "printf '\\a' \"é\\t☃\" ''' \\"}]
    }
    assert tomli_w.dumps(made)


def test_comments_need_not_be_utf_8(commands: Commands, tmp_path: Path) -> None:
    path = tmp_path / "hydra.conf"
    path.write_bytes(b"# gr\xfc\xdfe\nbase_uri = https://h # \xff\n")
    assert 'base_url = "https://h"' in commands.said("import-config", str(path))


def test_the_whole_comes_to_the_same_in_the_json_form(
    commands: Commands, tmp_path: Path
) -> None:
    path = tmp_path / "hydra.json"
    (tmp_path / "keys.conf").write_text("<slack>\nurl = hush\n</slack>\n")
    settings = {"base_uri": "https://h", "slack": {"jobs": "a:b:c", "force": True}}
    path.write_text(json.dumps({"includes": ["keys.conf"], "settings": settings}))
    result = commands.run("import-config", str(path))
    assert result.exit_code == 0
    assert "[plugins.slack.secrets.url]" in result.stdout
    assert f"slack.url ({tmp_path}/keys.conf:2)" in result.stderr
    assert "hush" not in result.output


# T/Hydra/Config/secrets.t


@pytest.mark.parametrize(
    ("mode", "open_to_all"), [(0o644, True), (0o640, False), (0o600, False)]
)
def test_secrets_t_a_file_that_everybody_may_read_is_pointed_out(
    commands: Commands, hydra: Path, mode: int, open_to_all: bool
) -> None:
    keys = hydra.parent / "keys/slack"
    keys.chmod(mode)
    said = commands.run("import-config", str(hydra)).stderr
    assert (f"\n  {keys}\n" in said) == open_to_all
    assert "Files with secrets that everybody may read" in said


def test_every_plugin_knows_the_settings_that_it_is_given(
    commands: Commands, hydra: Path
) -> None:
    commands.said("import-config", str(hydra), "--output", str(commands.path))
    known = []
    for plugin in read_config(commands.path, environ={}).plugins.values():
        program = plugin.command[0].removeprefix("hydra-notify-")
        name = f"hydra_notify_plugins.{program.replace('-', '_')}"
        if program == "perl-bridge":
            # It is Perl that reads its settings.
            continue
        kind = importlib.import_module(name).Settings
        # Its address is not in Hydra's file: the report says so.
        added = {"url": "https://git.example.org"} if plugin.name == "gitea" else {}
        assert msgspec.convert({**added, **plugin.settings}, kind)
        assert set(plugin.settings) <= set(kind.__struct_fields__)
        known.append(plugin.name)
    assert len(known) > 10


def test_a_name_that_is_not_utf_8_is_said(commands: Commands, tmp_path: Path) -> None:
    path = tmp_path / "hydra.conf"
    path.write_bytes(b"<gitea_authorization>\n\xff = hush\n</gitea_authorization>\n")
    said = commands.said("import-config", str(path), status=2)
    assert "hydra.conf has a name in it that is not UTF-8: save it as UTF-8" in said
    assert "hush" not in said


def test_no_secret_is_written_for_a_file_that_could_not_be(
    commands: Commands, hydra: Path, tmp_path: Path
) -> None:
    keys = tmp_path / "secrets"
    said = commands.said(
        *("import-config", str(hydra), "--output", str(tmp_path / "no" / "x.toml")),
        *("--secrets-dir", str(keys)),
        status=2,
    )
    assert "x.toml cannot be written: No such file or directory" in said
    assert list(keys.iterdir()) == []

"""Hydra's blocks become plugins, and what is different then is said."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import event, given, settings
from hypothesis import strategies as st
from tests.pages import ROOT

from hydra_notify.config import parse_config
from hydra_notify.hydra_conf import HydraConfError, read_hydra_conf
from hydra_notify.takeover import Kind, Result, convert
from hydra_notify.takeover.mail import wanted_mail
from hydra_notify.takeover.rest import prometheus
from hydra_notify.takeover.table import (
    BITBUCKET,
    BLOCKS,
    COMPRESS_LOG,
    MAIL,
    RUN_COMMAND,
    TOKENS,
)

BRIDGE = ["hydra-notify-perl-bridge"]

KEYS = Path("/run/keys/hydra-notify")


def converted(text: str, **environ: str) -> Result:
    """What a configuration without includes comes to."""
    hydra = read_hydra_conf(Path("/hydra.conf"), lambda path: text)
    return convert(hydra, KEYS, environ)


def plugins(text: str) -> dict[str, Any]:
    """Its plugins, but for those that are always there."""
    tables: Any = converted(text).document["plugins"]
    return {
        name: table
        for name, table in tables.items()
        if name not in ("compress_log", "declarative_jobsets")
    }


def said(text: str, kind: Kind) -> str:
    """The notes of a kind."""
    notes = [note for note in converted(text).notes if note.kind is kind]
    return "\n".join(f"{note.where}: {note.words}" for note in notes)


def block(name: str, /, **keys: str) -> str:
    lines = "".join(f"{key} = {value}\n" for key, value in keys.items())
    return f"<{name}>\n{lines}</{name}>\n"


def secret(name: str) -> dict[str, str]:
    return {"file": str(KEYS / name)}


def refusal(text: str) -> str:
    with pytest.raises(HydraConfError) as error:
        converted(text)
    assert "; " in str(error.value)
    return str(error.value)


# The host.


def test_base_uri_is_where_the_pages_are() -> None:
    document = converted("base_uri = https://hydra.example.org\n").document
    assert document["host"] == {"base_url": "https://hydra.example.org"}
    assert "host" not in converted("").document


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("hydra.example.org", "base_uri is not the URL of a web site"),
        ("https://me:pass@hydra.example.org", "base_uri has a name or a password"),
    ],
)
def test_a_base_uri_that_no_link_can_begin_with_is_refused(
    uri: str, problem: str
) -> None:
    words = refusal(f"# c\nbase_uri = {uri}\n")
    assert words.startswith(f"/hydra.conf:2: {problem}")
    assert "pass@" not in words


def test_the_database_and_the_data_of_hydras_environment_are_carried_over() -> None:
    dbi = "dbi:Pg:dbname=hydra;user=hydra;host=db"
    document = converted("", HYDRA_DBI=dbi, HYDRA_DATA="/srv/hydra").document
    assert document["database"] == {"url": "postgresql:///hydra?user=hydra&host=db"}
    assert document["host"] == {"hydra_data": "/srv/hydra"}


def test_a_database_password_stays_in_the_environment() -> None:
    result = converted("", HYDRA_DATABASE_URL="postgres://hydra:hush@db/hydra")
    assert "database" not in result.document
    assert "hush" not in repr(result)
    assert any("has a password" in note.words for note in result.notes)


# What is always on.


def test_declarative_jobsets_are_always_on_and_run_as_they_are() -> None:
    tables: Any = converted("").document["plugins"]
    assert tables["declarative_jobsets"] == {
        "command": BRIDGE,
        "match": {"events": ["build_finished"], "jobs": ["*:.jobsets"]},
        "settings": {"class": "DeclarativeJobsets", "hydra_config": "/hydra.conf"},
    }
    assert "DeclarativeJobsets is always on in Hydra" in said("", Kind.TODO)


def test_logs_are_compressed_unless_the_file_says_otherwise() -> None:
    tables: Any = converted("").document["plugins"]
    assert tables["compress_log"] == {
        "command": ["hydra-notify-compress-log"],
        "settings": {"compression": "bzip2"},
    }
    assert "Hydra compresses logs unless compress_build_logs is 0" in said(
        "", Kind.CHANGED
    )
    for off in ("0", ""):
        tables = converted(f"compress_build_logs = {off}\n").document["plugins"]
        assert "compress_log" not in tables
    text = "compress_build_logs = 1\ncompress_build_logs_compression = zstd\n"
    tables = converted(text).document["plugins"]
    assert tables["compress_log"]["settings"] == {"compression": "zstd"}
    silent = "compress_build_logs_silent = 1\n"
    assert "compress_build_logs_silent has no counterpart" in said(silent, Kind.LEFT)


def test_logs_that_the_queue_runner_takes_away_are_left_to_it() -> None:
    for on in ("true", "1"):
        text = f"upload_logs_to_binary_cache = {on}\n"
        tables: Any = converted(text).document["plugins"]
        assert "compress_log" not in tables
        assert "queue runner takes logs away" in said(text, Kind.CHANGED)
    tables = converted("upload_logs_to_binary_cache = false\n").document["plugins"]
    assert "compress_log" in tables


def test_nothing_else_is_on() -> None:
    assert plugins("max_servers = 25\nstore_uri = auto\n") == {}
    others = "<git-input>\ntimeout = 1\n</git-input>\n<ldap>\n</ldap>\n<statsd/>\n"
    assert plugins(others) == {}


# Forges.


def test_a_githubstatus_block_has_its_header_and_the_owners_tokens() -> None:
    text = (
        block("github_authorization", NixOS="Bearer a", other="token b")
        + "<githubstatus>\njobs = nixpkgs:trunk:.*\ninputs = src\ninputs = lib\n"
        "authorization = Bearer c\ncontext = ci {x}\ndescription = d\n"
        "excludeBuildFromContext = no\nuseShortContext = 0\n</githubstatus>\n"
    )
    assert plugins(text) == {
        "github": {
            "command": ["hydra-notify-github"],
            "match": {"jobs": ["nixpkgs:trunk:*"]},
            "settings": {
                "jobs": "nixpkgs:trunk:.*",
                "inputs": ["src", "lib"],
                "context": "ci {{x}}",
                "description": "d",
                "exclude_build_from_context": True,
                "use_short_context": False,
            },
            "secrets": {
                "token": secret("github.token"),
                "NixOS": secret("github_authorization.NixOS"),
                "other": secret("github_authorization.other"),
            },
        }
    }
    found = {each.key: each.value for each in converted(text).secrets}
    assert found == {
        "github_authorization.NixOS": "Bearer a",
        "github_authorization.other": "token b",
        "githubstatus.authorization": "Bearer c",
    }


def test_a_second_githubstatus_block_begins_to_send_and_that_is_said() -> None:
    text = block("githubstatus", jobs="a:.*", authorization="x") * 2
    assert list(plugins(text)) == ["github", "github_2"]
    changed = said(text, Kind.CHANGED)
    assert "/hydra.conf:5 plugins.github_2: it begins to send" in changed
    assert changed.count("it begins to send") == 1


def test_owners_tokens_that_no_status_needs_are_left_to_hydras_inputs() -> None:
    text = block("github_authorization", NixOS="Bearer a")
    assert plugins(text) == {}
    assert converted(text).secrets == ()
    assert "no githubstatus block uses github_authorization" in said(text, Kind.LEFT)


def test_a_githubstatus_block_without_any_token_has_to_be_given_one() -> None:
    text = block("githubstatus", jobs="a:b:c")
    assert "add secrets.token" in said(text, Kind.TODO)


def test_gitea_and_gitlab_are_switched_on_by_their_tokens() -> None:
    text = block("gitea_authorization", root="t1") + "<gitlab_authorization>\n17 = t2\n"
    text += "</gitlab_authorization>\n"
    assert plugins(text) == {
        "gitea": {
            "command": ["hydra-notify-gitea"],
            "secrets": {"root": secret("gitea_authorization.root")},
        },
        "gitlab": {
            "command": ["hydra-notify-gitlab"],
            "secrets": {"17": secret("gitlab_authorization.17")},
        },
    }
    todo = said(text, Kind.TODO)
    assert "plugins.gitea: set settings.url" in todo
    assert "plugins.gitlab: set settings.url" in todo


def test_bitbucket_is_switched_on_by_one_alone() -> None:
    text = block("bitbucket", username="me", password="p")
    assert plugins("enable_bitbucket_status = 1\n" + text) == {
        "bitbucket": {
            "command": ["hydra-notify-bitbucket"],
            "settings": {"username": "me"},
            "secrets": {"password": secret("bitbucket.password")},
        }
    }
    for off in ("", "enable_bitbucket_status = yes\n"):
        assert plugins(off + text) == {}
        assert "enable_bitbucket_status is not 1" in said(off + text, Kind.LEFT)
    assert "has no username" in said("enable_bitbucket_status = 1\n", Kind.TODO)


# Messages and services.


def test_slack_keeps_its_address_secret() -> None:
    text = block("slack", jobs="(a|b):c:.*", url="https://hooks/T", force="1")
    assert plugins(text)["slack"] == {
        "command": ["hydra-notify-slack"],
        "match": {"jobs": ["a:c:*", "b:c:*"]},
        "settings": {"jobs": "(a|b):c:.*", "force": True},
        "secrets": {"url": secret("slack.url")},
    }
    assert list(plugins(text * 3)) == ["slack", "slack_2", "slack_3"]
    assert "tried again, where Hydra took every answer for a success" in said(
        text, Kind.CHANGED
    )
    assert "Hydra's slack has no url" in said("<slack/>\n", Kind.TODO)
    assert "it names no jobs" in said("<slack/>\n", Kind.TODO)


def test_influxdb_writes_for_each_block_and_hides_a_password() -> None:
    text = block("influxdb", url="http://me:p%40ss@db:8086", db="hydra")
    assert plugins(text)["influxdb"] == {
        "command": ["hydra-notify-influxdb"],
        "settings": {"url": "http://db:8086", "db": "hydra", "username": "me"},
        "secrets": {"password": secret("influxdb.password")},
    }
    assert [each.value for each in converted(text).secrets] == ["p@ss"]
    assert "with two influxdb blocks Hydra does nothing" in said(text * 2, Kind.CHANGED)


def test_circleci_coverity_sotest_and_s3_are_taken_over() -> None:
    text = block(
        "circleci", jobs="p:j:d", vcstype="github", username="u", project="w"
    ).replace("</circleci>", "branch = main\ntoken = t\nforce = 0\n</circleci>")
    text += block("coverityscan", jobs="p:j:c", project="x/y", email="e", token="t")
    text += block("sotest", uri="https://s", authfile="/run/sotest", priority="2")
    text += block(
        "s3backup", jobs="p:j:.*", name="b", prefix="x", compression_type="xz"
    )
    assert plugins(text) == {
        "circleci": {
            "command": ["hydra-notify-circleci"],
            "match": {"jobs": ["p:j:d"]},
            "settings": {
                "jobs": "p:j:d",
                "vcstype": "github",
                "username": "u",
                "project": "w",
                "branch": "main",
                "force": False,
            },
            "secrets": {"token": secret("circleci.token")},
        },
        "coverity": {
            "command": ["hydra-notify-coverity"],
            "match": {"jobs": ["p:j:c"]},
            "settings": {"jobs": "p:j:c", "project": "x/y", "email": "e"},
            "secrets": {"token": secret("coverity.token")},
        },
        "sotest": {
            "command": ["hydra-notify-sotest"],
            "settings": {"url": "https://s", "priority": 2},
            # It is a file already.
            "secrets": {"auth": {"file": "/run/sotest"}},
        },
        "s3_backup": {
            "command": ["hydra-notify-s3-backup"],
            "match": {"jobs": ["p:j:*"]},
            "settings": {
                "jobs": "p:j:.*",
                "bucket": "b",
                "prefix": "x",
                "compression": "xz",
            },
        },
    }
    assert "plugins.coverity_2: it uploads too" in said(text * 2, Kind.CHANGED)
    assert "set secrets.access_key_id" in said(text, Kind.TODO)


def test_an_expression_on_jobs_that_differs_is_said() -> None:
    def slack(jobs: str) -> str:
        return block("slack", jobs=jobs, url="x")

    assert "settings.jobs has a POSIX class" in said(slack("[[:alpha:]]"), Kind.TODO)
    assert plugins(slack("[[:alpha:]]"))["slack"]["settings"]["jobs"] == "[[:alpha:]]"
    assert "a | outside of parentheses" in said(slack("a:.*|b"), Kind.CHANGED)
    expression = plugins(slack("a:.*|b"))["slack"]["settings"]["jobs"]
    assert expression == "(?:a:.*).*|.*(?:b)"
    assert "matches no project:jobset:job" in said(slack("nixpkgs"), Kind.CHANGED)


# T/Hydra/Config/email_notification.t


def mail(text: str) -> tuple[str, ...]:
    hydra = read_hydra_conf(Path("/hydra.conf"), lambda path: text)
    wanted = wanted_mail(hydra.top)
    return wanted[1] if wanted else ()


def test_email_notification_t_nothing_means_off() -> None:
    assert mail("") == ()


def test_email_notification_t_the_legacy_key_is_for_both() -> None:
    assert mail("email_notification = 1\n") == ("build_finished", "eval_*")


def test_email_notification_t_the_blocks_keys_are_independent() -> None:
    assert mail(block("email_notifications", build="1")) == ("build_finished",)
    assert mail(block("email_notifications", eval="1")) == ("eval_*",)
    both = block("email_notifications", build="1", eval="1")
    assert mail(both) == ("build_finished", "eval_*")


def test_email_notification_t_both_spellings_are_an_error() -> None:
    text = "email_notification = 1\n" + block("email_notifications", build="1")
    assert "/hydra.conf:1: email_notification stands here beside" in refusal(text)


@pytest.mark.parametrize("value", ["0", "2", "yes", "true", ""])
def test_email_notification_t_only_one_means_on(value: str) -> None:
    assert mail(f"email_notification = {value}\n") == ()
    assert mail(block("email_notifications", build=value, eval=value)) == ()


def test_email_notification_t_the_plural_as_a_value_is_an_error() -> None:
    assert "email_notifications is a value" in refusal("email_notifications = 1\n")


def test_mail_has_hydras_sender() -> None:
    text = "notification_sender = hydra@example.org\nemail_notification = 1\n"
    assert plugins(text)["mail"] == {
        "command": ["hydra-notify-mail"],
        "match": {"events": ["build_finished", "eval_*"]},
        "settings": {"sender": "hydra@example.org"},
    }
    assert "EMAIL_SENDER_TRANSPORT_host" in said(text, Kind.TODO)
    assert "told of evaluation errors" in said(text, Kind.CHANGED)
    assert "set settings.sender" in said("email_notification = 1\n", Kind.TODO)


# T/Hydra/Config/hydra-notify.t


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("listen_address = 127.0.0.1\nport = 9199\n", ("127.0.0.1", "9199")),
        ("listen_address = 127.0.0.1\nport = 9199\nextra = 1\n", ("127.0.0.1", "9199")),
        ("listen_address = 127.0.0.1\n", None),
        ("port = 9199\n", None),
        ("", None),
    ],
)
def test_hydra_notify_t_prometheus_needs_address_and_port(
    text: str, expected: tuple[str, str] | None
) -> None:
    whole = f"<hydra_notify>\n<prometheus>\n{text}</prometheus>\n</hydra_notify>\n"
    hydra = read_hydra_conf(Path("/hydra.conf"), lambda path: whole)
    assert prometheus(hydra.top) == expected
    assert ("serves no metrics" in said(whole, Kind.LEFT)) == (expected is not None)


@pytest.mark.parametrize(
    "text",
    [
        "hydra_notify = 1\n",
        "<hydra_notify>\n</hydra_notify>\n",
        "<hydra_notify>\n</hydra_notify>\n" * 2,
        "<hydra_notify>\nprometheus = 1\n</hydra_notify>\n",
    ],
)
def test_hydra_notify_t_anything_else_is_none(text: str) -> None:
    hydra = read_hydra_conf(Path("/hydra.conf"), lambda path: text)
    assert prometheus(hydra.top) is None
    assert plugins(text) == {}


# T/Hydra/Plugin/RunCommand/matcher.t


@pytest.mark.parametrize(
    ("text", "on"),
    [
        ("", False),
        ("<dynamicruncommand>\n</dynamicruncommand>\n", False),
        (block("dynamicruncommand", enable="0"), False),
        (block("dynamicruncommand", enable="1"), True),
        (block("runcommand", command="x"), True),
        (
            block("runcommand", command="x") + block("dynamicruncommand", enable="0"),
            True,
        ),
        (
            block("runcommand", command="x") + block("dynamicruncommand", enable="1"),
            True,
        ),
    ],
)
def test_matcher_t_a_block_switches_it_on(text: str, on: bool) -> None:
    assert ("run_command" in plugins(text)) == on


@pytest.mark.parametrize(
    ("events", "runs"),
    [
        (None, True),
        ("", False),
        ("foo bar buildFinished baz", True),
        ("foo bar baz", False),
    ],
)
def test_matcher_t_events_have_to_name_build_finished(
    events: str | None, runs: bool
) -> None:
    keys = {"command": "x"} if events is None else {"command": "x", "events": events}
    text = block("runcommand", **keys)
    assert ("run_command" in plugins(text)) == runs
    assert ("events does not name buildFinished" in said(text, Kind.LEFT)) != runs


def test_matcher_t_four_sections_are_an_error() -> None:
    text = block("runcommand", job="a:b:c:d", command="x")
    assert plugins(text) == {}
    assert "/hydra.conf:1: its job has 4 sections" in said(text, Kind.LEFT)


@pytest.mark.parametrize("job", ["*:*:j.*", ".*:.*:.*", "nixpkgs*", "(a|b):c"])
def test_matcher_t_a_job_is_no_regular_expression(job: str) -> None:
    text = block("runcommand", job=job, command="x")
    assert plugins(text)["run_command"]["settings"]["commands"][0]["job"] == job
    assert f"the job {job} is no regular expression" in said(text, Kind.CHANGED)


@pytest.mark.parametrize(
    "job",
    ["", "project", "project:jobset", "*:*:*", "project:jobset:a.b-c", "*:jobset:*"],
)
def test_matcher_t_names_and_stars_are_as_they_were(job: str) -> None:
    text = block("runcommand", job=job, command="x")
    taken = plugins(text)["run_command"]["settings"]["commands"][0]["job"]
    assert taken == (job or "*:*:*")
    assert "regular expression" not in said(text, Kind.CHANGED)


def test_commands_run_in_the_order_of_their_blocks() -> None:
    text = block("runcommand", command="foo") + block("runcommand", job="a:b:c")
    text += block("runcommand", job="a:b", command='bar "$HYDRA_JSON" \\# x')
    text += block("dynamicruncommand", enable="1")
    assert plugins(text)["run_command"] == {
        "command": ["hydra-notify-run-command"],
        "settings": {
            "commands": [
                {"job": "*:*:*", "command": "foo"},
                {"job": "a:b", "command": 'bar "$HYDRA_JSON" # x'},
            ],
            "dynamic": True,
        },
    }
    assert "set secrets.database" in said(text, Kind.TODO)
    assert "commands run in the plugin's directory" in said(text, Kind.CHANGED)
    assert "/hydra.conf:4: this runcommand block has no command" in said(
        text, Kind.LEFT
    )


def test_a_command_that_seems_to_hold_a_secret_is_pointed_out() -> None:
    text = block("runcommand", command="curl -H 'Authorization: Bearer abc' x")
    assert "a command seems to hold a secret" in said(text, Kind.TODO)
    assert "abc" not in said(text, Kind.TODO)


# What only Perl has.


def test_a_block_that_nobody_knows_is_run_by_perl_and_holds_up_nothing() -> None:
    text = "<my_plugin>\nx = 1\n</my_plugin>\n"
    assert plugins(text)["my_plugin"] == {
        "command": BRIDGE,
        "required": False,
        "settings": {"class": "MyPlugin", "hydra_config": "/hydra.conf"},
    }
    assert "Hydra::Plugin::MyPlugin is a guess" in said(text, Kind.TODO)
    assert "is of no plugin of Hydra's" in said("<a.b>\n</a.b>\n", Kind.LEFT)


def test_a_key_that_hydra_does_not_know_is_said_without_its_name() -> None:
    text = "<slack>\njobs = a:b:c\nurl = x\nhttps://hooks/T\n</slack>\n"
    assert "/hydra.conf:4 plugins.slack: a key that Hydra's" in said(text, Kind.LEFT)
    assert "hooks" not in said(text, Kind.LEFT)


# What cannot be used.


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("slack = x\n", "/hydra.conf:1: slack is a value, and Hydra reads a block"),
        ("<base_uri>\n</base_uri>\n", "base_uri is a block, and Hydra reads a value"),
        (
            "base_uri = a\nbase_uri = b\n",
            "/hydra.conf:2: base_uri is written more than",
        ),
        (
            block("slack", url="a\nurl = b"),
            "/hydra.conf:3: url is written more than once",
        ),
        (block("sotest", authfile="a", priority="high"), "priority is not a number"),
        (block("influxdb", url="http://[x"), "influxdb has an address that is none"),
        ("notification_sender = \udcff\nemail_notification = 1\n", "is not UTF-8"),
        (block("slack", url="\udcff"), "url is not UTF-8"),
        (block("gitea_authorization", root="\udcff"), "root is not UTF-8"),
        (block("gitea_authorization", root="a\nroot = b"), "a name with more than one"),
    ],
)
def test_what_hydra_could_not_use_is_refused_by_file_and_line(
    text: str, problem: str
) -> None:
    assert problem in refusal(text)


def test_the_json_form_comes_to_the_same() -> None:
    text = "base_uri = https://h\n" + block("slack", jobs="a:b:c", url="x")
    text += block("slack", jobs="a:b:c", url="y")
    slack = [{"jobs": "a:b:c", "url": url} for url in "xy"]
    document = json.dumps({"settings": {"base_uri": "https://h", "slack": slack}})
    hydra = read_hydra_conf(Path("/hydra.json"), lambda path: document)
    ours = converted(text).document
    assert json.dumps(convert(hydra, KEYS, {}).document).replace(
        "hydra.json", "hydra.conf"
    ) == json.dumps(ours)


# docs/plugins/import.md


def test_the_page_names_every_key_that_is_taken_over() -> None:
    page = (ROOT / "docs" / "plugins" / "import.md").read_text()
    programs = {**BLOCKS, **TOKENS, "bitbucket": BITBUCKET}
    keys = {
        *(f"<{name}>" for name in programs),
        *(key for each in programs.values() for key in each.settings),
        *(key for each in programs.values() for key in each.secrets),
        *COMPRESS_LOG.settings,
    }
    assert {key for key in keys if f"`{key}`" not in page} == set()
    plugins_here = {each.name for each in (*programs.values(), RUN_COMMAND, MAIL)}
    assert {name for name in plugins_here if f"`{name}`" not in page} == set()


_KEYS = ["jobs", "url", "force", "uri", "authfile", "name", "db", "username", "token"]
_PLAIN = ["x", "a:b:.*", "1", "", '"', "{", "http://db:1", "((", "é", "\udcff"]
_MARKED = [
    *("url = http://me:hush@db/", "token = hush", "authorization = hush", "17 = hush"),
    *("password = hush", "https://hush", "hush", "Bearer hush"),
]
_lines = st.lists(
    st.sampled_from([f"{key} = {value}" for key in _KEYS for value in _PLAIN])
    | st.sampled_from(_MARKED),
    max_size=6,
)
_names = [
    *(*BLOCKS, *TOKENS, "bitbucket", "github_authorization", "my_plugin", "my.plugin"),
    *("email_notifications", "hydra_notify", "dynamicruncommand", "mail", "github"),
]


def converted_or_why(text: str) -> Result | HydraConfError:
    try:
        return converted(text)
    except HydraConfError as error:
        return error


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(_names), _lines), max_size=5))
def test_whatever_is_written_no_secret_is_part_of_what_is_said(
    parts: list[tuple[str, list[str]]],
) -> None:
    text = "enable_bitbucket_status = 1\nbase_uri = http://h\nemail_notification = 1\n"
    for name, lines in parts:
        inner = "".join(f"{line}\n" for line in lines)
        text += f"<{name}>\n{inner}</{name}>\n"
    result = converted_or_why(text)
    if isinstance(result, HydraConfError):
        event("refused")
        assert "hush" not in str(result)
        return
    event("taken over")
    made = tomli_w.dumps(result.document)
    assert "hush" not in made
    for note in result.notes:
        assert "hush" not in f"{note.where} {note.words}"
    with contextlib.suppress(UnicodeEncodeError):
        made.encode()
        assert parse_config(made, directory=Path("/"), environ={}).plugins

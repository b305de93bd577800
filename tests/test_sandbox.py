"""What a plugin may, on all kinds of machines: no process is needed to say it."""

from pathlib import Path

import pytest

from hydra_notify.config import LimitsConfig, PluginConfig, SandboxConfig
from hydra_notify.sandbox import (
    Account,
    Machine,
    Standing,
    Toll,
    blame,
    cgroup_settings,
    judge,
    launch_options,
)

STATE = Path("/var/lib/hydra-notify/plugins/one")
CGROUP = Path("/sys/fs/cgroup/host.service/plugin-one")
SLACK = Account("slack", 900, 901, (901, 44))

ALL_LIMITS = LimitsConfig(
    memory="256M", tasks=32, open_files=64, file_size="1M", cpu="150%"
)
ALL_SANDBOX = SandboxConfig(read=(Path("/srv/a"),), write=(), connect_tcp=(443,))


def machine(
    *,
    linux: bool = True,
    uid: int = 500,
    landlock: int = 7,
    cgroups: bool = True,
    no_new_privs: bool = True,
    account: Account | None = None,
) -> Machine:
    return Machine(
        linux=linux,
        uid=uid,
        landlock=landlock,
        controllers=frozenset({"memory", "pids", "cpu"} if cgroups else ()),
        no_cgroup="" if cgroups else "the host was given no cgroup of its own",
        no_new_privs=no_new_privs,
        account=account,
    )


BARE = machine(landlock=0, cgroups=False)


def plugin(
    limits: LimitsConfig | None = None, sandbox: SandboxConfig | None = None
) -> PluginConfig:
    return PluginConfig(
        name="one",
        directory=Path("/etc"),
        command=("slack",),
        limits=limits or LimitsConfig(),
        sandbox=sandbox or SandboxConfig(),
    )


def standings(plugin: PluginConfig, machine: Machine) -> dict[str, str]:
    return {each.key: each.standing for each in judge(plugin, machine).findings}


def test_a_good_machine_enforces_everything() -> None:
    judgement = judge(plugin(ALL_LIMITS, ALL_SANDBOX), machine())
    assert {each.key for each in judgement.findings} == {
        "limits.memory", "limits.tasks", "limits.cpu", "limits.open_files",
        "limits.file_size", "sandbox.read", "sandbox.write", "sandbox.connect_tcp",
        "sandbox.no_new_privs",
    }  # fmt: skip
    assert judgement.amiss == ()
    assert judgement.refusal == ""


def test_a_bare_machine_enforces_what_each_process_can_be_held_to() -> None:
    assert standings(plugin(ALL_LIMITS, ALL_SANDBOX), BARE) == {
        "limits.memory": "degraded",
        "limits.tasks": "degraded",
        "limits.cpu": "impossible",
        "limits.open_files": "enforced",
        "limits.file_size": "enforced",
        "sandbox.read": "impossible",
        "sandbox.write": "impossible",
        "sandbox.connect_tcp": "impossible",
        "sandbox.no_new_privs": "enforced",
    }


@pytest.mark.parametrize("uid", [0, 500])
@pytest.mark.parametrize("linux", [True, False])
def test_whatever_is_amiss_says_why_and_what_mends_it(*, uid: int, linux: bool) -> None:
    sandbox = SandboxConfig(read=(), write=(), connect_tcp=(), user="x", required=True)
    bare = machine(linux=linux, uid=uid, landlock=0, cgroups=False)
    amiss = judge(plugin(ALL_LIMITS, sandbox), bare).amiss
    assert len(amiss) >= 7
    for finding in amiss:
        assert finding.fix
        assert str(finding) == f"{finding.key} {finding.words}; {finding.fix}"


def test_nothing_is_amiss_with_a_plugin_that_nothing_is_asked_of() -> None:
    for one in (BARE, machine(linux=False, landlock=0, no_new_privs=False)):
        assert judge(plugin(), one).amiss == ()
        assert judge(plugin(), one).refusal == ""


def test_what_is_amiss_refuses_the_plugin_only_where_it_is_required() -> None:
    limits = LimitsConfig(cpu="50%")
    assert judge(plugin(limits), BARE).refusal == ""
    required = judge(plugin(limits, SandboxConfig(required=True)), BARE)
    assert required.refusal == (
        "limits.cpu is not enforced (the host was given no cgroup of its own); "
        "add Delegate=yes to the host's unit, with cgroups of version 2 alone"
    )
    assert judge(plugin(limits, SandboxConfig(required=True)), machine()).refusal == ""


def test_memory_is_not_bounded_at_all_where_addresses_are_not_memory() -> None:
    here = machine(linux=False, landlock=0, cgroups=False, no_new_privs=False)
    limits = LimitsConfig(memory="256M")
    assert standings(plugin(limits), here) == {"limits.memory": "impossible"}
    assert launch_options(plugin(limits), here, STATE, {}, None) == []


def test_root_is_bound_by_no_limit_of_its_own_processes() -> None:
    limits = LimitsConfig(tasks=3, open_files=64)
    root = machine(uid=0, cgroups=False)
    assert standings(plugin(limits), root) == {
        "limits.tasks": "impossible",
        "limits.open_files": "degraded",
        "sandbox.no_new_privs": "enforced",
    }
    slack = machine(uid=0, cgroups=False, account=SLACK)
    found = standings(plugin(limits, SandboxConfig(user="slack")), slack)
    assert found["limits.tasks"] == "degraded"
    assert found["limits.open_files"] == "enforced"


@pytest.mark.parametrize(
    ("abi", "files", "network"),
    [
        (0, "impossible", "impossible"),
        (2, "degraded", "impossible"),
        (3, "enforced", "impossible"),
        (4, "enforced", "enforced"),
    ],
)
def test_what_landlock_guards_depends_on_the_kernel(
    abi: int, files: str, network: str
) -> None:
    found = standings(plugin(None, ALL_SANDBOX), machine(landlock=abi))
    assert found["sandbox.read"] == found["sandbox.write"] == files
    assert found["sandbox.connect_tcp"] == network


@pytest.mark.parametrize(
    ("here", "words"),
    [
        (machine(uid=0), "there is no such user"),
        (machine(uid=500, account=SLACK), "the host is not root"),
    ],
    ids=["unknown", "not root"],
)
def test_a_plugin_never_runs_as_another_user_than_its_own(
    here: Machine, words: str
) -> None:
    judgement = judge(plugin(None, SandboxConfig(user="slack")), here)
    assert words in judgement.refusal
    assert not judgement.required


def test_a_host_that_is_the_user_already_needs_not_be_root() -> None:
    here = machine(uid=SLACK.uid, account=SLACK)
    wanted = plugin(None, SandboxConfig(user="slack"))
    assert standings(wanted, here)["sandbox.user"] == "enforced"
    assert launch_options(wanted, here, STATE, {}, None) == []


def test_setuid_programs_work_only_in_a_host_that_has_not_given_them_up() -> None:
    wanted = plugin(None, SandboxConfig(no_new_privs=False))
    (finding,) = judge(wanted, machine()).findings
    assert finding.standing is Standing.IMPOSSIBLE
    assert "NoNewPrivileges=" in finding.fix
    assert judge(wanted, machine(no_new_privs=False)).findings == ()
    assert launch_options(wanted, machine(no_new_privs=False), STATE, {}, None) == []


def test_a_plugin_that_nothing_is_asked_of_needs_no_launcher() -> None:
    assert launch_options(plugin(), machine(), STATE, {}, None) == []
    # Unless the host itself may still gain rights, as in a program that embeds it.
    bold = machine(no_new_privs=False)
    assert launch_options(plugin(), bold, STATE, {}, None) == ["no-new-privs", "yes"]


def test_limits_are_those_of_a_cgroup_or_else_of_each_process() -> None:
    wanted = plugin(ALL_LIMITS)
    assert launch_options(wanted, machine(), STATE, {}, CGROUP) == [
        "cgroup", str(CGROUP), "nofile", "64", "fsize", "1048576",
    ]  # fmt: skip
    assert cgroup_settings(ALL_LIMITS, machine()) == {
        "memory.max": "268435456",
        "memory.swap.max": "0",
        "memory.oom.group": "1",
        "pids.max": "32",
        "cpu.max": "150000 100000",
    }
    assert launch_options(wanted, BARE, STATE, {}, None) == [
        "as", "268435456", "nproc", "32", "nofile", "64", "fsize", "1048576",
    ]  # fmt: skip
    assert cgroup_settings(ALL_LIMITS, BARE) == {}


def pairs(options: list[str], name: str) -> list[str]:
    return [
        value
        for key, value in zip(options[::2], options[1::2], strict=True)
        if key == name
    ]


def test_landlock_is_told_what_is_written_and_what_every_program_needs() -> None:
    env = {"SSL_CERT_FILE": "/opt/ca.pem"}
    options = launch_options(plugin(None, ALL_SANDBOX), machine(), STATE, env, None)
    assert pairs(options, "landlock") == ["7"]
    assert pairs(options, "no-new-privs") == ["yes"]
    assert pairs(options, "read") == ["/srv/a"]
    assert pairs(options, "write") == [str(STATE)]
    assert pairs(options, "connect") == ["443"]
    there = pairs(options, "read-if-there")
    assert {"/usr", "/nix/store", "/opt/ca.pem"} <= set(there)
    # Nothing that holds secrets, or the host's own things.
    for private in ("/", "/etc", "/run", "/var", "/root", "/home", "/tmp", "/dev"):
        assert private not in there
    assert "/dev/null" in pairs(options, "use-if-there")


def test_each_half_of_landlock_can_be_had_by_itself() -> None:
    network = plugin(None, SandboxConfig(connect_tcp=()))
    options = launch_options(network, machine(), STATE, {}, None)
    assert "files" not in options
    assert pairs(options, "network") == ["yes"]
    assert launch_options(network, machine(landlock=3), STATE, {}, None) == []
    files = plugin(None, SandboxConfig(read=()))
    options = launch_options(files, machine(landlock=3), STATE, {}, None)
    assert "network" not in options


def test_another_user_comes_with_all_its_groups_and_enters_its_directory() -> None:
    wanted = plugin(None, SandboxConfig(user="slack"))
    here = machine(uid=0, account=SLACK)
    assert launch_options(wanted, here, STATE, {}, None) == [
        "groups", "901,44", "gid", "901", "uid", "900", "directory", str(STATE),
    ]  # fmt: skip


def test_a_plugin_that_died_of_its_limits_is_said_to() -> None:
    assert blame(ALL_LIMITS, Toll()) == ""
    assert blame(ALL_LIMITS, Toll(oom_kills=2)) == (
        "it needed more memory than it may have (limits.memory, 256M)"
    )
    assert "limits.tasks, 32" in blame(ALL_LIMITS, Toll(refused_tasks=7))
    # Killed for the whole unit's limit, not for one of its own.
    assert "limits.memory" not in blame(LimitsConfig(), Toll(oom_kills=1))

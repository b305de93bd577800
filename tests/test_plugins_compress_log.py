"""The plugin `compress_log`: real compressors, and some that misbehave."""

import bz2
import os
import stat
import subprocess
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.languages import need
from tests.plugin_check import SERVICE, untried

from hydra_notify_plugins import compress_log
from hydra_notify_plugins.compress_log import NICE, plugin
from hydra_notify_sdk.testing import Host, Outcome, StartFailed, drive, sample_event
from hydra_notify_sdk.wire import Verdict

TEXT = b"building...\n" * 1000

LIMIT = 30
"""Seconds for a decompressor."""

NOBODY = 65534

Compressor = Callable[[str], None]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "build-logs" / "44" / "zlib.drv"
    path.parent.mkdir(parents=True)
    path.write_bytes(TEXT)
    path.chmod(0o640)
    os.utime(path, (1_767_607_140, 1_767_607_140))
    return path


@pytest.fixture
def compressor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: Path
) -> Compressor:
    """Makes a script `bzip2`; `$LOG` is the log."""
    need("bzip2")
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("LOG", str(log))

    def write(script: str) -> None:
        path = programs / "bzip2"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return write


def host(compression: str = "bzip2") -> Host:
    need(compression)
    return drive(plugin, config={"compression": compression})


def ended(
    log: Path | None, compression: str = "bzip2", cancel_after: int | None = None
) -> Outcome:
    event = sample_event("step_finished")
    assert event.data.step
    event.data.step.log_path = None if log is None else str(log)
    return host(compression).send(event, cancel_after=cancel_after)


def beside(log: Path) -> list[str]:
    return sorted(path.name for path in log.parent.iterdir())


def unzstd(path: Path) -> bytes:
    return subprocess.run(
        ["zstd", "--decompress", "--stdout", path],
        capture_output=True,
        check=True,
        timeout=LIMIT,
    ).stdout


@pytest.mark.parametrize(
    ("compression", "name", "content"),
    [
        ("bzip2", "zlib.drv.bz2", lambda path: bz2.decompress(path.read_bytes())),
        ("zstd", "zlib.drv.zst", unzstd),
    ],
)
def test_a_compressed_log_takes_the_place_of_a_log(
    log: Path, compression: str, name: str, content: Callable[[Path], bytes]
) -> None:
    # As a host starts it: what it makes is for nobody else to read.
    umask = os.umask(0o077)
    try:
        ended(log, compression).raise_for_failure()
    finally:
        os.umask(umask)
    assert beside(log) == [name]
    new = log.with_name(name)
    assert content(new) == TEXT
    assert new.stat().st_size < len(TEXT)
    assert stat.S_IMODE(new.stat().st_mode) == 0o640
    assert new.stat().st_mtime == 1_767_607_140


def test_an_empty_log_is_compressed_too(log: Path) -> None:
    log.write_bytes(b"")
    ended(log).raise_for_failure()
    assert bz2.decompress((log.parent / "zlib.drv.bz2").read_bytes()) == b""


def test_sent_again_there_is_nothing_left_to_do(log: Path) -> None:
    assert ended(log).delivered
    assert ended(log).skipped == "its log is gone, or compressed already"
    assert beside(log) == ["zlib.drv.bz2"]


def test_what_is_no_log_is_left_alone(log: Path) -> None:
    link = log.with_name("link.drv")
    link.symlink_to(log)
    packed = log.with_name("other.drv.zst")
    packed.write_bytes(b"packed")
    assert ended(None).skipped == "it has no log"
    assert (
        ended(log.parent / "none").skipped == "its log is gone, or compressed already"
    )
    assert ended(log.parent / "no" / "dir").skipped
    assert ended(packed).skipped == "its log is compressed already"
    assert ended(link).skipped == ended(log.parent).skipped == "its log is no file"
    assert beside(log) == ["link.drv", "other.drv.zst", "zlib.drv"]


def test_the_log_of_an_earlier_run_of_the_step_is_replaced(log: Path) -> None:
    for suffix in (".bz2", ".zst"):
        Path(f"{log}{suffix}").write_bytes(b"of the earlier run")
    log.with_name(".zlib.drv.bz2.part").write_bytes(b"of a crash" * 10_000)
    ended(log).raise_for_failure()
    assert beside(log) == ["zlib.drv.bz2"]
    assert bz2.decompress((log.parent / "zlib.drv.bz2").read_bytes()) == TEXT


def test_while_the_compressor_runs_the_log_is_there_and_no_half_one(
    log: Path, compressor: Compressor
) -> None:
    compressor('ls "${LOG%/*}"')
    ended(log).raise_for_failure()
    # What it saw is what it wrote.
    assert (log.parent / "zlib.drv.bz2").read_text() == "zlib.drv\n"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo half; echo no space left >&2; exit 3", "bzip2 ended with 3: no space"),
        ("echo half; kill -9 $$", "bzip2 ended with -9"),
    ],
)
def test_a_compressor_that_fails_changes_nothing(
    log: Path, compressor: Compressor, script: str, words: str
) -> None:
    compressor(script)
    failed = ended(log)
    assert failed.verdict is Verdict.RETRY
    assert failed.message.startswith(words)
    assert (beside(log), log.read_bytes()) == (["zlib.drv"], TEXT)


def test_a_log_that_is_written_meanwhile_is_not_lost(
    log: Path, compressor: Compressor
) -> None:
    compressor('cat; echo "one line more" >>"$LOG"')
    failed = ended(log)
    assert failed.verdict is Verdict.RETRY
    assert "is still being written" in failed.message
    assert beside(log) == ["zlib.drv"]
    assert log.read_bytes().endswith(b"one line more\n")


def test_a_log_that_is_made_anew_meanwhile_is_not_lost(
    log: Path, compressor: Compressor
) -> None:
    compressor('cat; cp -p "$LOG" "$LOG.new"; mv "$LOG.new" "$LOG"')
    assert ended(log).verdict is Verdict.RETRY
    assert (beside(log), log.read_bytes()) == (["zlib.drv"], TEXT)


def test_a_log_that_is_taken_away_meanwhile_is_gone(
    log: Path, compressor: Compressor
) -> None:
    compressor('rm "$LOG"')
    assert ended(log).skipped == "its log is gone, or compressed already"
    assert not beside(log)


def test_the_compressor_stands_back(log: Path, compressor: Compressor) -> None:
    compressor("nice")
    ended(log).raise_for_failure()
    own = os.getpriority(os.PRIO_PROCESS, 0)
    written = int((log.parent / "zlib.drv.bz2").read_text())
    assert written == min(own + NICE, 19)


def test_a_long_compression_says_that_it_goes_on_and_can_be_stopped(
    log: Path, compressor: Compressor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compress_log, "LOOK", 0.01)
    monkeypatch.setattr(compress_log, "LOOKS_PER_PROGRESS", 1)
    compressor('echo $$ >"${LOG%/*}/pid"; exec sleep 600')
    stopped = ended(log, cancel_after=20)
    assert stopped.code == 499
    assert {each.message for each in stopped.progress} == {"compressing"}
    pid = int((log.parent / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert beside(log) == ["pid", "zlib.drv"]


@contextmanager
def as_nobody() -> Generator[None]:
    """Without the rights of root, if these tests have them."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A log in a place where everybody may look."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        log = folder / "zlib.drv"
        log.write_bytes(TEXT)
        log.chmod(0o644)
        yield log


def test_a_directory_that_may_not_be_written_holds_all_logs_back(
    reachable: Path,
) -> None:
    reachable.parent.chmod(0o555)
    with as_nobody():
        failed = ended(reachable)
    reachable.parent.chmod(0o755)
    assert failed.verdict is Verdict.BLOCK
    assert failed.message == f"{reachable} cannot be compressed: Permission denied"
    assert "queue runner" in failed.fix
    assert beside(reachable) == ["zlib.drv"]


def test_a_log_that_may_not_be_read_holds_no_other_back(reachable: Path) -> None:
    reachable.chmod(0)
    reachable.parent.chmod(0o777)
    with as_nobody():
        failed = ended(reachable)
    assert failed.verdict is Verdict.RETRY
    assert "queue runner" in failed.fix


@pytest.mark.parametrize("compression", ["bzip2", "zstd"])
def test_without_its_compressor_it_does_not_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, compression: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    problem = f"settings.compression: there is no program {compression} in {tmp_path}"
    with pytest.raises(StartFailed, match=problem) as found:
        drive(plugin, config={"compression": compression})
    assert found.value.fix.startswith(f"install {compression}")


def test_another_compression_is_refused() -> None:
    with pytest.raises(StartFailed, match=r"settings\.compression: invalid enum"):
        drive(plugin, config={"compression": "gzip"})


async def test_it_keeps_every_rule() -> None:
    """It has no service, and the sample's log is on no machine of ours."""
    need("bzip2")
    found = await untried("compress_log", {"compression": "bzip2"})
    assert found == {"new-events", "new-status", "window", "once"} | SERVICE

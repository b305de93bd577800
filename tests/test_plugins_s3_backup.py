"""The backup of builds to S3, against a real server of S3 and a pretended Nix store."""

import bz2
import fcntl
import hashlib
import lzma
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fake_store import FakeStore
from tests.languages import need
from tests.s3_server import KEYS, OwnBucket, S3Server

from hydra_notify.kit.sink import Reply, Sink, serving
from hydra_notify_plugins.nix_store import base32
from hydra_notify_plugins.s3_backup import plugin
from hydra_notify_sdk import BuildEventData
from hydra_notify_sdk.testing import Host, Sample, StartFailed, drive, sample_event
from hydra_notify_sdk.wire.data import Output

Start = Callable[..., Host]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeStore:
    made = FakeStore(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{made.folder}:{os.environ['PATH']}")
    return made


@pytest.fixture
def bucket(s3: S3Server) -> OwnBucket:
    return s3.bucket()


@pytest.fixture
def start(tmp_path: Path, bucket: OwnBucket, store: FakeStore) -> Start:
    state, data = tmp_path / "state", tmp_path / "data"
    state.mkdir()
    data.mkdir()

    def begin(secrets: dict[str, str] = KEYS, **settings: Any) -> Host:
        config = {"bucket": bucket.name, "endpoint": bucket.url, **settings}
        return drive(
            plugin,
            config=config,
            secrets=secrets,
            state_dir=state,
            hydra_data=str(data),
        )

    return begin


def built(store: FakeStore, status: int = 0) -> Sample[BuildEventData]:
    """A build that has made the last path of the store."""
    sample = sample_event("build_finished", status=status)
    sample.data.outputs = [Output("out", store.paths[-1]), Output("doc", None)]
    sample.data.dependents = []
    return sample


def nars(bucket: OwnBucket) -> set[str]:
    return {name for name in bucket.names() if "/nar/" in f"/{name}"}


def unpacked(data: bytes, compression: str) -> bytes:
    match compression:
        case "bzip2":
            return bz2.decompress(data)
        case "xz":
            return lzma.decompress(data)
        case "zstd":
            command = ["zstd", "-dqc"]
            return subprocess.run(command, input=data, capture_output=True).stdout
        case _:
            return data


def test_hashes_are_in_nixs_base_32() -> None:
    empty = "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"
    assert base32(hashlib.sha256(b"").digest()) == empty


@pytest.mark.parametrize(
    ("compression", "extension"),
    [("bzip2", ".bz2"), ("xz", ".xz"), ("zstd", ".zst"), ("none", "")],
)
def test_a_build_is_copied_with_all_it_needs(
    store: FakeStore, bucket: OwnBucket, start: Start, compression: str, extension: str
) -> None:
    if compression == "zstd":
        need("zstd")
    outcome = start(compression=compression).send(built(store))
    outcome.raise_for_failure()
    for path in store.paths:
        name = f"{path.removeprefix('/nix/store/')[:32]}.narinfo"
        lines = bucket.read(name).decode().splitlines()
        fields = dict(line.split(": ", 1) for line in lines)
        data = bucket.read(fields["URL"])
        assert unpacked(data, compression) == store.nar(path).read_bytes()
        digest = hashlib.sha256(data).digest()
        assert fields["URL"] == f"nar/{digest.hex()}.nar{extension}"
        assert fields["FileHash"] == f"sha256:{base32(digest)}"
        assert fields["FileSize"] == str(len(data))
        assert fields["Compression"] == compression
        assert fields["StorePath"] == path
        assert bucket.kind(name) == "text/x-nix-narinfo"
        assert bucket.kind(fields["URL"]) == "application/x-nix-nar"
    libc, gcc, hello = (path.removeprefix("/nix/store/") for path in store.paths)
    nar_hash = base32(hashlib.sha256(b"hello").digest())
    lines = bucket.read(f"{'3' * 32}.narinfo").decode().splitlines()
    assert lines[5:] == [
        f"NarHash: sha256:{nar_hash}",
        "NarSize: 5",
        f"References: {libc} {gcc} {hello}",
        f"Deriver: {hello}.drv",
    ]
    assert bucket.read("nix-cache-info") == b"StoreDir: /nix/store\n"
    assert len(bucket.names()) == 7
    assert [report.message for report in outcome.progress] == [
        f"{number}/3 {path}" for number, path in enumerate(store.paths)
    ]


def test_what_is_there_is_left_alone(
    store: FakeStore, bucket: OwnBucket, start: Start
) -> None:
    host = start()
    bucket.write("1" * 32 + ".narinfo", b"there")
    bucket.write("nix-cache-info", b"there")
    host.send(built(store)).raise_for_failure()
    assert store.dumps() == store.paths[1:]
    assert bucket.read("1" * 32 + ".narinfo") == b"there"
    assert bucket.read("nix-cache-info") == b"there"
    host.send(built(store), redelivered=True).raise_for_failure()
    assert store.dumps() == store.paths[1:]


@pytest.mark.parametrize(
    ("status", "copied"), [(0, True), (6, True), (1, False), (3, False), (99, False)]
)
def test_only_builds_with_output_are_copied(
    store: FakeStore, bucket: OwnBucket, start: Start, status: int, copied: bool
) -> None:
    outcome = start().send(built(store, status))
    outcome.raise_for_failure()
    assert bool(bucket.names()) is copied
    assert (outcome.skipped is None) is copied


@pytest.mark.parametrize(
    ("jobs", "copied"),
    [
        (r"nixpkgs:trunk:hello\..*", True),
        ("nixpkgs:trunk:hello", False),
        (r".*:greeter\..*", True),
    ],
)
def test_jobs_match_as_a_whole_those_that_ended_with_it_too(
    store: FakeStore, bucket: OwnBucket, start: Start, jobs: str, copied: bool
) -> None:
    sample = built(store)
    (dependent, _) = sample_event("build_finished", status=0).data.dependents or []
    dependent.outputs = [Output("out", store.paths[0])]
    sample.data.dependents = [dependent]
    start(jobs=jobs).send(sample).raise_for_failure()
    assert bool(bucket.names()) is copied


def test_a_prefix_is_in_front_of_every_name(
    store: FakeStore, bucket: OwnBucket, start: Start
) -> None:
    start(prefix="cache/").send(built(store)).raise_for_failure()
    assert all(name.startswith("cache/") for name in bucket.names())
    assert b"\nURL: nar/" in bucket.read(f"cache/{'1' * 32}.narinfo")


def test_a_large_archive_is_copied_in_parts(
    store: FakeStore, bucket: OwnBucket, start: Start
) -> None:
    nar = os.urandom(11 << 20)
    path = store.add("large", nar, [])
    start(compression="none").send(built(store)).raise_for_failure()
    name = f"nar/{hashlib.sha256(nar).hexdigest()}.nar"
    assert bucket.read(name) == nar
    assert path in store.dumps()


@pytest.mark.parametrize("listed", [True, False])
def test_signatures_are_copied_where_nix_says_them(
    store: FakeStore, bucket: OwnBucket, start: Start, listed: bool
) -> None:
    store.sign(listed=listed)
    start().send(built(store)).raise_for_failure()
    assert bucket.read(f"{'3' * 32}.narinfo").endswith(b"\nSig: key:2.12\n")


def test_one_copy_is_at_work_at_a_time(
    store: FakeStore, bucket: OwnBucket, start: Start, tmp_path: Path
) -> None:
    host = start()
    with (tmp_path / "data" / ".hydra-s3backup.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        outcome = host.send(built(store))
    assert (outcome.code, outcome.retry_after) == (503, 15)
    assert not bucket.names()
    host.send(built(store), attempt=2).raise_for_failure()


def test_a_lock_that_cannot_be_had_is_named(
    store: FakeStore, start: Start, tmp_path: Path
) -> None:
    host = start()
    (tmp_path / "data" / ".hydra-s3backup.lock").mkdir()
    outcome = host.send(built(store))
    assert outcome.code == 500
    assert "cannot be locked: Is a directory" in outcome.message


def test_a_path_that_is_not_what_the_store_says_is_never_there(
    store: FakeStore, bucket: OwnBucket, start: Start, tmp_path: Path
) -> None:
    store.nar(store.paths[1]).write_bytes(b"rotten")
    outcome = start().send(built(store))
    assert outcome.verdict.name == "DEAD"
    assert outcome.fix == f"nix-store --repair-path {store.paths[1]}"
    narinfos = {name for name in bucket.names() if name.endswith(".narinfo")}
    assert narinfos == {"1" * 32 + ".narinfo"}, "what comes before it is copied"


def test_a_build_that_has_left_the_store_is_given_up(
    store: FakeStore, start: Start
) -> None:
    sample = built(store)
    sample.data.outputs = [Output("out", "/nix/store/gone")]
    outcome = start().send(sample)
    assert (outcome.code, outcome.verdict.name) == (410, "DEAD")
    assert "'/nix/store/gone' is not valid" in outcome.message


def test_an_archive_that_cannot_be_read_is_tried_again(
    store: FakeStore, bucket: OwnBucket, start: Start
) -> None:
    store.nar(store.paths[0]).unlink()
    outcome = start().send(built(store))
    assert (outcome.code, outcome.verdict.name) == (500, "RETRY")
    assert "nix-store --dump failed: cat:" in outcome.message
    assert not nars(bucket)


def test_a_copy_that_is_called_off_leaves_nothing_half_done(
    store: FakeStore, bucket: OwnBucket, start: Start, tmp_path: Path
) -> None:
    host = start()
    outcome = host.send(built(store), cancel_after=2)
    assert outcome.code == 499
    assert {name for name in bucket.names() if name.endswith(".narinfo")} == {
        "1" * 32 + ".narinfo"
    }
    host.send(built(store), redelivered=True).raise_for_failure()
    assert len(bucket.names()) == 7
    assert not list((tmp_path / "state").glob("*.nar"))


def test_a_bucket_that_is_not_there_is_named(store: FakeStore, start: Start) -> None:
    outcome = start(bucket="no-such-bucket").send(built(store))
    assert (outcome.code, outcome.message) == (
        503,
        "there is no bucket no-such-bucket",
    )


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    with serving() as server:
        yield server


@pytest.mark.parametrize(
    ("reply", "code", "verdict"),
    [
        (Reply(401), 401, "BLOCK"),
        (Reply(403), 403, "BLOCK"),
        (Reply(429), 503, "PAUSE"),
        (Reply(500), 503, "PAUSE"),
        (Reply(503), 503, "PAUSE"),
        (Reply(breaks=True), 503, "PAUSE"),
    ],
)
def test_an_answer_that_is_no_success_is_no_delivery(
    sink: Sink, store: FakeStore, start: Start, reply: Reply, code: int, verdict: str
) -> None:
    sink.reply = reply
    outcome = start(endpoint=sink.url).send(built(store))
    assert (outcome.code, outcome.verdict.name) == (code, verdict)
    assert "a key" not in f"{outcome!r} {outcome.log}"


def test_a_service_that_is_not_there_is_tried_again(
    store: FakeStore, start: Start
) -> None:
    outcome = start(endpoint="http://127.0.0.1:1").send(built(store))
    assert outcome.code == 503


@pytest.mark.parametrize(
    ("secrets", "settings", "message"),
    [
        (KEYS, {"bucket": ""}, "settings.bucket: expected `str` of length"),
        (KEYS, {"compression": "gzip"}, "settings.compression: invalid enum value"),
        (KEYS, {"prefix": "/cache"}, "settings.prefix: begins with a slash"),
        (KEYS, {"prefix": "a//b"}, "settings.prefix: begins with a slash or has two"),
        (KEYS, {"jobs": "("}, "settings.jobs: is no regular expression"),
        (KEYS, {"endpoint": "s3.example.org"}, "settings.endpoint: is no web address"),
        ({"access_key_id": "x"}, {}, "secrets.secret_access_key: is required"),
        ({"secret_access_key": "x"}, {}, "secrets.access_key_id: is required"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(
    start: Start, secrets: dict[str, str], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(StartFailed) as refused:
        start(secrets, **settings)
    assert str(refused.value).startswith(f"422 {message}")


def test_without_nix_it_does_not_start(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(StartFailed, match=r"environment\.PATH: has no nix-store"):
        start()

"""The mail plugin against a real mail server."""

import socket
import ssl
import subprocess
from asyncio import Server, WriteTransport  # noqa: TID251 - of the mail server
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from msgspec.structs import replace
from tests.clones import between, clone_of, restarted
from tests.languages import need
from tests.plugin_check import SERVICE, untried

from hydra_notify_plugins import mail
from hydra_notify_plugins.mail_server import GREYLIST
from hydra_notify_plugins.mail_text import LISTED
from hydra_notify_sdk import BuildEventData, EvalEventData
from hydra_notify_sdk.testing import Host, Sample, StartFailed, drive, sample_event
from hydra_notify_sdk.wire import PreviousBuild, Verdict

SENDER = "hydra@example.org"
PASSWORD = "a secret of the test"


@dataclass
class Post:
    """What a server takes, and how it answers instead.

    Attributes:
        answers: By the address of a recipient, the next first.
        to_sender: To the next MAIL.
        to_data: To the next mail itself.
        hangs_up: Whether it does so after the next mail, without an answer.
    """

    taken: list[Envelope] = field(default_factory=list)
    greetings: list[str] = field(default_factory=list)
    answers: dict[str, list[str]] = field(default_factory=dict)
    to_sender: list[str] = field(default_factory=list)
    to_data: list[str] = field(default_factory=list)
    hangs_up: bool = False

    async def handle_EHLO(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        _: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        session.host_name = hostname
        self.greetings.append(hostname)
        return responses

    async def handle_MAIL(  # noqa: N802
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if self.to_sender:
            return self.to_sender.pop(0)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if answers := self.answers.get(address):
            return answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self.to_data:
            return self.to_data.pop(0)
        self.taken.append(envelope)
        if self.hangs_up:
            self.hangs_up = False
            assert isinstance(server.transport, WriteTransport)
            server.transport.abort()
        return "250 OK"

    @property
    def recipients(self) -> list[str]:
        return [address for envelope in self.taken for address in envelope.rcpt_tos]

    def texts(self) -> list[bytes]:
        return [bytes(each.original_content or b"") for each in self.taken]

    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(text, policy=default) for text in self.texts()]


def words(mail: EmailMessage) -> str:
    content = mail.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


class Office(Controller):
    """A mail server on a free port."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


def serving(post: Post, **options: Any) -> Iterator[Office]:
    office = Office(post, hostname="127.0.0.1", port=0, server_hostname="m", **options)
    office.start()
    yield office
    office.stop()


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    yield from serving(Post())


@pytest.fixture
def post(office: Office) -> Post:
    post = office.handler = Post()
    return post


@pytest.fixture
def host(office: Office, post: Post, tmp_path: Path) -> Host:
    return start(office, tmp_path)


def start(office: Office, state: Path, hydra_data: str = "", **more: object) -> Host:
    settings = {"sender": SENDER, "host": "127.0.0.1", "port": office.port, **more}
    return drive(mail.plugin, config=settings, state_dir=state, hydra_data=hydra_data)


def finished(
    *maintainers: str, status: int = 1, before: int | None = 0
) -> Sample[BuildEventData]:
    """A build without dependents."""
    event = sample_event("build_finished", status=status)
    event.data.dependents = []
    event.data.maintainers = list(maintainers)
    event.data.previous_build = (
        None if before is None else PreviousBuild(id=4630, build_status=before)
    )
    return event


def broken() -> Sample[EvalEventData]:
    return sample_event("eval_failed")


def test_a_mail_reads_like_hydras_and_says_more(host: Host, post: Post) -> None:
    host.send("build_finished").raise_for_failure()
    (envelope,) = post.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == (SENDER, ["alice@example.org"])
    assert post.greetings == ["hydra.example.org"]
    (found,) = post.mails()
    assert dict(found.items()) | {"Date": "", "Message-ID": ""} == {
        "From": "Hydra Build Daemon <hydra@example.org>",
        "To": "alice@example.org",
        "Subject": "Failed: Hydra job nixpkgs:trunk:hello.x86_64-linux (and 2 others)",
        "Date": "",
        "Message-ID": "",
        "In-Reply-To": found["References"],
        "References": found["References"],
        "Auto-Submitted": "auto-generated",
        "List-Id": "<trunk.nixpkgs.hydra.example.org>",
        "X-Hydra-Instance": "https://hydra.example.org",
        "X-Hydra-Project": "nixpkgs",
        "X-Hydra-Jobset": "trunk",
        "X-Hydra-Job": "hello.x86_64-linux",
        "X-Hydra-System": "x86_64-linux",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "quoted-printable",
        "MIME-Version": "1.0",
    }
    assert (
        words(found)
        == """\
Hydra job nixpkgs:trunk:hello.x86_64-linux has changed from "succeeded" to "failed":

  https://hydra.example.org/build/4711

  Finished  2026-01-05 10:00:00 UTC, after 1m 40s
  System    x86_64-linux
  Package   hello-2.12
  Log       https://hydra.example.org/build/4711/log
  Before    https://hydra.example.org/build/4630 (succeeded)
  Changes   https://hydra.example.org/eval/1042?compare=1041

These jobs ended with it:

* nixpkgs:trunk:greeter.x86_64-linux: Dependency failed
  https://hydra.example.org/build/4712
* nixpkgs:trunk:Grüße ☃.x86_64-linux: Dependency failed
  https://hydra.example.org/build/4713

You get this mail because meta.maintainers names your address.
--\x20
Hydra, https://hydra.example.org
"""
    )


def test_plain_text_is_sent_as_it_is(host: Host, post: Post) -> None:
    host.send(finished("a@x.org", before=None)).raise_for_failure()
    (text,) = post.texts()
    assert b"\r\nContent-Transfer-Encoding: 7bit\r\n" in text
    assert b'\r\n\r\nHydra job nixpkgs:trunk:hello.x86_64-linux is "failed":' in text


def test_a_system_that_the_job_does_not_name_is_named(host: Host, post: Post) -> None:
    event = finished("a@x.org", status=0, before=1)
    event.data.job, event.data.jobset = "hello", ".jobsets"
    event.data.jobset_info.name = ".jobsets"
    host.send(event).raise_for_failure()
    (found,) = post.mails()
    assert (
        found["Subject"] == "Success: Hydra job nixpkgs:.jobsets:hello on x86_64-linux"
    )
    assert found["List-Id"] == "<jobsets.nixpkgs.hydra.example.org>"


@pytest.mark.parametrize(
    ("status", "before", "told"),
    [(0, 1, 1), (1, 1, 0), (1, None, 1), (3, 0, 0), (4, 0, 0), (99, 0, 1)],
)
def test_only_a_change_is_mailed(
    host: Host, post: Post, status: int, before: int | None, told: int
) -> None:
    assert host.send(finished("a@x.org", status=status, before=before)).code is None
    assert len(post.taken) == told


def test_a_jobset_without_mail_sends_none(host: Host, post: Post) -> None:
    event = finished("a@x.org")
    event.data.jobset_info.enable_email = False
    assert host.send(event).skipped == "the jobset sends no mail"
    assert not post.taken


def test_an_override_takes_the_place_of_maintainers(host: Host, post: Post) -> None:
    event = finished("a@x.org")
    event.data.jobset_info.email_override = "b@x.org, Team C <c@x.org>"
    host.send(event).raise_for_failure()
    assert post.recipients == ["b@x.org", "c@x.org"]
    assert "the jobset nixpkgs:trunk names your" in words(post.mails()[0])


def test_everybody_gets_one_mail_about_builds_of_theirs(host: Host, post: Post) -> None:
    event = sample_event("build_finished")
    assert event.data.dependents
    first, second = event.data.dependents
    event.data.maintainers = ["a@x.org"]
    first.maintainers = ["A@x.org", "b@x.org"]
    second.maintainers = ["b@x.org"]
    host.send(event).raise_for_failure()
    mine, theirs = post.mails()
    assert mine["Subject"].endswith("hello.x86_64-linux (and 1 other)")
    assert theirs["Subject"] == (
        "Dependency failed: Hydra job nixpkgs:trunk:greeter.x86_64-linux (and 1 other)"
    )
    assert "/log" not in words(theirs), "it never ran"


def test_a_dependent_is_mailed_as_its_own_jobset_says(host: Host, post: Post) -> None:
    event = sample_event("build_finished")
    assert event.data.dependents
    first, second = event.data.dependents
    event.data.jobset_info.enable_email = False
    first.jobset, second.jobset = "staging", "private"
    jobset = replace(event.data.jobset_info, name="staging", enable_email=True)
    jobset.email_override = "b@x.org"
    event.data.dependent_jobsets = [jobset]
    outcome = host.send(event)
    outcome.raise_for_failure()
    (found,) = post.mails()
    assert (found["To"], found["X-Hydra-Jobset"]) == ("b@x.org", "staging")
    assert "the jobset nixpkgs:staging names your address" in words(found)
    (line,) = outcome.log
    assert "no mail on https://hydra.example.org/build/4713" in line.message


def test_a_long_list_is_cut_and_said_to_be(host: Host, post: Post) -> None:
    event = sample_event("build_finished")
    assert event.data.dependents
    (first, _) = event.data.dependents
    many = range(5000, 5000 + LISTED + 5)
    event.data.dependents = [replace(first, build=number) for number in many]
    event.data.dependent_ids = [*many, 6000]
    event.data.truncated = ["dependents"]
    outcome = host.send(event)
    outcome.raise_for_failure()
    assert "no mail on 1 builds, which are cut" in outcome.log[0].message
    (found,) = post.mails()
    assert found["Subject"].endswith(f"(and at least {LISTED + 5} others)")
    assert words(found).count("greeter") == LISTED
    assert "\n* and 5 more\n" in words(found)


def test_what_is_no_address_is_left_out_and_said(host: Host, post: Post) -> None:
    outcome = host.send(finished("not an address", "a@x.org", "e\r\nvil@x.org", ""))
    outcome.raise_for_failure()
    assert post.recipients == ["a@x.org"]
    assert len([line for line in outcome.log if line.level == "warning"]) == 2


def test_nobody_to_tell_is_no_failure(host: Host) -> None:
    assert host.send(finished()).skipped == "nobody to tell"


def test_a_repetition_is_not_mailed_again(host: Host, post: Post) -> None:
    first, second = host.send_twice(finished("a@x.org"))
    assert first.delivered
    assert second.skipped == "it has been mailed already"
    assert len(post.taken) == 1


def test_a_partly_refused_event_goes_to_each_address_once(
    host: Host, post: Post
) -> None:
    """A greylisted address does not hold back others, nor are they told again."""
    event = finished("grey@x.org", "gone@x.org", "good@x.org")
    post.answers = {
        "grey@x.org": ["451 4.7.1 greylisted, try again later"],
        "gone@x.org": ["550 5.1.1 no such user"] * 2,
    }
    outcome = host.send(event)
    assert (outcome.verdict, outcome.retry_after) == (Verdict.RETRY, GREYLIST)
    assert "grey@x.org: 451 4.7.1 greylisted" in outcome.message
    assert "gone@x.org: 550 5.1.1 no such user" in outcome.message
    assert post.recipients == ["good@x.org"]
    last = host.send(event, attempt=2)
    assert last.verdict is Verdict.DEAD
    assert last.message.endswith("refused gone@x.org: 550 5.1.1 no such user")
    assert post.recipients == ["good@x.org", "grey@x.org"]


def test_a_list_that_came_in_parts_repeats_nothing(host: Host, post: Post) -> None:
    """Hydra splits a long list of dependents; each part has the same head."""
    first = sample_event("build_finished")
    assert first.data.dependents
    second = sample_event("build_finished")
    second.id += ":2"
    second.data.dependents = [first.data.dependents.pop()]
    host.send(first).raise_for_failure()
    host.send(second).raise_for_failure()
    assert [found["X-Hydra-Job"].split(".")[0] for found in post.mails()] == [
        "hello",
        "Grüße ☃",
    ]


def test_a_restarted_build_is_news_again(host: Host, post: Post) -> None:
    event = finished("a@x.org")
    host.send(event).raise_for_failure()
    host.send(restarted(event)).raise_for_failure()
    assert len(post.taken) == 2


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("452 4.2.2 mailbox full", Verdict.RETRY),
        ("552 too many recipients", Verdict.RETRY),
        ("554 5.7.1 no", Verdict.DEAD),
        ("530 5.7.0 log in first", Verdict.BLOCK),
        ("421 4.3.2 shutting down", Verdict.PAUSE),
    ],
)
def test_the_code_of_a_reply_says_what_to_do_next(
    host: Host, post: Post, answer: str, verdict: Verdict
) -> None:
    event = finished("a@x.org")
    post.answers = {"a@x.org": [answer]}
    outcome = host.send(event)
    assert outcome.verdict is verdict
    assert answer in outcome.message
    assert host.send(event, attempt=2).delivered
    assert post.recipients == ["a@x.org"]


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("450 4.3.0 later", Verdict.RETRY),
        ("552 5.3.4 too large", Verdict.DEAD),
        ("553 5.7.1 not your address", Verdict.BLOCK),
    ],
)
def test_a_refused_sender_concerns_all_mails(
    host: Host, post: Post, answer: str, verdict: Verdict
) -> None:
    post.to_sender = [answer]
    outcome = host.send(finished("a@x.org"))
    assert outcome.verdict is verdict
    assert answer in outcome.message


def test_a_refused_content_is_given_up(host: Host, post: Post) -> None:
    post.to_data = ["554 5.6.0 spam", "451 4.3.0 no space"]
    outcome = host.send(finished("a@x.org", "b@x.org", "c@x.org"))
    assert outcome.verdict is Verdict.RETRY
    assert "b@x.org: 451 4.3.0 no space; a@x.org: 554 5.6.0 spam" in outcome.message
    assert post.recipients == ["c@x.org"]


def test_after_a_broken_connection_the_id_tells_a_repetition(
    host: Host, post: Post
) -> None:
    event = finished("a@x.org", "b@x.org")
    post.hangs_up = True
    outcome = host.send(event)
    assert outcome.verdict is Verdict.RETRY
    assert "a@x.org: the connection broke" in outcome.message
    assert host.send(event, attempt=2, redelivered=True).delivered
    assert post.recipients == ["a@x.org", "b@x.org", "a@x.org"]
    first, other, again = (found["Message-ID"] for found in post.mails())
    assert first == again != other


def test_mails_on_one_job_make_a_thread(host: Host, post: Post) -> None:
    host.send(finished("a@x.org")).raise_for_failure()
    later = finished("a@x.org", status=0, before=1)
    later.id += ":0"
    host.send(later).raise_for_failure()
    first, second = post.mails()
    assert first["References"] == second["References"]
    assert first["Message-ID"] != second["Message-ID"]


def test_a_server_that_is_not_there_holds_back_everything(
    office: Office, tmp_path: Path
) -> None:
    outcome = start(office, tmp_path, port=1).send(finished("a@x.org"))
    assert (outcome.verdict, outcome.code) == (Verdict.PAUSE, 503)
    assert "the mail server 127.0.0.1:1 cannot be reached" in outcome.message


def test_a_server_that_says_nothing_is_given_up(office: Office, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        host = start(office, tmp_path, port=port, timeout=0.1)
        outcome = host.send(finished("a@x.org"))
    assert (outcome.verdict, outcome.code) == (Verdict.PAUSE, 503)
    assert "timed out" in outcome.message


def test_who_is_not_waited_for_stops_before_the_next_mail(
    host: Host, post: Post
) -> None:
    event = finished("a@x.org", "b@x.org")
    outcome = host.send(event, cancel_after=1)
    assert (outcome.code, outcome.message) == (499, "stopped after 1 of 2 mails")
    assert host.send(event, attempt=2, redelivered=True).delivered
    assert post.recipients == ["a@x.org", "b@x.org"]


def test_authors_get_a_mail_where_the_input_says_so(
    office: Office, post: Post, tmp_path: Path
) -> None:
    host = start(office, tmp_path, hydra_data=str(tmp_path))
    event = between(clone_of(tmp_path / "scm", ["Bob", "Ann", "Ann"]))
    event.data.maintainers = ["a@x.org"]
    host.send(event).raise_for_failure()
    assert event.data.evals
    event.data.evals[0].inputs[0].email_responsible = True
    host.send(restarted(event)).raise_for_failure()
    assert post.recipients == ["a@x.org"] * 2 + ["ann@example.org", "bob@example.org"]
    said = words(post.mails()[-1])
    authors = "  Ann <ann@example.org>\n  Bob <bob@example.org>"
    assert f"This may be due to 3 commits by\n\n{authors}\n" in said
    assert "the author of one of these commits" in said


def test_a_new_error_of_an_evaluation_goes_to_the_owner(host: Host, post: Post) -> None:
    event = broken()
    event.data.jobset_info.error_msg = "\x1b[31;1merror:\x1b[0m no\r\n  at x.nix:3\n"
    host.send(event).raise_for_failure()
    (found,) = post.mails()
    assert found["To"] == "alice@example.org"
    assert found["Subject"] == "Hydra nixpkgs:trunk evaluation error"
    assert found["X-Hydra-Jobset"] == "trunk"
    assert (
        words(found)
        == """\
The evaluation of the Hydra jobset nixpkgs:trunk failed:

error: no
  at x.nix:3

  https://hydra.example.org/jobset/nixpkgs/trunk#tabs-errors

You get this mail because the project nixpkgs is yours, and you want
to know of evaluation errors.
--\x20
Hydra, https://hydra.example.org
"""
    )


def test_errors_of_single_jobs_are_told_too(host: Host, post: Post) -> None:
    event = sample_event("eval_added")
    event.data.error_changed = True
    event.data.jobset_info.error_msg = "error: in job hello" + "x" * 300_000
    host.send(event).raise_for_failure()
    said = words(post.mails()[0])
    assert "nixpkgs:trunk ended with errors:\n\nerror: in job hello" in said
    assert "\nThe rest is on Hydra's page.\n" in said


@pytest.mark.parametrize(
    ("changed", "error", "wants", "why"),
    [
        (False, "error", True, "the same error as before"),
        (None, "error", True, "this Hydra does not say whether the error is new"),
        (True, "\n", True, "no errors"),
        (True, "error", False, "the owner wants no mail"),
    ],
)
def test_the_owner_is_told_once_and_only_if_wanted(
    host: Host, post: Post, changed: bool | None, error: str, wants: bool, why: str
) -> None:
    event = broken()
    event.data.error_changed = changed
    event.data.jobset_info.error_msg = error
    assert event.data.project_info.owner
    event.data.project_info.owner.email_on_error = wants
    assert host.send(event).skipped == why
    assert not post.taken


def test_operators_have_templates_of_their_own(
    office: Office, post: Post, tmp_path: Path
) -> None:
    text = "Subject: [$project]  $job\n\n$dependents\n\n\n\nCosts $$5, $status.\n"
    (tmp_path / "build.txt").write_text(text)
    host = start(office, tmp_path, templates=str(tmp_path))
    host.send(finished("a@x.org")).raise_for_failure()
    host.send(broken()).raise_for_failure()
    own, builtin = post.mails()
    assert own["Subject"] == "[nixpkgs] nixpkgs:trunk:hello.x86_64-linux"
    assert words(own).strip() == "Costs $5, Failed."
    assert builtin["Subject"] == "Hydra nixpkgs:trunk evaluation error"


def test_for_a_trial_all_mails_go_to_one_address(
    office: Office, post: Post, tmp_path: Path
) -> None:
    host = start(office, tmp_path, redirect_to="me@x.org", jobs="nixpkgs:trunk:hello.*")
    host.send(finished("a@x.org", "b@x.org")).raise_for_failure()
    assert post.recipients == ["me@x.org"] * 2
    assert [found["To"] for found in post.mails()] == ["me@x.org"] * 2
    intended = [found["X-Hydra-Recipient"] for found in post.mails()]
    assert intended == ["a@x.org", "b@x.org"]
    other = finished("a@x.org")
    other.data.job = "other"
    assert host.send(other).skipped == "nothing has changed"


@pytest.mark.parametrize(
    ("settings", "secrets", "problem"),
    [
        ({}, {}, "settings.sender: is required"),
        ({"sender": "hydra"}, {}, "settings.sender: is no address: 'hydra'"),
        ({"redirect_to": "a@x, b@x"}, {}, "settings.redirect_to: is no address"),
        ({"security": "ssl"}, {}, "settings.security: invalid enum value 'ssl'"),
        ({"user": "u"}, {}, "secrets.password: is required for a login"),
        ({}, {"password": "p"}, "settings.user: is required with secrets.password"),
        ({"user": "u"}, {"password": "p"}, "settings.security: would send the pass"),
        ({"jobs": "("}, {}, "settings.jobs: is no regular expression"),
        ({"templates": "/nowhere"}, {}, "settings.templates: /nowhere is no direct"),
    ],
)
def test_a_wrong_configuration_is_refused_with_its_place(
    tmp_path: Path, settings: dict[str, Any], secrets: dict[str, str], problem: str
) -> None:
    config = {"host": "mail.example.org"} | settings
    if "is required" not in problem or "sender" not in problem:
        config.setdefault("sender", SENDER)
    with pytest.raises(StartFailed, match=problem):
        drive(mail.plugin, config=config, secrets=secrets, state_dir=tmp_path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("$job\n\n$url\n", "eval.txt: has no subject"),
        ("Subject: $job\n\n", r"eval.txt: there is no \$job"),
        ("Subject: x\n\n5 $\n", "eval.txt: has a `\\$` that begins no name"),
    ],
)
def test_a_wrong_template_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "eval.txt").write_text(text)
    settings = {"sender": SENDER, "templates": str(tmp_path)}
    with pytest.raises(StartFailed, match=problem):
        drive(mail.plugin, config=settings, state_dir=tmp_path)


def login(
    _server: object, _session: object, _envelope: object, _how: str, data: object
) -> AuthResult:
    good = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
    return AuthResult(success=good, handled=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("openssl")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    arguments = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(path), "-out", f"{path}.crt"]
    command = ["openssl", *arguments.split(), *name, *files]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


@pytest.fixture(scope="module")
def guarded(certificate: Path) -> Iterator[Office]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    yield from serving(
        Post(),
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=login,
    )


@pytest.mark.parametrize(
    ("trusted", "password", "security", "verdict", "problem"),
    [
        (True, PASSWORD, "starttls", Verdict.DELIVERED, ""),
        (True, "wrong", "starttls", Verdict.BLOCK, "refuses the login: 535"),
        (False, PASSWORD, "starttls", Verdict.BLOCK, "cannot prove its name"),
        (True, PASSWORD, "tls", Verdict.PAUSE, "speaks no TLS"),
        (True, PASSWORD, "none", Verdict.BLOCK, "check settings.port"),
    ],
)
def test_a_login_goes_through_tls_that_is_verified(
    guarded: Office,
    certificate: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    trusted: bool,
    password: str,
    security: str,
    verdict: Verdict,
    problem: str,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate) if trusted else "/dev/null")
    post = guarded.handler = Post()
    settings = {
        "sender": SENDER,
        "host": "localhost",
        "port": guarded.port,
        "security": security,
        "user": "hydra",
    }
    secrets = {"password": password}
    host = drive(mail.plugin, config=settings, secrets=secrets, state_dir=tmp_path)
    outcome = host.send(finished("a@x.org"))
    assert outcome.verdict is verdict, outcome
    assert problem in f"{outcome.message} {outcome.fix}"
    assert password not in outcome.message
    assert len(post.taken) == (verdict is Verdict.DELIVERED)


def test_a_server_without_tls_gets_no_mail(
    office: Office, post: Post, tmp_path: Path
) -> None:
    host = start(office, tmp_path, security="starttls")
    outcome = host.send(finished("a@x.org"))
    assert outcome.verdict is Verdict.BLOCK
    assert "STARTTLS" in outcome.message
    assert not post.taken


async def test_it_keeps_every_rule(office: Office, post: Post) -> None:
    settings = {"sender": SENDER, "host": "127.0.0.1", "port": office.port}
    # Its service is none that the check has in store.
    assert await untried("mail", settings) == SERVICE | {"once", "new-events"}
    assert post.taken

"""The page says how the host is, whose trouble it is, and what to do."""

import re
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from tests.browser import samples
from tests.pages import ROOT

from hydra_notify import page
from hydra_notify.config import STATUSES
from hydra_notify.metrics import LedgerState, PluginState, Role
from hydra_notify.page import plots, static, wording
from hydra_notify.page.text import spans
from hydra_notify.status import BuildStory, Health, HostStatus, Link, Trend

FILES = ROOT / "host" / "hydra_notify" / "page"


def whole(
    status: HostStatus, *, can_act: bool = False, may_sign_in: bool = False
) -> str:
    return page.whole(status, can_act=can_act, may_sign_in=may_sign_in).decode()


def test_every_state_has_a_word_and_a_tone() -> None:
    plugin = samples.plugin("chat")
    said = [
        *(wording.HEALTH[each] for each in Health),
        *(wording.LINK[each] for each in Link),
        *(wording.LEDGER[each] for each in LedgerState),
        *(wording.ROLE[each] for each in Role),
        *(
            wording.plugin_said(msgspec.structs.replace(plugin, state=each))
            for each in PluginState
        ),
    ]
    assert all(each.word for each in said)
    assert {each.tone for each in said} == {"ok", "warn", "bad", "busy", "idle"}


def test_a_paused_plugin_and_one_that_holds_are_not_ready() -> None:
    plugin = samples.plugin("chat")
    paused = msgspec.structs.replace(plugin, paused=True)
    holding = msgspec.structs.replace(plugin, held_until=samples.NOW + 9)
    words = [wording.plugin_said(each).word for each in (plugin, paused, holding)]
    assert words == ["Ready", "Paused", "Holding"]


def test_builds_end_in_the_words_of_the_configuration() -> None:
    names = [
        name.replace("_", " ") for name in sorted(STATUSES, key=STATUSES.__getitem__)
    ]
    assert list(wording.BUILD_STATUSES) == names
    assert wording.outcome(finished=True, status=99).word == "status 99"
    assert wording.outcome(finished=False, status=None).word == "not finished"


def test_who_may_not_act_has_no_buttons() -> None:
    for make in samples.HOSTS.values():
        assert 'class="action"' not in whole(make())
    assert 'class="action"' in whole(samples.healthy(), can_act=True)


@pytest.mark.parametrize(
    ("can_act", "may_sign_in", "words"),
    [
        (False, False, "http.token is not configured"),
        (False, True, "Sign in</summary>"),
        (True, True, "hydra-notify 0.1.0 on ci-1.example.org."),
    ],
)
def test_it_says_how_one_may_act(can_act: bool, may_sign_in: bool, words: str) -> None:
    shown = whole(samples.healthy(), can_act=can_act, may_sign_in=may_sign_in)
    assert words in shown


def test_only_who_has_signed_in_can_sign_out() -> None:
    """Over the host's own socket everybody may act, and a program has its token."""
    assert "Sign out" not in whole(samples.healthy(), can_act=True, may_sign_in=True)
    shown = page.whole(
        samples.healthy(), can_act=True, may_sign_in=True, signed_in=True
    ).decode()
    assert "Sign out" in shown
    assert "Read only" not in shown


def test_who_signs_in_comes_back_to_where_they_were() -> None:
    status = samples.healthy()
    may = {"can_act": False, "may_sign_in": True}
    for shown, here in (
        (page.whole(status, **may), "/"),
        (page.plugin(status, "chat", **may), "/plugins/chat"),
        (page.build(status, 7, None, **may), "/builds/7"),
    ):
        assert f'name="next" value="{here}"' in shown.decode()


def test_a_refusal_says_why_and_asks_for_the_token_where_that_helps() -> None:
    assert 'name="token"' in page.refused(401, "sign in").decode()
    shown = page.refused(421, "put the name into http.hosts").decode()
    assert "<h1>Misdirected Request</h1>" in shown
    assert "Put the name into http.hosts." in shown
    assert 'name="token"' not in shown


def test_commands_in_a_fix_stand_out() -> None:
    assert spans("run `a b`, then `c`") == [
        (False, "run "),
        (True, "a b"),
        (False, ", then "),
        (True, "c"),
    ]
    assert spans("one ` alone") == [(False, "one ` alone")]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("healthy", "Nothing was given up."),
        ("healthy", "Nothing waits for another attempt."),
        ("empty", "None is configured"),
        ("empty", "Nothing has been delivered since the start"),
        ("empty", "not looked at yet"),
        ("standby", "the active host runs them"),
        ("starting", "as soon as Hydra's database has been found"),
        ("polling", "LISTEN does not work"),
        ("database-gone", "No connection"),
        ("stopping", "Active, stopping"),
    ],
)
def test_where_there_is_nothing_it_says_why(name: str, words: str) -> None:
    text = " ".join(whole(samples.HOSTS[name]()).replace("&#39;", "'").split())
    assert words in text


def test_a_problem_names_whose_it_is_and_its_fix() -> None:
    status = samples.flapping()
    shown = whole(status).replace("&#39;", "'")
    for problem in status.problems:
        for code, part in spans(problem.fix):
            assert (f"<code>{part}</code>" if code else part) in shown
        assert f"docs/alerts/{problem.name}.md" in shown
        assert (ROOT / "docs" / "alerts" / f"{problem.name}.md").exists()
        assert f"/plugins/{problem.plugin}" in shown


@pytest.mark.parametrize(
    ("story", "words"),
    [
        (None, "Nobody can say now"),
        ({"known": False, "events": []}, "has no such build"),
        ({"known": None}, "could not be asked"),
        ({"events": []}, "The host remembers nothing of it."),
        ({}, "Delivered to chat, mail; owed to forge; given up for irc."),
    ],
)
def test_a_build_has_its_whole_story(
    story: dict[str, object] | None, words: str
) -> None:
    told: BuildStory | None = None
    if story is not None:
        told = msgspec.structs.replace(samples.story(), **story)
    shown = page.build(
        samples.healthy(), 88_123, told, can_act=False, may_sign_in=False
    ).decode()
    assert words in shown.replace("&#39;", "'")


def test_a_plot_says_in_words_what_it_shows() -> None:
    plot = plots.plot(Trend(10.0, [0.0, 4.0, 2.0]), "events")
    assert plot.words == "events: 2 a second now, at most 4 a second in the last 30 s"
    x = [f"{120 - 120 / 59 * back:.1f}" for back in (2, 1, 0)]
    assert plot.line == f"{x[0]},26.0 {x[1]},2.0 {x[2]},14.0"


@pytest.mark.parametrize("values", [[], [0.0], [3.0], [0.0, 0.0]])
def test_a_plot_of_little_is_a_line(values: list[float]) -> None:
    assert len(plots.plot(Trend(10.0, values), "events").line.split(" ")) == 2


def test_every_file_that_a_page_names_can_be_had() -> None:
    named = re.findall(r'"/static/([0-9a-f]+)/([^"]+)"', whole(samples.healthy()))
    assert {name for _, name in named} >= {"page.css", "live.js", "htmx.min.js"}
    for mark, name in named:
        file = page.static_file(mark, name)
        assert file is not None
        assert file.content == (FILES / "static" / name).read_bytes()
        assert page.static_file("0" * len(mark), name) is None
    assert page.static_file(named[0][0], "NOTICE") is None
    assert page.static_file(named[0][0], "../whole.py") is None


def test_what_others_wrote_is_as_they_published_it() -> None:
    notice = (FILES / "static" / "NOTICE").read_text()
    digest = sha256((FILES / "static" / "htmx.min.js").read_bytes()).hexdigest()
    assert f"sha256 {digest}" in notice


def test_nothing_stands_in_a_page_that_the_policy_forbids() -> None:
    for make in samples.HOSTS.values():
        shown = whole(make(), can_act=True, may_sign_in=True)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"|hx-on|javascript:", shown)
        assert re.findall(r"<script(?! src=\"/static/)", shown) == []


def test_the_room_costs_the_start_no_templates() -> None:
    code = "import hydra_notify.page, sys; sys.exit('jinja2' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


def test_a_wheel_brings_templates_and_files(tmp_path: Path) -> None:
    code = f"from hatchling.build import build_wheel as b; b({str(tmp_path)!r})"
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=60,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    files = [
        path.relative_to(FILES.parent.parent).as_posix()
        for folder in ("static", "templates")
        for path in (FILES / folder).rglob("*")
        if path.is_file()
    ]
    assert len(files) > 20
    assert [name for name in files if name not in names] == []


def test_what_is_kept_for_ever_has_a_hash_that_its_content_gives() -> None:
    content = (FILES / "static" / "page.css").read_bytes()
    assert static.address("page.css").split("/")[2] == sha256(content).hexdigest()[:16]

"""A plugin that says its secrets wherever a plugin can say anything.

Its first event ends in a dead letter, its second in a crash; when that comes again it
fails. All secrets are said each time, one by one.
"""

import json
import sys

MOST_BROKEN = 2
"""Of frames without any sense; with more of them the host ends the plugin."""


def main() -> None:
    frame = json.loads(sys.stdin.readline())
    secrets = list(frame["params"]["secrets"].values())
    try:
        # Python's words of an error have it as a literal.
        dict[str, str]()["".join(secrets)]
    except KeyError as missing:
        complain(f"KeyError: {missing}")
    for secret in secrets:
        complain(f"<3>log in with {secret}")
        complain(json.dumps({"level": "warning", "msg": f"with {secret}", "x": secret}))
        complain(json.dumps({"quoted": json.dumps(secret, ensure_ascii=False)}))
        show(f"stray {secret}")
    for secret in secrets[:MOST_BROKEN]:
        show('{"broken": ' + json.dumps(secret))
    known = {"protocol_version": 1, "events": ["build_finished"]}
    name = {"name": f"leaky {secrets[0]}", "version": secrets[1]}
    answer(frame, result={**known, **name})
    for number, line in enumerate(sys.stdin):
        frame = json.loads(line)
        if frame["method"] != "event":
            answer(frame, result={})
            continue
        for secret in secrets:
            fields = {secret: 1, "deep": [{"token": secret}], "quoted": repr(secret)}
            words = {"id": frame["id"], "level": "warning", "message": f"m {secret}"}
            tell("log", **words, fields=fields)
            tell("progress", id=frame["id"], message=f"at it with {secret}")
            tell(f"unknown {secret}", key=secret)
        answer({"id": secrets[-1]}, result={})
        if frame["params"]["delivery"]["redelivered"]:
            answer(frame, error=error(500, secrets, retry_after_ms=3_600_000))
        elif number == 0:
            answer(frame, error=error(404, secrets))
        else:
            complain("last words: " + " ".join(secrets))
            sys.exit(3)


def show(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    sys.stderr.write(text + "\n")


def error(code: int, secrets: list[str], **data: object) -> dict[str, object]:
    words = " and ".join(secrets)
    return {
        "code": code,
        "message": f"no with {words}",
        "data": {"help": words, **data},
    }


def tell(method: str, **params: object) -> None:
    show(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}))


def answer(frame: dict[str, object], **members: object) -> None:
    show(json.dumps({"jsonrpc": "2.0", "id": frame["id"], **members}))


main()

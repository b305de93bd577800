#!/usr/bin/env bash
# Speaks with the plugin as the host does, and looks at what it has done.
set -euo pipefail
plugin=$(cd "$(dirname "$0")" && pwd)/note_builds.sh
state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
cd "$state"

hello() { # SETTINGS
  local versions='"protocol_versions":[1]'
  echo "{\"id\":\"i\",\"method\":\"initialize\",\"params\":{$versions,\"config\":$1}}"
}
event() { # BUILD STATUS
  local data="{\"build\":$1,\"buildStatus\":$2,\"url\":\"https://hydra.test/build/$1\"}"
  local params="{\"delivery\":{\"redelivered\":false},\"event\":{\"id\":\"e:$1\",\"data\":$data}}"
  echo "{\"id\":\"e\",\"method\":\"event\",\"params\":$params}"
}
expect() { # WHAT, a condition for jq about the list of all answers
  "$plugin" 2>>log | jq -se "$2" >/dev/null || { echo "not ok: $1" && cat log && exit 1; }
  echo "ok: $1"
}

{ hello '{}' && event 7 1; } | expect 'a build is noted' '.[1].result == {}'
[ "$(cat received.log)" = "e:7"$'\t'"7" ]
{ hello '{"failures_only":true}' && event 8 0; } |
  expect 'a success may be skipped' '.[1].result.status == "skipped"'
hello '{"failures_only":"yes"}' | expect 'a wrong setting is named' \
  '.[0].error | .code == 422 and .data.errors[0].path == "settings.failures_only"'

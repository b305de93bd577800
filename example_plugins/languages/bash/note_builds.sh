#!/usr/bin/env bash
# A plugin in bash and jq: logs each finished build, and keeps a list of what it handled.
# One jq reads all frames; one for each of them would cost a hundred times as much.
exec 3>&1 1>&2 # From here on the wire is descriptor 3, and what is printed is log.
command -v jq >/dev/null || { echo 'ERROR: jq is not installed' && exit 127; }

# Your code goes here: the answer is $result, or $problem where it fails. The secret
# $token is what a real plugin signs in with; never print it.
handle() {
  local line="$event"$'\t'"$builds"
  result='{}' problem='received.log cannot be written'
  if [ "$failures_only" = true ] && [ "$status" = 0 ]; then
    result='{"status":"skipped","note":"it succeeded"}'
  elif [ "$redelivered" = false ] || ! grep -qsxF -e "$line" received.log; then
    printf '%s\n' "$line" >>received.log || return
    echo "build ended with status $status: $url"
  fi
}

reply() { printf '{"jsonrpc":"2.0","id":%s,%s}\n' "$id" "$1" >&3; }
fail() { reply "\"error\":{\"code\":$1,\"message\":\"$2\",\"data\":{$3}}"; }
manifest='{"protocol_version":1,"name":"note_builds","version":"1.0","events":["build_finished"]}'
setting='"path":"settings.failures_only","message":"is not true or false"'

# One line for each frame: id (in JSON; empty: a notification), what to do, and the rest.
frames='def object: objects // {};
  def fields: (.params | object) as $params | ($params.event | object) as $event |
    ($event.data | object) as $data | ($params.config | object | .failures_only) as $only |
    [ (.id // empty | tojson) // "",
      if .method != "initialize" then .method
      elif ($params.protocol_versions | index(1)) == null then 426
      elif [true, false, null] | index([$only]) == null then 422 else .method end,
      $only, ($params.secrets | object | .token), $event.id,
      ($params.delivery | object | .redelivered == true), $data.buildStatus, $data.url,
      ([$data.build // empty, $data.dependentIds[]?] | join(" ")) ];
  select(test("\\S")) | (try fromjson catch "") as $frame |
  ($frame | try (objects // error("none") | fields)
    catch ["null", if $frame == "" then -32700 else -32600 end]) |
  map(if . == null then "" else tostring | gsub("[\\x00-\\x1f]"; " ") end) | join("\u001f")'

exec 4< <(exec jq -Rr --unbuffered "$frames")
trap "kill $!; exit 143" TERM
while IFS=$'\x1f' read -r id do only secret event redelivered status url builds; do
  [ -n "$id" ] || continue
  case $do in
    initialize)
      failures_only=$only token=$secret given=${token:+given}
      echo "ready; token: ${given:-none}"
      reply "\"result\":$manifest" ;;
    event) if handle; then reply "\"result\":$result"; else fail 500 "$problem"; fi ;;
    shutdown) reply '"result":{}' ;;
    422) fail 422 'settings.failures_only: is not true or false' "\"errors\":[{$setting}]" ;;
    426) fail 426 'this plugin speaks version 1' '"supported":[1]' ;;
    -32700 | -32600) fail "$do" 'this is no frame' ;;
    *) fail -32601 'no such method' ;;
  esac
done <&4

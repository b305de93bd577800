#!/usr/bin/env bash
# A plugin in bash and jq: logs each finished build, and keeps a list of what it handled.
# One jq reads all frames; one for each of them would cost a hundred times as much.
exec 3>&1 1>&2 # From here on the wire is descriptor 3, and what is printed is log.
reply() { printf '{"jsonrpc":"2.0","id":"%s",%s}\n' "$1" "$2" >&3; }
manifest='{"protocol_version":1,"name":"no-sdk-sh","version":"1.0","events":["build_finished"]}'
fields='.params.event as {id: $event, $data} | [.id // "-", .method, $event // "-",
  $data.buildStatus // "-", $data.url // "-",
  ([$data.build // empty, $data.dependentIds[]?] | join(" "))] | @tsv'

jq --unbuffered -r "$fields" | while IFS=$'\t' read -r id method event status url builds; do
  case $method in
    initialize) reply "$id" "\"result\":$manifest" ;;
    event)
      if printf '%s\t%s\n' "$event" "$builds" >>received.log; then
        echo "build ended with status $status: $url"
        reply "$id" '"result":{}'
      else
        reply "$id" '"error":{"code":500,"message":"received.log cannot be written"}'
      fi ;;
    shutdown) reply "$id" '"result":{}' ;;
    *) [ "$id" = - ] || reply "$id" '"error":{"code":-32601,"message":"no such method"}' ;;
  esac
done

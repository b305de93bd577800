#!/usr/bin/env lua5.4
-- A plugin in Lua with nothing but Lua: logs each finished build, and keeps a list of
-- what it handled.
package.path = (arg[0]:match("^.*/") or "./") .. "?.lua"
local json = require("json")

-- What is printed is log; the wire is io.stdout.
function print(...) io.stderr:write(table.concat({ ... }, "\t"), "\n") end

local manifest =
  '{"protocol_version":1,"name":"note_builds","version":"1.0","events":["build_finished"]}'
local failures_only, token -- A setting, and a secret: never print that.

-- Your code goes here. It returns the result in JSON; an error is an error.
local function handle(event, redelivered)
  local data, skipped = event.data, '{"status":"skipped","note":"it succeeded"}'
  if failures_only and data.buildStatus == 0 then return skipped end
  local builds = { data.build, table.unpack(data.dependentIds or {}) }
  local line = event.id .. "\t" .. table.concat(builds, " ") .. "\n"
  local received <close> = assert(io.open("received.log", "a+"))
  local known = redelivered and received:read("a") or ""
  if known:find(line, 1, true) then return "{}" end
  received:write(line)
  assert(received:close())
  print("build ended with status " .. data.buildStatus .. ": " .. data.url)
  return "{}"
end

local function fail(code, message, data)
  error({ code = code, message = message, data = data or "{}" })
end

local methods = { shutdown = function() return "{}" end }
function methods.event(params) return handle(params.event, params.delivery.redelivered) end

function methods.initialize(params)
  local versions = " " .. table.concat(params.protocol_versions, " ") .. " "
  if not versions:find(" 1 ") then fail(426, "this speaks version 1", '{"supported":[1]}') end
  local only = (params.config or {}).failures_only
  if only ~= nil and type(only) ~= "boolean" then
    fail(422, "settings.failures_only: is not true or false",
      '{"errors":[{"path":"settings.failures_only","message":"is not true or false"}]}')
  end
  failures_only, token = only, (params.secrets or {}).token
  print("ready; token: " .. (token and "given" or "none"))
  return manifest
end

-- What to answer to a line: a result in JSON, or an error; nothing to a notification.
local function answer(line, request)
  local good, frame = pcall(json.read, line)
  if not good then fail(-32700, "this is no JSON") end
  if type(frame) ~= "table" or not frame.method then fail(-32600, "this is no frame") end
  if not frame.id then return nil end
  request.id = json.quote(frame.id)
  local method = methods[frame.method] or fail(-32601, "no such method")
  return '"result":' .. method(frame.params)
end

for line in io.lines() do
  local request, done, rest = { id = "null" }, true, nil
  if line:find("%S") then done, rest = pcall(answer, line, request) end
  if not done then
    local error = type(rest) == "table" and rest or { code = 500, message = rest, data = "{}" }
    rest = '"error":{"code":' .. error.code .. ',"message":' .. json.quote(error.message)
      .. ',"data":' .. error.data .. "}"
  end
  if rest then
    io.stdout:write('{"jsonrpc":"2.0","id":' .. request.id .. "," .. rest .. "}\n"):flush()
  end
end

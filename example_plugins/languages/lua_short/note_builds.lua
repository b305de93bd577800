#!/usr/bin/env lua5.4
-- The plugin of ../lua in one short file: logs each finished build, and keeps a list of
-- what it handled. It has no settings, and lets Lua itself read JSON. That takes a little
-- more than JSON: a comma too many, as in [1,], a list with names, numbers such as 01.

-- Of a line of JSON, the value: the line is made into Lua, and may hold values only.
local function read(line)
  local function code(sign) return ("\\%03d"):format(sign:byte()) end
  local function pair(high, low)
    return ("\\u{%X}"):format(("0x" .. high) * 0x400 + ("0x" .. low) - 0x35FDC00)
  end
  -- From here on a backslash is an escape, and a quote begins or ends a text.
  local lua = line:gsub("\\\\", "\1"):gsub('\\"', "\2"):gsub("\\/", "/")
  local bare = lua:gsub('"[^"]*"', ' "" ')
  assert(not (line:find("[\0-\8\10-\31]") or lua:find("\\[^bfnrtu]") or lua:find("\\u%X")))
  assert(not bare:gsub('""', ""):find("[^][{}:,%w+. \t-]"), "no JSON")
  for word in bare:gmatch("[%w+.-]+") do
    local number = word:find("^-?%d[%d.eE+-]*$") and tonumber(word)
    assert(number or word == "true" or word == "false" or word == "null", "no JSON")
  end
  -- Two halves of UTF-16 are one character, and one is none.
  lua = lua:gsub("\\u([dD][89abAB]%x%x)\\u([dD][c-fC-F]%x%x)", pair)
  lua = lua:gsub("\\u[dD][89a-fA-F]%x%x", "\\u{FFFD}"):gsub("\\u(%x%x%x%x)", "\\u{%1}")
  lua = lua:gsub('"[^"]*"', function(text) return (text:gsub("[][:]", code)) end)
  lua = lua:gsub("%[", "{"):gsub("]", "}"):gsub('("[^"]*")%s*:', "[%1]=")
  lua = lua:gsub("\1", "\\\\"):gsub("\2", '\\"')
  return assert(load("return " .. lua, "=line", "t", {}))()
end

-- Your code goes here; an error is an error. What is printed has to go to io.stderr, which
-- is the log: io.stdout is the wire.
local function handle(event, delivery)
  local builds = { event.data.build, table.unpack(event.data.dependentIds or {}) }
  local line = event.id .. "\t" .. table.concat(builds, " ") .. "\n"
  local received <close> = assert(io.open("received.log", "a+"))
  if delivery.redelivered and received:read("a"):find(line, 1, true) then return end
  received:write(line)
  assert(received:close())
  io.stderr:write("status ", event.data.buildStatus, " of build ", event.data.url, "\n")
end

local function fail(code, message, data)
  return ('"error":{"code":%d,"message":"%s","data":{%s}}'):format(code, message, data or "")
end

local function answer(method, params)
  if method == "initialize" then
    local versions = " " .. table.concat(params.protocol_versions or {}, " ") .. " "
    if not versions:find(" 1 ") then return fail(426, "it speaks 1", '"supported":[1]') end
    return '"result":{"protocol_version":1,"name":"note_builds","version":"1.0",'
      .. '"events":["build_finished"]}'
  elseif method == "event" then
    local done, problem = pcall(handle, params.event, params.delivery)
    if not done then return fail(500, (problem:gsub('[\\"%c]', " "))) end
  elseif method ~= "shutdown" then
    return fail(-32601, "no such method")
  end
  return '"result":{}'
end

for line in io.lines() do
  local good, frame = pcall(read, line:gsub("\r$", ""))
  local object, rest = type(frame) == "table" and line:find("^%s*{"), nil
  if not line:find("%S") then rest = nil
  elseif not good then rest = fail(-32700, "this is no JSON")
  elseif not object then rest = fail(-32600, "this is no frame")
  elseif frame.id then rest = answer(frame.method, frame.params or {}) end
  local id = good and object and '"' .. tostring(frame.id) .. '"' or "null"
  if rest then io.stdout:write('{"jsonrpc":"2.0","id":', id, ",", rest, "}\n"):flush() end
end

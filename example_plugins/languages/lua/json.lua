-- JSON, of which Lua brings nothing along. Objects and lists become tables, null becomes
-- nil; a list leaves it out.
local json = {}
local escapes = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
local words = { ["true"] = true, ["false"] = false, null = nil }
local max_depth = 128 -- levels; more of them could exhaust the stack

-- The text whose first quote is before `at`, and where it ends.
local function text(line, at)
  local parts = {}
  while true do
    local stop = line:find('["\\\0-\31]', at) or error("a text without end")
    local sign, escape = line:sub(stop, stop), line:sub(stop + 1, stop + 1)
    parts[#parts + 1] = line:sub(at, stop - 1)
    at = stop + 2
    if sign == '"' then
      return table.concat(parts), stop + 1
    elseif sign == "\\" and escape == "u" then
      local unit = tonumber(line:match("^%x%x%x%x", at) or error("no unit"), 16)
      local low = line:match("^\\u([dD][c-fC-F]%x%x)", at + 4)
      at = at + 4
      if unit >= 0xD800 and unit < 0xDC00 and low then -- two units of UTF-16 for one
        unit, at = 0x10000 + (unit - 0xD800) * 0x400 + tonumber(low, 16) - 0xDC00, at + 6
      elseif unit >= 0xD800 and unit < 0xE000 then -- half of such a pair
        unit = 0xFFFD
      end
      parts[#parts + 1] = utf8.char(unit)
    elseif sign == "\\" and escape:find('["\\/bfnrt]') then
      parts[#parts + 1] = escapes[escape] or escape
    else
      error("a control character, or an unknown escape")
    end
  end
end

local function value(line, at, depth)
  local function take(sign)
    at = line:find("[^ \t\r\n]", at) or #line + 1
    local there = line:sub(at, at) == sign
    if there then at = at + 1 end
    return there
  end
  local function must(sign) return take(sign) or error("no " .. sign) end
  local function inner()
    local item
    item, at = value(line, at, depth + 1)
    return item
  end
  local function fill(close, read)
    local result, open = {}, not take(close)
    while open do
      read(result)
      open = take(",") or not must(close)
    end
    return result, at
  end
  assert(depth <= max_depth, "too deep")
  if take('"') then return text(line, at) end
  if take("[") then
    return fill("]", function(list) list[#list + 1] = inner() end)
  elseif take("{") then
    return fill("}", function(object)
      local name
      name, at = text(line, must('"') and at)
      object[name] = must(":") and inner()
    end)
  end
  local word = line:match("^[%w+.-]+", at) or error("no value")
  at = at + #word
  if words[word] ~= nil or word == "null" then return words[word], at end
  -- Lua reads more numbers than JSON has: "0x1", "01", "1.".
  local good = word:find("^-?%d[%d.eE+-]*$") and not word:find("^-?0%d")
  assert(good and not (word .. " "):find("%.%D"), "no number")
  return tonumber(word) or error("no number"), at
end

-- The value that a line holds, and nothing but it; or an error.
function json.read(line)
  local result, at = value(line, 1, 0)
  assert(not line:find("[^ \t\r\n]", at), "more than one value")
  return result
end

-- A text as JSON.
function json.quote(string)
  local function escape(sign) return ("\\u%04x"):format(sign:byte()) end
  return '"' .. string:gsub('["\\\0-\31]', escape) .. '"'
end

return json

-- SPDX-License-Identifier: MIT
-- What every goroutine of lua.cpp runs, in a lua_State of its own. It is given id; nap, elsewhere, receive, send and fail
-- are C++: the goroutine waits in them, and its thread does something else meanwhile.

local function fib(n)
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end

local sum = 0
for _ = 1, 3 do
  sum = sum + fib(8 + id % 5)
  nap(id % 4)
end

-- An error jumps (longjmp) within this goroutine's stack, whichever thread that is on by now.
local ok, text = pcall(function()
  if id % 100 == 1 then elsewhere() else nap(1) end
  error("mistake " .. id, 0)
end)
assert(not ok and text == "mistake " .. id, text)

-- A C++ exception is an error of the script's by the time it gets here.
ok, text = pcall(fail, id)
assert(not ok and text == "exception " .. id, text)

-- Lua's own coroutines, which live in Lua's memory, may wait in weft, too.
local squares = coroutine.wrap(function()
  for i = 1, 3 do
    nap(1)
    coroutine.yield(i * i)
  end
end)
sum = sum + squares() + squares() + squares()

-- Lua's limit for nested C calls comes before the end of the goroutine's stack.
local function nested(s) return (s:gsub(".", nested)) end
ok, text = pcall(nested, "x")
assert(not ok and text:find("stack overflow"), text)

-- The token goes from one goroutine to the next.
send(receive() + id)

if id % 50 == 0 then error("script " .. id .. " fails", 0) end
return sum

-- The limiter of several nodes (src/usage/limiter.ts says what it keeps to; localLimiter.ts is the same in
-- one process). One account at a time, with the key that asks where that has limits of its own, all or nothing;
-- all keys lie in one hash slot.
--
-- This server's clock may be set, and there is no other. So what slides goes by a time that never goes back:
-- the clock and the account's `skew`, which grows by as much as the clock was set back. A clock that is set
-- forward lets windows pass, so that at most one window's amount is taken too much; one that is set back
-- afterwards freezes nothing. Periods and the time of a take are the clock's own.
--
-- KEYS  three for each part, the account and then the key:
--       1 the counters, a hash: `at` newest time seen, `load` names the load that they come from;
--         in `requests|<period>` and `cost|<period>` what is spent in a period, in `day`, `month` the period
--         that was loaded last and in `before:day`, `before:month` the one before; what is older goes;
--         of each window of requests `count:<window>`, the length of its list;
--         of each bucket of cost points `owed:<window>` in points times milliseconds, as of `since:<window>`,
--         refilled with `rate:<window>` points for each window; of the account `skew`
--       2 the times of the calls in the window of a minute, oldest first; 3 of an hour
--       For `began` there is but one, which says since when this server has lost nothing.
-- ARGV  1 what to do: take, look, load, back, forget or began
--       2 the clock in milliseconds, or '' for this server's
--       3 how long the keys are kept, in milliseconds
--       4 the number of limits, then part, meter, window and amount of each; then what the operation needs
local LENGTH = { minute = 60000, hour = 3600000 }

if ARGV[1] == 'forget' then
  redis.call('DEL', unpack(KEYS))
  return { 'ok' }
end

local function clock()
  local given = tonumber(ARGV[2])
  if given then return given end
  local server = redis.call('TIME')
  return server[1] * 1000 + math.floor(server[2] / 1000)
end

if ARGV[1] == 'began' then
  local now = clock()
  -- A clock that was set forward has ended counters before their time.
  if ARGV[5] == 'anew' then redis.call('DEL', KEYS[1]) end
  redis.call('SET', KEYS[1], string.format('%.0f', now), 'NX')
  return { 'ok', now - tonumber(redis.call('GET', KEYS[1])) }
end

local parts = {}
for i = 1, #KEYS, 3 do
  parts[#parts + 1] = { hash = KEYS[i], times = { minute = KEYS[i + 1], hour = KEYS[i + 2] } }
end

local limits = {}
local argument = 5
for i = 1, tonumber(ARGV[4]) do
  limits[i] = {
    part = parts[tonumber(ARGV[argument])],
    meter = ARGV[argument + 1],
    window = ARGV[argument + 2],
    amount = tonumber(ARGV[argument + 3]),
  }
  argument = argument + 4
end

--- The next argument.
local function next_text()
  argument = argument + 1
  return ARGV[argument - 1]
end
local function next_number() return tonumber(next_text()) end

local function get(part, field) return redis.call('HGET', part.hash, field) end
local function number(part, field) return tonumber(get(part, field) or '0') end
-- Whole numbers, all digits: Lua would write large ones with an exponent.
local function set(part, field, value) redis.call('HSET', part.hash, field, string.format('%.0f', value)) end

local function keep()
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[3]) end
end

--- One time for all parts, that never goes back, and the clock's.
local function time()
  local wall = clock()
  local account = parts[1]
  local now, latest = wall + number(account, 'skew'), number(account, 'at')
  if now < latest then
    now = latest
    set(account, 'skew', now - wall)
  end
  return now, wall
end

local function slides(limit) return LENGTH[limit.window] ~= nil end

--- Whether the counter of a limit is there, whole.
local function is_loaded(limit)
  if not slides(limit) then return true end
  if limit.meter == 'cost' then return get(limit.part, 'owed:' .. limit.window) ~= false end
  local length = redis.call('LLEN', limit.part.times[limit.window])
  return get(limit.part, 'count:' .. limit.window) == tostring(length)
end

--- How many calls the window that ends now holds.
local function calls(limit, now)
  local list = limit.part.times[limit.window]
  local oldest = redis.call('LINDEX', list, 0)
  while oldest and tonumber(oldest) <= now - LENGTH[limit.window] do
    redis.call('LPOP', list)
    oldest = redis.call('LINDEX', list, 0)
  end
  local count = redis.call('LLEN', list)
  set(limit.part, 'count:' .. limit.window, count)
  return count
end

--- When one more call fits.
local function room_at(limit, amount, now)
  local count = calls(limit, now)
  if count < amount then return now end
  local list = limit.part.times[limit.window]
  return tonumber(redis.call('LINDEX', list, count - amount)) + LENGTH[limit.window]
end

local function owed(limit, now)
  local part, window = limit.part, limit.window
  local refilled = (now - number(part, 'since:' .. window)) * number(part, 'rate:' .. window)
  return math.max(0, number(part, 'owed:' .. window) - refilled)
end

local function set_owed(limit, value, now)
  set(limit.part, 'owed:' .. limit.window, value)
  set(limit.part, 'since:' .. limit.window, now)
  set(limit.part, 'rate:' .. limit.window, limit.amount)
end

--- When so many points fit a bucket.
local function points_at(limit, points, now)
  local length = LENGTH[limit.window]
  local missing = owed(limit, now) - (limit.amount - points) * length
  return now + math.max(0, math.ceil(missing / limit.amount))
end

local function needs(limit, cost)
  if limit.meter == 'requests' then return 1 end
  return cost
end

local function spent(part, meter, period) return number(part, meter .. '|' .. period) end

--- What is used of a limit, and in how many milliseconds it is reset.
local function standing(limit, now, periods, ends_in)
  if not slides(limit) then
    return spent(limit.part, limit.meter, periods[limit.window]), ends_in[limit.window]
  end
  if limit.meter == 'cost' then
    return math.ceil(owed(limit, now) / LENGTH[limit.window]), points_at(limit, limit.amount, now) - now
  end
  local used = calls(limit, now)
  return used, room_at(limit, math.max(1, math.min(used, limit.amount)), now) - now
end

if ARGV[1] == 'load' then
  -- Only what is missing: another node may have been faster, and has counted since.
  local part = parts[next_number()]
  local id = next_text()
  local now = time()
  local fresh = get(part, 'at') == false
  if fresh then
    redis.call('DEL', part.times.minute, part.times.hour)
    redis.call('HSET', part.hash, 'load', id)
  end
  set(part, 'at', now)
  for _, window in ipairs({ 'day', 'month' }) do
    local period, requests, cost = next_text(), next_number(), next_number()
    if get(part, 'requests|' .. period) == false then
      set(part, 'requests|' .. period, requests)
      set(part, 'cost|' .. period, cost)
      local newest, before = get(part, window), get(part, 'before:' .. window)
      if before then redis.call('HDEL', part.hash, 'requests|' .. before, 'cost|' .. before) end
      if newest then redis.call('HSET', part.hash, 'before:' .. window, newest) end
      redis.call('HSET', part.hash, window, period)
    end
  end
  for _, limit in ipairs(limits) do
    local count = next_number()
    local missing = not is_loaded(limit)
    if missing and limit.meter == 'requests' then redis.call('DEL', part.times[limit.window]) end
    for _ = 1, count do
      local value = next_number()
      if missing and limit.meter == 'cost' then
        set_owed(limit, value, now)
      elseif missing then
        -- Ages, the greatest first.
        redis.call('RPUSH', part.times[limit.window], string.format('%.0f', now - value))
      end
    end
    if missing and limit.meter == 'requests' then set(part, 'count:' .. limit.window, count) end
  end
  keep()
  return { 'ok' }
end

if ARGV[1] == 'back' then
  -- A take that a part's counters know nothing of has nothing to give back to them.
  for _, part in ipairs(parts) do part.knows = get(part, 'load') == next_text() end
  local taken_at, taken, points = next_number(), next_number(), next_number()
  local periods = { day = next_text(), month = next_text() }
  local undo = next_text() == 'undo'
  for _, limit in ipairs(limits) do
    local part = limit.part
    if part.knows and slides(limit) and limit.meter == 'cost' and is_loaded(limit) then
      local now = number(part, 'at')
      local length = LENGTH[limit.window]
      local owing = owed(limit, now)
      -- What has been refilled since the take is not owed any more; it goes on at the rate of the plan that
      -- was asked for last, which may be another than that of the take (src/usage/bucket.ts).
      local rate = number(part, 'rate:' .. limit.window)
      local open = taken * length - (now - taken_at) * math.max(rate, limit.amount)
      set_owed(limit, owing - math.max(0, math.min(points * length, open, owing)), now)
      set(part, 'rate:' .. limit.window, rate)
    elseif part.knows and slides(limit) and limit.meter == 'requests' and undo and is_loaded(limit) then
      redis.call('LREM', part.times[limit.window], -1, string.format('%.0f', taken_at))
      set(part, 'count:' .. limit.window, redis.call('LLEN', part.times[limit.window]))
    end
  end
  for _, part in ipairs(parts) do
    for _, period in pairs(periods) do
      if part.knows and get(part, 'cost|' .. period) then
        set(part, 'cost|' .. period, spent(part, 'cost', period) - points)
        if undo then set(part, 'requests|' .. period, spent(part, 'requests', period) - 1) end
      end
    end
  end
  return { 'ok' }
end

-- take, look
local cost = next_number()
-- The periods as the node has worked them out: name, begin and end of the day, and of the month.
local now, wall = time()
local periods, ends_in = {}, {}
for _, window in ipairs({ 'day', 'month' }) do
  local name, from, to = next_text(), next_number(), next_number()
  if wall < from or wall >= to then return { 'period', wall } end
  periods[window] = name
  ends_in[window] = to - wall
end
for i, part in ipairs(parts) do
  -- The key's times are the account's: where that has lost its skew, they mean nothing.
  if number(part, 'at') > now then redis.call('DEL', part.hash, part.times.minute, part.times.hour) end
  if get(part, 'at') == false then return { 'load', wall, 'all', i } end
  for _, period in pairs(periods) do
    if get(part, 'requests|' .. period) == false then return { 'load', wall, 'some', i } end
  end
  for _, limit in ipairs(limits) do
    if limit.part == part and not is_loaded(limit) then return { 'load', wall, 'some', i } end
  end
end

for _, part in ipairs(parts) do set(part, 'at', now) end

-- A plan that has changed refills at its own rate from now on.
for _, limit in ipairs(limits) do
  if slides(limit) and limit.meter == 'cost' and number(limit.part, 'rate:' .. limit.window) ~= limit.amount then
    set_owed(limit, owed(limit, now), now)
  end
end

local kind, refusing, wait = 'taken', 0, 0
if ARGV[1] == 'take' then
  for i, limit in ipairs(limits) do
    local points = needs(limit, cost)
    local ms = 0
    if points > limit.amount then
      kind, refusing = 'never', i
      break
    elseif points == 0 then
      ms = 0
    elseif not slides(limit) then
      local used = spent(limit.part, limit.meter, periods[limit.window])
      if used + points > limit.amount then ms = ends_in[limit.window] end
    elseif limit.meter == 'cost' then
      ms = points_at(limit, points, now) - now
    else
      ms = room_at(limit, limit.amount, now) - now
    end
    if ms > wait then kind, refusing, wait = 'refused', i, ms end
  end
end

if ARGV[1] == 'take' and kind == 'taken' then
  for _, limit in ipairs(limits) do
    if slides(limit) and limit.meter == 'cost' then
      set_owed(limit, owed(limit, now) + cost * LENGTH[limit.window], now)
    elseif slides(limit) then
      local list = limit.part.times[limit.window]
      redis.call('RPUSH', list, string.format('%.0f', now))
      set(limit.part, 'count:' .. limit.window, redis.call('LLEN', list))
    end
  end
  for _, part in ipairs(parts) do
    for _, period in pairs(periods) do
      set(part, 'requests|' .. period, spent(part, 'requests', period) + 1)
      set(part, 'cost|' .. period, spent(part, 'cost', period) + cost)
    end
  end
end
keep()

local reply = { kind, wall, refusing, wait, string.format('%.0f', now) }
for _, part in ipairs(parts) do reply[#reply + 1] = get(part, 'load') end
for _, limit in ipairs(limits) do
  local used, reset_in = standing(limit, now, periods, ends_in)
  reply[#reply + 1] = used
  reply[#reply + 1] = reset_in
end
return reply

-- The limiter of several nodes (src/usage/limits/limiter.ts says what it keeps to; localLimiter.ts is the same in
-- one process). One account at a time, with the key that asks where that has limits of its own, all or nothing;
-- all keys lie in one hash slot.
--
-- This server's clock may be set, and there is no other. So what slides goes by a time that never goes back:
-- the clock and the account's `skew`, which grows by as much as the clock was set back. A clock that is set
-- forward lets windows pass, so that at most one window's amount is taken too much; one that is set back
-- afterwards freezes nothing. Periods and the time of a take are the clock's own.
--
-- A counter is named `<meter>|<window>`, and stands in the hash of its part, which has
--   at                     newest time seen; of the account also `skew`
--   limits                 the limits that its counters are for: with others those that are gone are forgotten
--   forgotten              when its counters were dropped; it stands for calls that they did not know of. A load
--                          that was begun before has read the journal too early, and is refused
--   noted                  position of the newest record that was noted (see below); a load that has read less is
--                          refused
--   upto:<name>|<period>   the last event that the counter was loaded with; of what slides `upto:<name>`
--   sum:<name>|<period>    what is spent in a period; never reset. `newest:<name>` and `before:<name>` name the
--                          last two that were loaded, and what is older goes
--   count:<name>           of a window that slides, the length of the list of its times
--   owed:<name>            of a bucket, in amounts times milliseconds, as of `since:<name>`, refilled with
--                          `rate:<name>` for each window
-- Beside it lie the takes: a sorted set of members `<time>|<meter>=<amount>,…|<period>,…|<use id>`. Each is
-- *pending* until whoever made it says what became of it, its score PENDING and the time by which that has to
-- happen; owners that live renew it. One that is overdue has no owner any more, and only the journal tells
-- whether its use is stored: whoever looks next removes it and drops the counters of its part, which are then
-- loaded. If its owner comes back after all it finds it gone, and notes what it has stored. So every take is
-- counted, given back, or dropped with its counters; a process may end at any point.
-- A take whose use is stored is *kept* for a minute, its score the time at which it goes: a load that has read
-- the journal before its record adds it. Counters that are loaded have those takes added that are not in what is
-- loaded; so a take is given back to each part once, or not at all. One that is given back in part is kept as
-- what is left.
-- In the same set stand `note|<id>`, pending: uses that no take has let through are being stored, and are noted
-- then; and `noted|<record>`, the names of records that were noted.
--
-- KEYS  two for each part, the account and then the key: the hash and the open takes;
--       then the list of times of each limit that slides, oldest first.
--       For `began` there is but one, which says since when this server has lost nothing.
-- ARGV  1 what to do: take, look, load, back, keep, renew, announce, note, forget or began
--       2 the clock in milliseconds, or '' for this server's
--       3 how long the keys are kept, in milliseconds
--       4 the number of parts, 5 the number of limits
--       6 the part that is an end customer's, or 0, and 7 of how many of them an account keeps counters; then of each
--         limit
--         part, kind (period, window, bucket), name, amount, points, length or end, period or place of the list,
--         and `soft` where it refuses nothing
--       and then what the operation needs
local LAPSE_MS = 60000
-- What is pending has scores above all others: 2^50, far above any time, and exact with one added.
local PENDING = 1125899906842624
-- For how long a record that was noted is known.
local NOTED_MS = 600000
-- The largest number here that a whole number of 64 bits can be: 2^63 - 1024.
local MAX_SUM = 9223372036854774784

--- Drops the counters, of which calls may be as young as they like: who loads them has to read the tail.
local function forget(hash)
  -- This server's clock may be set: two in a row differ by their count all the same.
  local count = tonumber(string.match(redis.call('HGET', hash, 'forgotten') or '', '%d+$') or '0') + 1
  local server = redis.call('TIME')
  redis.call('DEL', hash)
  redis.call('HSET', hash, 'forgotten', server[1] .. '.' .. server[2] .. '.' .. count)
  redis.call('PEXPIRE', hash, ARGV[3])
end

if ARGV[1] == 'forget' then
  -- Open takes stay.
  for i = 1, tonumber(ARGV[4]) do forget(KEYS[2 * i - 1]) end
  return { 'ok' }
end

local function clock()
  local given = tonumber(ARGV[2])
  if given then return given end
  local server = redis.call('TIME')
  return server[1] * 1000 + math.floor(server[2] / 1000)
end

-- Whole numbers, all digits: Lua would write large ones with an exponent.
local function digits(value) return string.format('%.0f', value) end

if ARGV[1] == 'began' then
  local now = clock()
  -- A clock that was set forward has ended counters before their time.
  if ARGV[6] == 'anew' then redis.call('DEL', KEYS[1]) end
  redis.call('SET', KEYS[1], digits(now), 'NX')
  return { 'ok', now - tonumber(redis.call('GET', KEYS[1])) }
end

local parts = {}
for i = 1, tonumber(ARGV[4]) do parts[i] = { hash = KEYS[2 * i - 1], takes = KEYS[2 * i] } end

-- The end customers of an account that have counters, by when they were asked for. Of more than it may keep those of
-- the one who was idle longest go; then whoever is missing may have been used lately, for as long as this is known.
local customer = parts[tonumber(ARGV[6])]
local customers, dropped = (KEYS[1] or '') .. ':customers', (KEYS[1] or '') .. ':dropped'

local limits = {}
local argument = 8
for i = 1, tonumber(ARGV[5]) do
  local limit = {
    part = parts[tonumber(ARGV[argument])],
    kind = ARGV[argument + 1],
    name = ARGV[argument + 2],
    amount = tonumber(ARGV[argument + 3]),
    points = tonumber(ARGV[argument + 4]),
    soft = ARGV[argument + 7] == 'soft',
  }
  if limit.kind == 'period' then
    limit.ends = tonumber(ARGV[argument + 5])
    limit.period = ARGV[argument + 6]
    limit.sum = 'sum:' .. limit.name .. '|' .. limit.period
  else
    limit.length = tonumber(ARGV[argument + 5])
    if limit.kind == 'window' then limit.times = KEYS[tonumber(ARGV[argument + 6])] end
  end
  limits[i] = limit
  argument = argument + 8
end

--- The next argument.
local function next_text()
  argument = argument + 1
  return ARGV[argument - 1]
end
local function next_number() return tonumber(next_text()) end

local function get(part, field) return redis.call('HGET', part.hash, field) end
local function number(part, field) return tonumber(get(part, field) or '0') end
local function set(part, field, value) redis.call('HSET', part.hash, field, digits(value)) end

--- Adds to the sum of a period. Redis does, whose whole numbers have 64 bits: here large ones would be rounded.
--- Limits are far below the last of them, so that a sum that would be above it stands still.
local function add(limit, points)
  if points > 0 and number(limit.part, limit.sum) + points > MAX_SUM then return end
  redis.call('HINCRBY', limit.part.hash, limit.sum, digits(points))
end

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

--- Whether the counter of a limit is there, whole.
local function is_loaded(limit)
  if limit.kind == 'period' then return get(limit.part, limit.sum) ~= false end
  if limit.kind == 'bucket' then return get(limit.part, 'owed:' .. limit.name) ~= false end
  return get(limit.part, 'count:' .. limit.name) == tostring(redis.call('LLEN', limit.times))
end

--- How much the window that ends now holds.
local function calls(limit, now)
  local oldest = redis.call('LINDEX', limit.times, 0)
  while oldest and tonumber(oldest) <= now - limit.length do
    redis.call('LPOP', limit.times)
    oldest = redis.call('LINDEX', limit.times, 0)
  end
  local count = redis.call('LLEN', limit.times)
  set(limit.part, 'count:' .. limit.name, count)
  return count
end

--- When so much more fits.
local function room_at(limit, amount, more, now)
  local count = calls(limit, now)
  if count + more <= amount then return now end
  return tonumber(redis.call('LINDEX', limit.times, count + more - amount - 1)) + limit.length
end

local function push(limit, at, times)
  for _ = 1, times do redis.call('RPUSH', limit.times, digits(at)) end
end

local function owed(limit, now)
  local part, name = limit.part, limit.name
  local refilled = (now - number(part, 'since:' .. name)) * number(part, 'rate:' .. name)
  return math.max(0, number(part, 'owed:' .. name) - refilled)
end

local function set_owed(limit, value, now)
  local name = limit.name
  redis.call('HSET', limit.part.hash, 'owed:' .. name, digits(value), 'since:' .. name, digits(now),
    'rate:' .. name, digits(limit.amount))
end

--- Remembers when an end customer was asked for, and drops the counters of the one who was idle longest. Their takes
--- stay, and are added when they are loaded.
local function keep_customer(now)
  if not customer then return end
  redis.call('ZADD', customers, digits(now), customer.hash)
  redis.call('PEXPIRE', customers, ARGV[3])
  if redis.call('ZCARD', customers) <= tonumber(ARGV[7]) then return end
  for _, oldest in ipairs(redis.call('ZRANGE', customers, 0, 1)) do
    if oldest ~= customer.hash then
      redis.call('ZREM', customers, oldest)
      -- For as long as a load may be under way that has read before.
      forget(oldest)
      redis.call('PEXPIRE', oldest, LAPSE_MS)
      redis.call('SET', dropped, '1', 'PX', ARGV[3])
      return
    end
  end
end

--- When so many points fit a bucket.
local function points_at(limit, points, now)
  local missing = owed(limit, now) - (limit.amount - points) * limit.length
  return now + math.max(0, math.ceil(missing / limit.amount))
end

--- What is used of a limit, in all digits, and in how many milliseconds it is reset.
local function standing(limit, now, wall)
  if limit.kind == 'period' then return get(limit.part, limit.sum), limit.ends - wall end
  if limit.kind == 'bucket' then
    return digits(math.ceil(owed(limit, now) / limit.length)), points_at(limit, limit.amount, now) - now
  end
  local used = calls(limit, now)
  return digits(used), room_at(limit, math.max(1, math.min(used, limit.amount)), 1, now) - now
end

--- Drops the takes that were kept for long enough: their records are loaded.
local function drop_lapsed(part, now) redis.call('ZREMRANGEBYSCORE', part.takes, '-inf', digits(now)) end

--- Makes a take, or what is announced, pending: its owner has to say in time what becomes of it.
local function hold(part, now, member) redis.call('ZADD', part.takes, digits(PENDING + now + LAPSE_MS), member) end

--- Keeps a take whose use is stored, or what is left of it.
local function keep_take(part, taken_at, member)
  redis.call('ZADD', part.takes, digits(taken_at + LAPSE_MS), member)
end

--- Drops what nobody owns any more, and the counters with it, which may hold it.
local function drop_ownerless(part, now)
  if redis.call('ZREMRANGEBYSCORE', part.takes, digits(PENDING), '(' .. digits(PENDING + now)) == 0 then return false end
  forget(part.hash)
  return true
end

--- The takes of a part that are not recorded, as tables of what they took; undefined where counters that are
--- there have one as it was taken whose record is in what is loaded.
local function open_takes(part, recorded, now)
  drop_lapsed(part, now)
  local open, settled = {}, {}
  local members = redis.call('ZRANGE', part.takes, 0, -1, 'WITHSCORES')
  for i = 1, #members, 2 do
    local member, pending = members[i], tonumber(members[i + 1]) >= PENDING
    local at, amounts, periods, id = string.match(member, '^(%d+)|([^|]*)|([^|]*)|(.*)$')
    if not at then
      -- A record that was noted, or will be.
    elseif recorded[id] then
      if pending then settled[#settled + 1] = member end
    else
      local take = { at = tonumber(at), amounts = {}, periods = {} }
      for meter, amount in string.gmatch(amounts, '([^=,]+)=(%d+)') do take.amounts[meter] = tonumber(amount) end
      for period in string.gmatch(periods, '[^,]+') do take.periods[period] = true end
      open[#open + 1] = take
    end
  end
  if #settled > 0 and get(part, 'limits') then return nil end
  for _, member in ipairs(settled) do redis.call('ZREM', part.takes, member) end
  return open
end

local function meter_of(limit) return string.match(limit.name, '^[^|]+') end

if ARGV[1] == 'load' then
  -- Only what is missing: another node may have been faster, and has counted since.
  local part = parts[next_number()]
  -- As it was when the load began.
  if next_text() ~= (get(part, 'forgotten') or '') then return { 'late' } end
  local names = next_text()
  -- What any window holds at most: of a take of more than that no more is added.
  local most = next_number()
  -- The last event that is in what is loaded; of what has been noted since nothing would be known.
  local upto = next_number()
  if number(part, 'noted') > upto then return { 'late' } end
  local now = time()
  if drop_ownerless(part, now) then return { 'late' } end
  local recorded = {}
  for _ = 1, next_number() do recorded[next_text()] = true end
  local takes = open_takes(part, recorded, now)
  if not takes then
    -- Its owner will not find it: so all counters have to have its record.
    forget(part.hash)
    return { 'late' }
  end
  -- Counters of limits that are gone: nobody counts for them meanwhile.
  if get(part, 'limits') ~= names then
    local held = {}
    for name in string.gmatch(names, '[^,]+') do held[name] = true end
    for _, field in ipairs(redis.call('HKEYS', part.hash)) do
      local name = string.match(field, '^%a+:([^|]+|[^|]+)')
      if name and not held[name] then redis.call('HDEL', part.hash, field) end
    end
    redis.call('HSET', part.hash, 'limits', names)
  end
  set(part, 'at', now)
  for _, limit in ipairs(limits) do
    local count = next_number()
    local values = {}
    for i = 1, count do values[i] = next_text() end
    if not is_loaded(limit) then
      local meter = meter_of(limit)
      if limit.kind == 'window' then
        -- Ages, the greatest first.
        local times = {}
        for i = 1, count do times[i] = now - tonumber(values[i]) end
        for _, take in ipairs(takes) do
          local amount = math.min(take.amounts[meter] or 0, math.max(most, limit.amount))
          for _ = 1, amount do times[#times + 1] = take.at end
        end
        table.sort(times)
        redis.call('DEL', limit.times)
        for _, at in ipairs(times) do push(limit, at, 1) end
        set(part, 'count:' .. limit.name, #times)
        set(part, 'upto:' .. limit.name, upto)
      elseif limit.kind == 'bucket' then
        local value = tonumber(values[1])
        for _, take in ipairs(takes) do value = value + (take.amounts[meter] or 0) * limit.length end
        set_owed(limit, value, now)
        set(part, 'upto:' .. limit.name, upto)
      else
        redis.call('HSET', part.hash, limit.sum, values[1])
        for _, take in ipairs(takes) do
          if take.periods[limit.period] then add(limit, take.amounts[meter] or 0) end
        end
        set(part, (string.gsub(limit.sum, '^sum', 'upto')), upto)
        local newest, before = get(part, 'newest:' .. limit.name), get(part, 'before:' .. limit.name)
        if newest ~= limit.sum then
          if before and before ~= limit.sum then
            redis.call('HDEL', part.hash, before, (string.gsub(before, '^sum', 'upto')))
          end
          if newest then redis.call('HSET', part.hash, 'before:' .. limit.name, newest) end
          redis.call('HSET', part.hash, 'newest:' .. limit.name, limit.sum)
        end
      end
    end
  end
  keep()
  return { 'ok' }
end

if ARGV[1] == 'back' then
  local member = next_text()
  -- What stands for what stays spent, if anything does.
  local left = next_text()
  local taken_at = next_number()
  local reply = { 'ok' }
  for place, part in ipairs(parts) do
    part.open = redis.call('ZREM', part.takes, member) == 1
    if not part.open then reply[#reply + 1] = place end
    -- A load that is under way may have read the journal before its record.
    if part.open and left ~= '' then
      keep_take(part, taken_at, left)
      redis.call('PEXPIRE', part.takes, ARGV[3])
    end
  end
  for _, limit in ipairs(limits) do
    local part, points, taken = limit.part, limit.points, next_number()
    if part.open and points > 0 and is_loaded(limit) then
      if limit.kind == 'period' then
        add(limit, -points)
      elseif limit.kind == 'window' then
        redis.call('LREM', limit.times, -points, digits(taken_at))
        set(part, 'count:' .. limit.name, redis.call('LLEN', limit.times))
      else
        local now = number(part, 'at')
        local owing = owed(limit, now)
        -- What has been refilled since the take is not owed any more; it goes on at the rate of the plan that
        -- was asked for last, which may be another than that of the take (src/usage/limits/bucket.ts).
        local rate = number(part, 'rate:' .. limit.name)
        local open = taken * limit.length - (now - taken_at) * math.max(rate, limit.amount)
        set_owed(limit, owing - math.max(0, math.min(points * limit.length, open, owing)), now)
        set(part, 'rate:' .. limit.name, rate)
      end
    end
  end
  -- The places of parts that have it no more.
  return reply
end

if ARGV[1] == 'keep' or ARGV[1] == 'renew' then
  local now = ARGV[1] == 'renew' and time()
  -- For each member the places of parts that have it no more: the member's and the part's, in turn.
  local reply = { 'ok' }
  for place = 1, next_number() do
    local member = next_text()
    local taken_at = tonumber(string.match(member, '^%d+'))
    for i, part in ipairs(parts) do
      if not redis.call('ZSCORE', part.takes, member) then
        reply[#reply + 1] = place
        reply[#reply + 1] = i
      elseif ARGV[1] == 'renew' then
        hold(part, now, member)
      elseif taken_at then
        keep_take(part, taken_at, member)
      else
        redis.call('ZREM', part.takes, member)
      end
    end
  end
  return reply
end

if ARGV[1] == 'announce' then
  local member, now = next_text(), time()
  for _, part in ipairs(parts) do hold(part, now, member) end
  keep()
  return { 'ok' }
end

if ARGV[1] == 'note' then
  -- What the journal has: it counts, whatever the limits say. A record with a name counts once.
  local record, position, age = next_text(), next_number(), next_number()
  local now = time()
  if record ~= '' then
    local account = parts[1]
    drop_lapsed(account, now)
    if redis.call('ZADD', account.takes, 'NX', digits(now + NOTED_MS), 'noted|' .. record) == 0 then return { 'ok' } end
  end
  for _, part in ipairs(parts) do
    -- It stands for what was used: where there are no counters, whoever loads them reads the journal's end.
    if position > number(part, 'noted') then set(part, 'noted', position) end
  end
  for _, limit in ipairs(limits) do
    local part, points = limit.part, limit.points
    local field = limit.kind == 'period' and string.gsub(limit.sum, '^sum', 'upto') or 'upto:' .. limit.name
    local loaded = get(part, field)
    if loaded and position > tonumber(loaded) then
      if limit.kind == 'period' then
        if is_loaded(limit) then add(limit, points) end
      elseif points > 0 and age < limit.length and is_loaded(limit) then
        -- What is given back late stays counted until the window has passed.
        points = math.min(points, limit.amount)
        if limit.kind == 'bucket' then
          set_owed(limit, owed(limit, now) + points * limit.length, now)
        else
          push(limit, now, points)
          set(part, 'count:' .. limit.name, redis.call('LLEN', limit.times))
        end
      end
    end
  end
  for _, part in ipairs(parts) do set(part, 'at', now) end
  keep()
  -- Where there are no counters, that is known for as long as a load may be under way.
  if customer and not get(customer, 'limits') then redis.call('PEXPIRE', customer.hash, LAPSE_MS) end
  return { 'ok' }
end

-- take, look
-- For how long the periods hold as the node has worked them out.
local from, to = next_number(), next_number()
local now, wall = time()
if wall < from or wall >= to then return { 'period', wall } end
local function load(part, place, what)
  return { 'load', wall, what, place, get(part, 'forgotten') or '' }
end
for i, part in ipairs(parts) do
  local names = next_text()
  -- The key's times are the account's: where that has lost its skew, they mean nothing.
  if number(part, 'at') > now then forget(part.hash) end
  if drop_ownerless(part, now) then return load(part, i, 'ownerless') end
  local known = get(part, 'limits')
  if known == false and redis.call('EXISTS', part.hash, part.takes) == 0 then
    return load(part, i, part == customer and redis.call('EXISTS', dropped) == 1 and 'some' or 'all')
  end
  if known ~= names then return load(part, i, 'some') end
  for _, limit in ipairs(limits) do
    if limit.part == part and not is_loaded(limit) then return load(part, i, 'some') end
  end
end

for _, part in ipairs(parts) do set(part, 'at', now) end
keep_customer(now)

-- A plan that has changed refills at its own rate from now on.
for _, limit in ipairs(limits) do
  if limit.kind == 'bucket' and number(limit.part, 'rate:' .. limit.name) ~= limit.amount then
    set_owed(limit, owed(limit, now), now)
  end
end

local kind, refusing, wait = 'taken', 0, 0
if ARGV[1] == 'take' then
  for i, limit in ipairs(limits) do
    local points = limit.points
    local ms = 0
    if limit.soft then
      -- It only counts.
    elseif points > limit.amount then
      kind, refusing = 'never', i
      break
    elseif points > 0 then
      if limit.kind == 'period' then
        if number(limit.part, limit.sum) + points > limit.amount then ms = limit.ends - wall end
      elseif limit.kind == 'bucket' then
        ms = points_at(limit, points, now) - now
      else
        ms = room_at(limit, limit.amount, points, now) - now
      end
    end
    if ms > wait then kind, refusing, wait = 'refused', i, ms end
  end
end

if ARGV[1] == 'take' and kind == 'taken' then
  for _, limit in ipairs(limits) do
    if limit.kind == 'period' then
      add(limit, limit.points)
    elseif limit.kind == 'bucket' then
      set_owed(limit, owed(limit, now) + limit.points * limit.length, now)
    else
      push(limit, now, limit.points)
      set(limit.part, 'count:' .. limit.name, redis.call('LLEN', limit.times))
    end
  end
  local member = digits(now) .. '|' .. next_text()
  for _, part in ipairs(parts) do
    drop_lapsed(part, now)
    hold(part, now, member)
  end
end
keep()

local reply = { kind, wall, refusing, wait, digits(now) }
for _, limit in ipairs(limits) do
  local used, reset_in = standing(limit, now, wall)
  -- As text: clients read large whole numbers inexactly.
  reply[#reply + 1] = used
  reply[#reply + 1] = digits(reset_in)
end
return reply

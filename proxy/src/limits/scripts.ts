/**
 * Redis runs a script as one step, so no other replica comes between reading and taking. The clock is that of Redis.
 * Numbers are kept with 17 digits: Lua's own way of writing them keeps 14. Every key expires when forgetting it changes nothing.
 */
const COMMON = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function exact(number) return string.format('%.17g', number) end

-- A clock that went back gives no refill, and does not stop later ones.
local function level(key, field, capacity, rate)
  local saved = redis.call('HMGET', key, field, field .. 'at')
  if not saved[1] or not saved[2] then return capacity end
  local past = math.max(0, now - tonumber(saved[2]))
  return math.min(capacity, tonumber(saved[1]) + past * rate)
end

local function save(key, field, value)
  redis.call('HSET', key, field, exact(value), field .. 'at', exact(now))
end

local function refill(capacity, rate, value)
  if rate <= 0 then return 60000 end
  return math.ceil(math.max(0, capacity - value) / rate)
end

local function keep(key, ms)
  ms = math.min(ms + 1000, 2678400000)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, string.format('%d', ms)) end
end
`

/**
 * KEYS: per scope its buckets (hash) and its leases (sorted set by expiry). ARGV: lease id, tokens, milliseconds a lease
 * lives, rounding; then per scope: capacity and rate of requests, capacity and rate of tokens, places; -1 is unlimited.
 * Returns 1 or 0 for taken or not, then per scope what was there before: requests, tokens, leases.
 */
export const RESERVE = `${COMMON}
local id, tokens, lives, rounding = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local scopes, reply, passes = {}, {}, 1
for i = 1, #KEYS / 2 do
  local a = 4 + (i - 1) * 5
  local s = {
    bucket = KEYS[i * 2 - 1], leases = KEYS[i * 2], held = 0,
    rc = tonumber(ARGV[a + 1]), rr = tonumber(ARGV[a + 2]),
    tc = tonumber(ARGV[a + 3]), tr = tonumber(ARGV[a + 4]), places = tonumber(ARGV[a + 5]),
  }
  if s.rc >= 0 then
    s.r = level(s.bucket, 'r', s.rc, s.rr)
    if s.rc == 0 or s.r + rounding < 1 then passes = 0 end
  end
  if s.tc >= 0 then
    s.t = level(s.bucket, 't', s.tc, s.tr)
    if s.tc == 0 or s.t + rounding < tokens then passes = 0 end
  end
  if s.places >= 0 then
    redis.call('ZREMRANGEBYSCORE', s.leases, '-inf', exact(now))
    s.held = redis.call('ZCARD', s.leases)
    if s.held >= s.places then passes = 0 end
  end
  scopes[i] = s
end
reply[1] = passes
for i, s in ipairs(scopes) do
  reply[#reply + 1] = exact(s.r or 0)
  reply[#reply + 1] = exact(s.t or 0)
  reply[#reply + 1] = s.held
  if passes == 1 then
    local ms = 0
    if s.r then
      save(s.bucket, 'r', s.r - 1)
      ms = math.max(ms, refill(s.rc, s.rr, s.r - 1))
    end
    if s.t then
      save(s.bucket, 't', s.t - tokens)
      ms = math.max(ms, refill(s.tc, s.tr, s.t - tokens))
    end
    if s.r or s.t then keep(s.bucket, ms) end
    if s.places >= 0 then
      redis.call('ZADD', s.leases, exact(now + lives), id)
      keep(s.leases, lives)
    end
  end
end
return reply
`

/**
 * KEYS as above. ARGV: lease id, tokens to give back (less than 0: to take), minutes of debt at most; then per scope
 * capacity and rate of tokens, -1 is unlimited.
 */
export const SETTLE = `${COMMON}
local id, amount, debt = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
for i = 1, #KEYS / 2 do
  local bucket, capacity, rate = KEYS[i * 2 - 1], tonumber(ARGV[2 + i * 2]), tonumber(ARGV[3 + i * 2])
  redis.call('ZREM', KEYS[i * 2], id)
  if capacity >= 0 then
    local value = level(bucket, 't', capacity, rate) + amount
    value = math.max(-capacity * debt, math.min(capacity, value))
    if value < capacity or redis.call('EXISTS', bucket) == 1 then
      save(bucket, 't', value)
      keep(bucket, refill(capacity, rate, value))
    end
  end
end
return 1
`

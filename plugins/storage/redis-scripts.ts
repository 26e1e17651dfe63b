/**
 * What runs inside the Redis server, each script as a whole or not at all. Of a namespace there are a
 * hash `:v:` (key → `[expires at, 8][value]`), a sorted set `:k:` with its keys in their order, and one
 * `:x:` with those that expire, by time; `:n` has the bytes of each namespace, `:u` what there is in all.
 */
import { createHash } from 'node:crypto';

export interface RedisScript {
  readonly source: string;
  readonly sha: string;
}

const SHARED = `
local P = KEYS[1]
local function place(kind, ns) return P .. ':' .. kind .. ':' .. ns end
local function expiry(record)
  if #record < 8 then return nil end
  local at = struct.unpack('>d', record)
  if at > 0 then return at end
  return nil
end
local function alive(record, now)
  if not record then return nil end
  local at = expiry(record)
  if at and at <= now then return nil end
  return record
end
local function add(ns, entries, bytes)
  if entries ~= 0 then redis.call('HINCRBY', P .. ':u', 'entries', string.format('%d', entries)) end
  if bytes == 0 then return end
  redis.call('HINCRBY', P .. ':u', 'bytes', string.format('%d', bytes))
  if redis.call('HINCRBY', P .. ':n', ns, string.format('%d', bytes)) <= 0 then
    redis.call('HDEL', P .. ':n', ns)
  end
end
local function drop(ns, key, record)
  redis.call('HDEL', place('v', ns), key)
  redis.call('ZREM', place('k', ns), key)
  redis.call('ZREM', place('x', ns), key)
  add(ns, -1, -(#ns + #key + #record - 8))
end
local function sweep(ns, max, now)
  local keys = redis.call('ZRANGEBYSCORE', place('x', ns), '-inf', now, 'LIMIT', 0, max)
  for _, key in ipairs(keys) do
    local record = redis.call('HGET', place('v', ns), key)
    if record then drop(ns, key, record) else redis.call('ZREM', place('x', ns), key) end
  end
  return #keys
end
`;

/** now, bytesMax, checks: namespace, key, 0 or 1, bytes; writes: namespace, key, expires at or -1 to delete, record. */
export const COMMIT = script(`
local now, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local checks = tonumber(ARGV[3])
local at = 4
for i = 0, checks - 1 do
  local ns, key, has, bytes = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  at = at + 4
  local record = alive(redis.call('HGET', place('v', ns), key), now)
  local current = record and string.sub(record, 9)
  if (has == '1' and current ~= bytes) or (has == '0' and current) then
    return { 'check', i, current or false }
  end
end
local before = tonumber(redis.call('HGET', P .. ':u', 'bytes') or '0')
local after, seen = before, {}
for i = at, #ARGV, 4 do
  local ns, key, when, record = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local id = #ns .. ':' .. ns .. key
  local old = seen[id]
  if old == nil then
    local found = redis.call('HGET', place('v', ns), key)
    old = found and (#ns + #key + #found - 8) or 0
  end
  local new = 0
  if when ~= '-1' then new = #ns + #key + #record - 8 end
  seen[id] = new
  after = after + new - old
end
if after > most and after > before then return { 'full', string.format('%.0f', after) } end
local existed = {}
for i = at, #ARGV, 4 do
  local ns, key, when, record = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local old = redis.call('HGET', place('v', ns), key)
  existed[#existed + 1] = alive(old, now) and '1' or '0'
  if when == '-1' then
    if old then drop(ns, key, old) end
  else
    redis.call('HSET', place('v', ns), key, record)
    if not old then redis.call('ZADD', place('k', ns), 0, key) end
    if when ~= '0' then redis.call('ZADD', place('x', ns), when, key)
    elseif old and expiry(old) then redis.call('ZREM', place('x', ns), key) end
    if old then add(ns, 0, #record - #old) else add(ns, 1, #ns + #key + #record - 8) end
  end
end
return { 'ok', table.concat(existed) }
`);

/** namespace, from, to, reverse, most entries, most bytes, keys only, now. Gives the last key, then keys and values. */
export const SCAN = script(`
local ns, from, to, reverse = ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1'
local entries, most, keysOnly, now = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7] == '1', tonumber(ARGV[8])
local keys
if reverse then keys = redis.call('ZREVRANGEBYLEX', place('k', ns), to, from, 'LIMIT', 0, entries)
else keys = redis.call('ZRANGEBYLEX', place('k', ns), from, to, 'LIMIT', 0, entries) end
local page, bytes = { false }, 0
for i, key in ipairs(keys) do
  local record = alive(redis.call('HGET', place('v', ns), key), now)
  if record then
    page[#page + 1] = key
    if not keysOnly then
      page[#page + 1] = string.sub(record, 9)
      bytes = bytes + #record
    end
  end
  if i == entries or bytes >= most then page[1] = key break end
end
return page
`);

/** namespace, from, to, most to sweep, now. -1: there is more to sweep first. */
export const COUNT = script(`
local ns, most = ARGV[1], tonumber(ARGV[4])
if sweep(ns, most, ARGV[5]) == most then return -1 end
return redis.call('ZLEXCOUNT', place('k', ns), ARGV[2], ARGV[3])
`);

/** namespace, now. */
export const CLEAR = script(`
local ns = ARGV[1]
local all = redis.call('ZCARD', place('k', ns))
local count = all - redis.call('ZCOUNT', place('x', ns), '-inf', ARGV[2])
local bytes = tonumber(redis.call('HGET', P .. ':n', ns) or '0')
redis.call('UNLINK', place('k', ns), place('v', ns), place('x', ns))
add(ns, -all, -bytes)
return count
`);

/** most entries, now. */
export const SWEEP = script(`
local most, swept = tonumber(ARGV[1]), 0
for _, ns in ipairs(redis.call('HKEYS', P .. ':n')) do
  if swept >= most then break end
  swept = swept + sweep(ns, most - swept, ARGV[2])
end
return swept
`);

function script(body: string): RedisScript {
  const source = SHARED + body;
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}

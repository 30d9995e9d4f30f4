// The scripts that change what is kept in Redis, each as one indivisible step.
//
// KEYS[1] is the hash of the state; all other keys begin with ARGV[1], which holds the generation:
// what was written under another one is never seen. A script answers LOST where the state is not of
// its generation (Redis was emptied, or another gateway began anew), or where the index by time is
// not as long as it was left, as after an eviction.
//
//   <prefix>r:<place>   a record        <prefix>a:<place>   an answer
//   <prefix>t  by time, <prefix>w  that wait, <prefix>d  dead letters, <prefix>m:<model>  by model:
//   sorted sets of points (time and place), all of the same score, so that they sort by their bytes
//   <prefix>i  by id: id, point and hash of the value
#pragma once

namespace weir::predictions {

// Shared by both: what a place is listed under now, and how that is undone.
#define WEIR_LUA_LISTED                                                                          \
  "local p = ARGV[1]\n"                                                                          \
  "local function lost()\n"                                                                      \
  "  return redis.call('HGET', KEYS[1], 'generation') ~= ARGV[2] or\n"                           \
  "      (tonumber(redis.call('HGET', KEYS[1], 'count')) or 0) ~= redis.call('ZCARD', p..'t')\n" \
  "end\n"                                                                                        \
  "local function size(bytes, at)\n"                                                             \
  "  local a, b, c, d = string.byte(bytes, at, at + 3)\n"                                        \
  "  return ((a * 256 + b) * 256 + c) * 256 + d\n"                                               \
  "end\n"                                                                                        \
  "local function head(key, fixed)\n"                                                            \
  "  local bytes = redis.pcall('GETRANGE', key, 0, fixed + 3)\n"                                 \
  "  if type(bytes) ~= 'string' or #bytes < fixed + 4 then return nil end\n"                     \
  "  local n = size(bytes, fixed + 1)\n"                                                         \
  "  local id = nil\n"                                                                           \
  "  if n > 0 then id = redis.call('GETRANGE', key, fixed + 4, fixed + 3 + n) end\n"             \
  "  return bytes, id\n"                                                                         \
  "end\n"                                                                                        \
  "local none = string.rep('\\0', 16)\n"                                                         \
  "local function listed(place)\n"                                                               \
  "  local r, rid = head(p..'r:'..place, 24)\n"                                                  \
  "  local a, aid = head(p..'a:'..place, 17)\n"                                                  \
  "  if not r and not a then return nil end\n"                                                   \
  "  local now = {point = string.sub(r or a, 1, 8)..place, model = nil, dead = false,\n"         \
  "               waits = not a, id = nil}\n"                                                    \
  "  if a then\n"                                                                                \
  "    now.dead = string.byte(a, 9) == 1\n"                                                      \
  "    if not now.dead then now.model = string.sub(a, 10, 17) end\n"                             \
  "  end\n"                                                                                      \
  "  if r then\n"                                                                                \
  "    if rid then now.id = rid..now.point..string.sub(r, 9, 24) end\n"                          \
  "  elseif aid then\n"                                                                          \
  "    now.id = aid..now.point..none\n"                                                          \
  "  end\n"                                                                                      \
  "  return now\n"                                                                               \
  "end\n"                                                                                        \
  "local function unlist(now)\n"                                                                 \
  "  redis.call('ZREM', p..'t', now.point)\n"                                                    \
  "  if now.waits then redis.call('ZREM', p..'w', now.point) end\n"                              \
  "  if now.dead then redis.call('ZREM', p..'d', now.point) end\n"                               \
  "  if now.model then redis.call('ZREM', p..'m:'..now.model, now.point) end\n"                  \
  "  if now.id then redis.call('ZREM', p..'i', now.id) end\n"                                    \
  "end\n"

// ARGV: prefix, generation, how many records, then place and value of each, how many answers, then
// place and value of each, then for each topic its name, its id, how many partitions, and partition
// and next offset of each.
inline constexpr const char* kApplyScript = WEIR_LUA_LISTED
    "if lost() then return 'LOST' end\n"
    "local at = 3\n"
    "local function next_word() local w = ARGV[at]; at = at + 1; return w end\n"
    "local function list(place, before)\n"
    "  local now = listed(place)\n"
    "  if before and before.point == now.point then\n"
    "    if before.waits and not now.waits then redis.call('ZREM', p..'w', now.point) end\n"
    "    if before.dead and not now.dead then redis.call('ZREM', p..'d', now.point) end\n"
    "    if before.model and before.model ~= now.model then\n"
    "      redis.call('ZREM', p..'m:'..before.model, now.point)\n"
    "    end\n"
    "    if before.id and before.id ~= now.id then redis.call('ZREM', p..'i', before.id) end\n"
    "  elseif before then\n"
    "    unlist(before)\n"
    "  end\n"
    "  redis.call('ZADD', p..'t', 0, now.point)\n"
    "  if now.waits then redis.call('ZADD', p..'w', 0, now.point) end\n"
    "  if now.dead then redis.call('ZADD', p..'d', 0, now.point) end\n"
    "  if now.model then redis.call('ZADD', p..'m:'..now.model, 0, now.point) end\n"
    "  if now.id then redis.call('ZADD', p..'i', 0, now.id) end\n"
    "end\n"
    // What is usual costs little: a record that is new, and an answer to a record that is there.
    // Changes of the sets are gathered; whatever is unusual waits for them.
    "local gathered = {}\n"
    "local function later(command, set, member)\n"
    "  local call = gathered[command..set]\n"
    "  if not call then\n"
    "    call = {command, p..set}\n"
    "    gathered[command..set] = call\n"
    "  end\n"
    "  if command == 'ZADD' then call[#call + 1] = 0 end\n"
    "  call[#call + 1] = member\n"
    "end\n"
    "local function flush()\n"
    "  for _, call in pairs(gathered) do redis.call(unpack(call)) end\n"
    "  gathered = {}\n"
    "end\n"
    "local function put(kind, place, value)\n"
    "  flush()\n"
    "  local before = listed(place)\n"
    "  redis.call('SET', p..kind..place, value)\n"
    "  list(place, before)\n"
    "end\n"
    "for _ = 1, tonumber(next_word()) do\n"
    "  local place, value = next_word(), next_word()\n"
    "  if redis.call('EXISTS', p..'r:'..place, p..'a:'..place) == 0 then\n"
    "    local point, n = string.sub(value, 1, 8)..place, size(value, 25)\n"
    "    redis.call('SET', p..'r:'..place, value)\n"
    "    later('ZADD', 't', point)\n"
    "    later('ZADD', 'w', point)\n"
    "    if n > 0 then\n"
    "      later('ZADD', 'i', string.sub(value, 29, 28 + n)..point..string.sub(value, 9, 24))\n"
    "    end\n"
    "  else\n"
    "    put('r:', place, value)\n"
    "  end\n"
    "end\n"
    "flush()\n"
    "for _ = 1, tonumber(next_word()) do\n"
    "  local place, value = next_word(), next_word()\n"
    "  local time = redis.pcall('GETRANGE', p..'r:'..place, 0, 7)\n"
    "  if type(time) == 'string' and #time == 8 and\n"
    "      redis.call('SET', p..'a:'..place, value, 'NX') then\n"
    "    later('ZREM', 'w', time..place)\n"
    "    if string.byte(value, 9) == 1 then\n"
    "      later('ZADD', 'd', time..place)\n"
    "    else\n"
    "      later('ZADD', 'm:'..string.sub(value, 10, 17), time..place)\n"
    "    end\n"
    "  else\n"
    "    put('a:', place, value)\n"
    "  end\n"
    "end\n"
    "flush()\n"
    "redis.call('HSET', KEYS[1], 'count', redis.call('ZCARD', p..'t'))\n"
    "while at <= #ARGV do\n"
    "  local topic, id, n = next_word(), next_word(), tonumber(next_word())\n"
    "  local anew = redis.call('HGET', KEYS[1], 'topic:'..topic) ~= id\n"
    "  if anew then\n"
    "    for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do\n"
    "      local start = 'next:'..topic..'\\n'\n"
    "      if string.sub(field, 1, #start) == start then redis.call('HDEL', KEYS[1], field) end\n"
    "    end\n"
    "    redis.call('HSET', KEYS[1], 'topic:'..topic, id)\n"
    "  end\n"
    "  for _ = 1, n do\n"
    "    local field, offset = 'next:'..topic..'\\n'..next_word(), next_word()\n"
    "    local there = tonumber(redis.call('HGET', KEYS[1], field))\n"
    "    if not there or there < tonumber(offset) then redis.call('HSET', KEYS[1], field, offset) "
    "end\n"
    "  end\n"
    "end\n"
    "return 'OK'\n";

// ARGV: prefix, generation, the time (8 bytes) from which on they stay, how many stay at most, how
// many may go. How many went, and of how many of those the record and the answer were gone already.
inline constexpr const char* kDropScript = WEIR_LUA_LISTED
    "if lost() then return 'LOST' end\n"
    "local most = tonumber(ARGV[5])\n"
    "local points = redis.call('ZRANGEBYLEX', p..'t', '-', '('..ARGV[3], 'LIMIT', 0, most)\n"
    "if #points == 0 then\n"
    "  local surplus = redis.call('ZCARD', p..'t') - tonumber(ARGV[4])\n"
    "  if surplus > 0 then\n"
    "    points = redis.call('ZRANGE', p..'t', 0, math.min(surplus, most) - 1)\n"
    "  end\n"
    "end\n"
    "local gone = 0\n"
    "for _, point in ipairs(points) do\n"
    "  local place = string.sub(point, 9)\n"
    "  local now = listed(place)\n"
    "  if now then unlist(now) else gone = gone + 1 end\n"
    "  for _, set in ipairs({'t', 'w', 'd'}) do redis.call('ZREM', p..set, point) end\n"
    "  redis.call('DEL', p..'r:'..place, p..'a:'..place)\n"
    "end\n"
    "if #points > 0 then\n"
    "  redis.call('HSET', KEYS[1], 'count', redis.call('ZCARD', p..'t'))\n"
    "end\n"
    "return {#points, gone}\n";

#undef WEIR_LUA_LISTED

}  // namespace weir::predictions

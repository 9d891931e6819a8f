-- SPDX-License-Identifier: BSD-2-Clause
-- The key log of the suite's daemons (format: interop/msec_scapy/KEYLOG.md), and the keys that were
-- learned on the way by decrypting messages.

local S = ...
if type(S) ~= "table" then
    return -- Wireshark runs every file of a plugin folder; only gsakmp.lua has something to do there
end
local octets = S.octets

local M = {}
M.__index = M

function M.new(path)
    return setmetatable({path = path or "", read_to = 0, groups = {}, bad_lines = 0}, M)
end

function M:group(group_id)
    local group = self.groups[group_id]
    if not group then
        group = {keks = {}, keys = {}, order = {}}
        self.groups[group_id] = group
    end
    return group
end

-- A group key; `origin` says where it was seen first.
function M:add_key(group_id, key_id, handle, key_type, key, origin)
    local group, name = self:group(group_id), key_id .. handle
    local held = group.keys[name] or {}
    for _, one in ipairs(held) do
        if one.key == key then
            return
        end
    end
    local entry = {key_id = key_id, handle = handle, key_type = key_type, key = key, origin = origin}
    group.keys[name] = held
    held[#held + 1] = entry
    group.order[#group.order + 1] = entry
end

local handlers = {}

function handlers.GSAKMP_KEK(self, words)
    local group_id, nonce_i, nonce_r, key = octets(words[2] or "x"), octets(words[3] or "x"),
        octets(words[4] or "x"), octets(words[6] or "x")
    local enc_type = tonumber(words[5] or "")
    if #words ~= 6 or not (group_id and nonce_i and nonce_r and enc_type and key) then
        return false
    end
    local name = nonce_i .. "\0" .. nonce_r .. "\0" .. enc_type .. "\0" .. key
    local keks = self:group(group_id).keks
    if not keks[name] then
        local kek = {nonce_i = nonce_i, nonce_r = nonce_r, key_type = enc_type, key = key}
        keks[name] = kek
        keks[#keks + 1] = kek
    end
    return true
end

function handlers.GSAKMP_KEY(self, words)
    local group_id, key_id, handle, key = octets(words[2] or "x"), octets(words[3] or "x"),
        octets(words[4] or "x"), octets(words[8] or "x")
    local key_type = tonumber(words[5] or "")
    if #words ~= 8 or not (group_id and key_id and handle and key_type and key) then
        return false
    end
    self:add_key(group_id, key_id, handle, key_type, key, "key log")
    return true
end

-- Reads what was appended since the last time. True if there was news.
function M:update()
    return S.read_on(self, handlers)
end

-- KEKs of a group whose responder nonce is this one; "" when the group goes by time.
function M:keks(group_id, nonce_r)
    local found = {}
    for _, kek in ipairs(self:group(group_id).keks) do
        if kek.nonce_r == nonce_r then
            found[#found + 1] = kek
        end
    end
    return found
end

-- The keys of that name: each key server of a distributed group has a tree of its own.
function M:named(group_id, key_id, handle)
    return self:group(group_id).keys[key_id .. handle] or {}
end

-- All keys of a group, the latest first.
function M:keys(group_id)
    local order, out = self:group(group_id).order, {}
    for i = #order, 1, -1 do
        out[#out + 1] = order[i]
    end
    return out
end

return M

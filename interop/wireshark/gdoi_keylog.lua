-- SPDX-License-Identifier: BSD-2-Clause
-- Rekey SAs and LKH keys from a key log (format: interop/msec_scapy/KEYLOG.md), and those that were learned on the
-- way from messages that could be opened. A Rekey SA is found by its SPI, the cookie pair of a GROUPKEY-PUSH; the
-- keys of a tree belong to a group, which is known only through the chain of its Rekey SAs.

local S = ...
if type(S) ~= "table" then
    return -- Wireshark runs every file of a plugin folder; only gdoi.lua has something to do there
end
local octets = S.octets

local M = {}
M.__index = M

function M.new(path)
    return setmetatable({path = path or "", read_to = 0, keks = {}, sas = {}, bad_lines = 0}, M)
end

-- The Rekey SA of an SPI. `group` is what its predecessor belonged to.
function M:add_kek(spi, algorithm, iv, key, group, origin)
    local held = self.keks[spi]
    if not held then
        held = {keys = {}, group = group or {lkh = {}}}
        self.keks[spi] = held
    end
    for _, one in ipairs(held.keys) do
        if one.iv == iv and one.key == key then
            return held
        end
    end
    held.keys[#held.keys + 1] = {algorithm = algorithm, iv = iv, key = key, origin = origin}
    return held
end

-- A node key of the tree: IV and key in one, as they travel.
function M:add_lkh(group, id, handle, data)
    local name = id .. ":" .. handle
    local held = group.lkh[name] or {}
    for _, one in ipairs(held) do
        if one == data then
            return
        end
    end
    group.lkh[name] = held
    held[#held + 1] = data
end

function M:kek(spi)
    return self.keks[spi]
end

-- A phase 1 SA by its cookies: its key, and by message id the IVs that a message may have.
function M:sa(cookies)
    local sa = self.sas[cookies]
    if not sa then
        sa = {ivs = {}, saks = {}}
        self.sas[cookies] = sa
    end
    return sa
end

-- An IV of an exchange. Each message's last block is the next one's; a message that is sent again has its own again,
-- so all are kept.
function M:add_iv(sa, message_id, iv)
    local ivs = sa.ivs[message_id] or {}
    for _, one in ipairs(ivs) do
        if one == iv then
            return
        end
    end
    sa.ivs[message_id] = ivs
    ivs[#ivs + 1] = iv
end

local handlers = {}

function handlers.IKEV1_KEY(self, words)
    local i, r, key = octets(words[2] or "x"), octets(words[3] or "x"), octets(words[4] or "x")
    if #words ~= 4 or not (i and r and key and #i == 8 and #r == 8) then
        return false
    end
    self:sa(i .. r).key = key
    return true
end

function handlers.IKEV1_IV(self, words)
    local i, r = octets(words[2] or "x"), octets(words[3] or "x")
    local id, iv = octets(words[4] or "x"), octets(words[5] or "x")
    if #words ~= 5 or not (i and r and id and iv and #i == 8 and #r == 8 and #id == 4) then
        return false
    end
    self:add_iv(self:sa(i .. r), id, iv)
    return true
end

function handlers.GDOI_KEK(self, words)
    local spi, algorithm = octets(words[2] or "x"), tonumber(words[3] or "")
    local iv, key = octets(words[4] or "x"), octets(words[5] or "x")
    if #words ~= 5 or not (spi and #spi == 16 and algorithm and iv and key) then
        return false
    end
    self:add_kek(spi, algorithm, iv, key, nil, "key log")
    return true
end

function handlers.GDOI_LKH(self, words)
    local spi, data = octets(words[2] or "x"), octets(words[5] or "x")
    local id, handle = tonumber(words[3] or ""), tonumber(words[4] or "")
    if #words ~= 5 or not (spi and #spi == 16 and id and handle and data) then
        return false
    end
    local held = self.keks[spi] or {keys = {}, group = {lkh = {}}}
    self.keks[spi] = held
    self:add_lkh(held.group, id, handle, data)
    return true
end

-- Reads what was appended since the last time. True if there was news.
function M:update()
    return S.read_on(self, handlers)
end

return M

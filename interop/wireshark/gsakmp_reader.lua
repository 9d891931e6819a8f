-- SPDX-License-Identifier: BSD-2-Clause
-- Reading octets without ever leaving their window, and the identities of RFC 4535 section 7.6.
--
-- A structure that does not fit raises Malformed, which is caught around the structure: what could not be
-- read stays visible as gsakmp.undissected, and the rest of the message is dissected.

local S = ...
if type(S) ~= "table" then
    return -- Wireshark runs every file of a plugin folder; only gsakmp.lua has something to do there
end
local F, labels, E = S.F, S.labels, S.E
local DATE = 15

local Malformed = {}

local function malformed(...)
    error(setmetatable({text = string.format(...)}, Malformed), 0)
end

-- A window on a buffer. Nothing is read outside of it.
local Reader = {}
Reader.__index = Reader

local function reader(tvb, from, to)
    return setmetatable({tvb = tvb, at = from, stop = to}, Reader)
end

function Reader:left()
    return self.stop - self.at
end

function Reader:need(octets, what)
    if octets > self:left() then
        malformed("%s: %d octets are needed, %d are left", what, octets, self:left())
    end
end

-- The next octets as a range, or nil for none.
function Reader:take(octets, what)
    self:need(octets, what)
    if octets == 0 then
        return nil
    end
    local range = self.tvb(self.at, octets)
    self.at = self.at + octets
    return range
end

function Reader:sub(octets, what)
    self:need(octets, what)
    self.at = self.at + octets
    return reader(self.tvb, self.at - octets, self.at)
end

function Reader:peek()
    return self:left() > 0 and self.tvb(self.at, self:left()) or nil
end

-- Octets as a field: their range (nil for none) and the item.
function Reader:add(tree, key, octets)
    local range = self:take(octets, labels[key])
    if range then
        return range, tree:add(F[key], range)
    end
end

function Reader:rest(tree, key)
    return self:add(tree, key, self:left())
end

function Reader:number(tree, key, octets)
    local range = self:take(octets, labels[key])
    return range:uint(), tree:add(F[key], range)
end

-- Octets of a peer as text that can be shown: what is not UTF-8 or not printable becomes \xNN.
local UTF8 = {"^[\xC2-\xDF][\x80-\xBF]", "^\xE0[\xA0-\xBF][\x80-\xBF]",
    "^[\xE1-\xEC\xEE\xEF][\x80-\xBF][\x80-\xBF]", "^\xED[\x80-\x9F][\x80-\xBF]",
    "^\xF0[\x90-\xBF][\x80-\xBF][\x80-\xBF]", "^[\xF1-\xF3][\x80-\xBF][\x80-\xBF][\x80-\xBF]",
    "^\xF4[\x80-\x8F][\x80-\xBF][\x80-\xBF]"}

local function clean(s)
    local out, at, whole = {}, 1, true
    while at <= #s do
        local good = s:match("^[\x20-\x7E]+", at)
        for _, form in ipairs(UTF8) do
            good = good or s:match(form, at)
        end
        whole = whole and (good or s:byte(at) < 0x80) and true
        out[#out + 1] = good or string.format("\\x%02x", s:byte(at))
        at = at + (good and #good or 1)
    end
    return table.concat(out), whole
end

function Reader:text(tree, key, octets)
    local range = self:take(octets, labels[key])
    if not range then
        return ""
    end
    local item = tree:add_packet_field(F[key], range, ENC_UTF_8)
    local text, whole = clean(range:raw())
    if not whole then
        item:add_proto_expert_info(E.value, labels[key] .. " is not UTF-8")
    end
    return text, item
end

-- A code point: what no table defines is marked.
function Reader:code(tree, key, values, m)
    local value, item = self:number(tree, key, values.octets)
    local status = values:status(value)
    if status == "reserved" or status == "iana" then
        item:add_proto_expert_info(E.unknown, string.format("%s %d is not assigned", labels[key], value))
    elseif status == "private" then
        item:add_proto_expert_info(E.private, string.format("%s %d is for private use", labels[key], value))
    elseif status == "suite" and not m.vendor then
        item:add_proto_expert_info(E.private, string.format(
            "%s %d is private and no Vendor ID in this message explains it", labels[key], value))
    end
    return value, item
end

local DAYS = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

-- 7.4.1.1: YYYYMMDDHHMMSSZ
function Reader:date(tree, key)
    local text, item = self:text(tree, key, DATE)
    local _, month, day, hour, minute, second = text:match("^(%d%d%d%d)(%d%d)(%d%d)(%d%d)(%d%d)(%d%d)Z$")
    if not month or not DAYS[tonumber(month)] or tonumber(day) < 1 or tonumber(day) > DAYS[tonumber(month)]
        or tonumber(hour) > 23 or tonumber(minute) > 59 or tonumber(second) > 59 then
        item:add_proto_expert_info(E.value, labels[key] .. " is not of the form YYYYMMDDHHMMSSZ")
    end
    return text
end

-- Runs a dissecting function over a window and accounts for every octet of it.
local function guarded(r, tree, m, dissect, ...)
    local ok, result = pcall(dissect, r, tree, m, ...)
    if not ok and getmetatable(result) ~= Malformed then
        error(result, 0)
    end
    local range = r:peek()
    r.at = r.stop
    if not ok then
        local item = range and tree:add(F["undissected"], range) or tree
        item:add_proto_expert_info(E.malformed, result.text)
        m.malformed = true
        return nil
    end
    if range then
        tree:add(F["trailing"], range):add_proto_expert_info(E.trailing,
            string.format("%d octets are left over", range:len()))
        m.malformed = true
    end
    return result
end

-- Hands a range to a dissector of Wireshark; a certificate that it cannot read is not our failure.
local function hand_over(name, range, m, tree)
    local found, dissector = pcall(function()
        return DissectorTable.get("media_type"):get_dissector(name)
    end)
    if found and dissector and range then
        if not pcall(dissector.call, dissector, range:tvb(), m.pinfo, tree) then
            tree:add_proto_expert_info(E.malformed, "not well formed for " .. name)
        end
    end
end

-- ------------------------------------------------------------------------------------------- identities

local ATTRIBUTES = {
    ["\x55\x04\x03"] = "CN", ["\x55\x04\x05"] = "serialNumber", ["\x55\x04\x06"] = "C", ["\x55\x04\x07"] = "L",
    ["\x55\x04\x08"] = "ST", ["\x55\x04\x09"] = "STREET", ["\x55\x04\x0a"] = "O", ["\x55\x04\x0b"] = "OU",
    ["\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"] = "DC", ["\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01"] = "UID",
    ["\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"] = "emailAddress",
}

-- One DER element of s at `at`: tag, content, position behind it; nil if it does not fit.
local function der(s, at)
    local tag, size = s:byte(at, at + 1)
    if not size then
        return nil
    end
    at = at + 2
    if size >= 0x80 then
        local more = size - 0x80
        if more < 1 or more > 4 or at + more - 1 > #s then
            return nil
        end
        size = 0
        for i = at, at + more - 1 do
            size = size * 256 + s:byte(i)
        end
        at = at + more
    end
    if at + size - 1 > #s then
        return nil
    end
    return tag, s:sub(at, at + size - 1), at + size
end

local function der_list(s, wanted_tag)
    local out, at = {}, 1
    while at <= #s do
        local tag, content, behind = der(s, at)
        if not tag or (wanted_tag and tag ~= wanted_tag) then
            return nil
        end
        out[#out + 1], at = {tag = tag, content = content}, behind
    end
    return out
end

-- An X.501 Name as text, the last RDN first as in RFC 4514, or nil.
local function dn_text(s)
    local tag, sequence, behind = der(s, 1)
    local rdns = tag == 0x30 and behind == #s + 1 and der_list(sequence, 0x31)
    if not rdns then
        return nil
    end
    local out = {}
    for _, rdn in ipairs(rdns) do
        local parts = {}
        for _, pair in ipairs(der_list(rdn.content, 0x30) or {}) do
            local two = der_list(pair.content)
            if not two or #two ~= 2 or two[1].tag ~= 6 then
                return nil
            end
            parts[#parts + 1] = (ATTRIBUTES[two[1].content] or "?") .. "="
                .. two[2].content:gsub("[,+\"\\<>;]", "\\%0")
        end
        table.insert(out, 1, table.concat(parts, "+"))
    end
    return clean(table.concat(out, ","))
end

-- Identification Data of any type (Table 19) below `tree`; returns it as text.
local identity_forms = {}

identity_forms[1] = function(r, tree)
    local range = r:add(tree, "id.ipv4", 4)
    return tostring(range:ipv4())
end

identity_forms[5] = function(r, tree)
    local range = r:add(tree, "id.ipv6", 16)
    return tostring(range:ipv6())
end

identity_forms[2] = function(r, tree)
    return (r:text(tree, "id.fqdn", r:left()))
end

identity_forms[3] = function(r, tree)
    return (r:text(tree, "id.rfc822", r:left()))
end

identity_forms[9] = function(r, tree)
    r:need(1, labels["id.der_dn"])
    local range = r:take(r:left(), labels["id.der_dn"])
    local name = dn_text(range:raw())
    local item = tree:add(F["id.der_dn"], range, name or "")
    if not name then
        item:add_proto_expert_info(E.malformed, "not the DER encoding of a distinguished name")
    end
    return name or range:bytes():tohex()
end

identity_forms[11] = function(r, tree)
    local range = r:rest(tree, "id.key_id")
    return range and range:bytes():tohex() or ""
end

-- 7.6.1.1
identity_forms[30] = function(r, tree)
    local serial, item = r:add(tree, "id.serial", 20)
    if not serial:raw():find("[^%z]") then
        item:add_proto_expert_info(E.value, "serial number is zero (RFC4535-7.6.2.1-01)")
    end
    local octets = r:number(tree, "id.dn_length", 4)
    return (r:text(tree, "id.dn", octets))
end

identity_forms[31] = function(r, tree)
    return (r:text(tree, "id.dn", r:left()))
end

local function identity(r, tree, m, id_type, key)
    local range, item = r:rest(tree, key)
    if not range then
        tree:add_proto_expert_info(E.malformed, labels[key] .. " is empty")
        return ""
    end
    local form = identity_forms[id_type]
    if not form then
        return range:bytes():tohex()
    end
    local inner = reader(r.tvb, r.stop - range:len(), r.stop)
    return guarded(inner, item, m, form) or range:bytes():tohex()
end

S.reader, S.guarded, S.malformed, S.hand_over = reader, guarded, malformed, hand_over
S.identity, S.der = identity, der

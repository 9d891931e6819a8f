-- SPDX-License-Identifier: BSD-2-Clause
-- The payloads of GDOI: RFC 6407 section 5, RFC 8052, RFC 8263. Each function reads the body of one payload, adds
-- it below `tree`, and returns a few words for the summary.

local S = ...
if type(S) ~= "table" then
    return -- Wireshark runs every file of a plugin folder; only gdoi.lua has something to do there
end
local registry, F, labels, E = S.registry, S.F, S.labels, S.E
local reader, guarded, malformed, der = S.reader, S.guarded, S.malformed, S.der
local GENERIC = 4
local IV = {[1] = 8, [2] = 8, [3] = 16}

local payloads = {}

local function hex(range)
    return range and range:bytes():tohex(true) or ""
end

local function zero(r, tree, octets, clause)
    local range, item = r:add(tree, "reserved2", octets)
    if range:raw():find("[^%z]") then
        item:add_proto_expert_info(E.reserved, "RESERVED2 is not zero (" .. clause .. ")")
    end
end

-- ------------------------------------------------------------------------------------------------- attributes

-- Attributes until the end of the window. `known` names them; `on(type, range, node)` sees each of them.
local function attributes(r, tree, m, known, on)
    while r:left() > 0 do
        local from = r.at
        r:need(4, "an attribute")
        local code, second = r.tvb(from, 2):uint(), r.tvb(from + 2, 2):uint()
        local basic, number = code >= 0x8000, code % 0x8000
        local size = basic and 4 or 4 + second
        r:need(size, string.format("attribute %d with a length of %d", number, second))
        local node = tree:add(F["attribute"], r.tvb(from, size))
        local about = known[number] or {string.format("attribute %d", number)}
        node:add(F["attribute.type"], r.tvb(from, 2), number):append_text(basic and " (Basic)" or " (Variable)")
        local range = basic and r.tvb(from + 2, 2) or (second > 0 and r.tvb(from + 4, second) or nil)
        local text = ""
        if not basic then
            node:add(F["attribute.length"], r.tvb(from + 2, 2))
        end
        if not known[number] then
            node:add_proto_expert_info(E.unknown, about[1] .. " is not assigned")
        end
        if about[2] == "key" or about[2] == "octets" or (range and range:len() > 8) then
            if range then
                node:add(F["attribute.octets"], range)
                text = string.format(": %d octets", range:len())
            end
        elseif about[2] ~= "array" and range then
            local value = range:len() > 4 and range:uint64() or range:uint()
            node:add(F["attribute.value"], range)
            if type(about[2]) == "table" then
                local absent = S.gdoid and value == 0
                text = ": " .. (about[2][value] or string.format(absent and "not said (%s)" or "unassigned %s", tostring(value)))
                if not about[2][value] and not absent then
                    node:add_proto_expert_info(E.unknown, about[1] .. text)
                end
            else
                text = ": " .. tostring(value) .. (about[2] and about[2] ~= "" and " " .. about[2] or "")
            end
        end
        node:set_text(about[1] .. text)
        r.at = from + size
        if on then
            on(number, range, node)
        end
    end
end

-- -------------------------------------------------------------------------------------------------- identities

local function oid_text(octets)
    local tag, content, behind = der(octets, 1)
    if tag ~= 6 or behind ~= #octets + 1 or #content == 0 then
        return nil
    end
    local out, value = {}, 0
    for i = 1, #content do
        local b = content:byte(i)
        value = value * 128 + b % 128
        if b < 128 then
            if #out == 0 then
                local first = math.min(math.floor(value / 40), 2)
                out[1], value = first, value - 40 * first
            end
            out[#out + 1], value = string.format("%.0f", value), 0
        end
    end
    return table.concat(out, ".")
end

-- OID and OID-specific payload, of the ID payload and of a SAT.
local function oid(r, tree)
    local octets = r:number(tree, "oid.length", 1)
    local range, item = r:add(tree, "oid", octets)
    local text = range and oid_text(range:raw())
    if text then
        tree:add(F["oid.text"], range, text)
    elseif range then
        item:add_proto_expert_info(E.value, "not the DER encoding of an object identifier (RFC8052-2.1-04)")
    end
    local more = r:number(tree, "oid.payload_length", 2)
    local payload = r:add(tree, "oid.payload", more)
    return (text or hex(range)) .. (payload and " " .. hex(payload) or "")
end

payloads[5] = function(r, tree, m)
    local kind = r:code(tree, "id.type", registry.id, m)
    r:number(tree, "id.protocol", 1)
    r:number(tree, "id.port", 2)
    if kind == 11 and r:left() == 4 then
        local range, item = r:add(tree, "id.number", 4)
        m.id = tostring(S.gdoid and range:le_uint() or range:uint())
        item:append_text(S.gdoid and ", little-endian: " .. m.id or "")
    elseif kind == 13 then
        m.id = oid(r, tree)
    elseif kind == 1 and r:left() == 4 then
        m.id = tostring(r:add(tree, "id.ipv4", 4):ipv4())
    elseif kind == 5 and r:left() == 16 then
        m.id = tostring(r:add(tree, "id.ipv6", 16):ipv6())
    else
        m.id = hex((r:rest(tree, "id.data")))
    end
    return m.id
end

-- SRC and DST of SAK and SAT; no DST ID Prot octet, as the figures have it.
local function endpoint(r, tree, m, side)
    local key = "ep." .. side .. "."
    local kind = r:code(tree, key .. "type", registry.id, m)
    local port = r:number(tree, key .. "port", 2)
    local octets = r:number(tree, key .. "length", 1)
    local text
    if kind == 1 and octets == 4 then
        local range, item = r:add(tree, key .. "ipv4", 4)
        text = tostring(range:ipv4())
        if S.gdoid and m.in_sat then
            text = text:gsub("(%d+)%.(%d+)%.(%d+)%.(%d+)", "%4.%3.%2.%1")
            item:append_text(", reversed: " .. text)
        end
    elseif kind == 5 and octets == 16 then
        text = tostring(r:add(tree, key .. "ipv6", 16):ipv6())
    else
        local range = r:add(tree, key .. "data", octets)
        if range and kind == 4 and octets == 8 then
            text = string.format("%s/%s", tostring(range(0, 4):ipv4()), tostring(range(4, 4):ipv4()))
        else
            text = range and hex(range) or "any"
        end
    end
    return text .. (port ~= 0 and ":" .. port or "")
end

local function endpoints(r, tree, m)
    r:number(tree, "ep.protocol", 1)
    local from = endpoint(r, tree, m, "src")
    return from .. " to " .. endpoint(r, tree, m, "dst")
end

-- ------------------------------------------------------------------------------------------------- SA and below

-- 5.3
local function sak(r, tree, m)
    local sa = {}
    local text = endpoints(r, tree, m)
    local spi = r:add(tree, "sak.spi", 16)
    sa.spi = spi:raw()
    zero(r, tree, S.gdoid and 6 or 4, "RFC6407-5.3-09")
    attributes(r, tree, m, registry.attributes.sak, function(kind, range)
        if kind == 2 and range then
            sa.algorithm = range:uint()
        elseif kind == 1 and range then
            sa.lkh = true
        end
    end)
    m.sak = sa
    return string.format("SPI %s, %s%s", hex(spi), text, sa.lkh and ", LKH" or "")
end

local function sat_ipsec(r, tree, m, key)
    m.in_sat = true
    local text = endpoints(r, tree, m)
    m.in_sat = nil
    local values = key == "sat.esp" and registry.esp or registry.ah
    local transform = r:code(tree, key, values, m)
    local spi = r:add(tree, "sat.spi", 4)
    attributes(r, tree, m, registry.attributes.ipsec)
    return string.format("SPI %s, %s, %s", hex(spi), values:name(transform), text)
end

-- RFC 8052 section 2.2
local function sat_iec(r, tree, m)
    local name = oid(r, tree)
    local spi = r:add(tree, "sat.spi", 4)
    local auth = r:code(tree, "sat.auth", registry.iec_auth, m)
    local enc = r:code(tree, "sat.enc", registry.iec_enc, m)
    r:number(tree, "sat.lifetime", 4)
    attributes(r, tree, m, registry.attributes.iec)
    return string.format("SPI %s, %s, %s, %s", hex(spi), name, registry.iec_auth:name(auth), registry.iec_enc:name(enc))
end

local function sat(r, tree, m)
    local protocol = r:code(tree, "sat.protocol", registry.protocol, m)
    m.sats = m.sats + 1
    if protocol == 1 or protocol == 2 then
        return sat_ipsec(r, tree, m, protocol == 1 and "sat.esp" or "sat.ah")
    elseif protocol == 3 then
        return sat_iec(r, tree, m)
    end
    r:rest(tree, "payload.data")
    return registry.protocol:name(protocol)
end

local function gap(r, tree, m)
    attributes(r, tree, m, registry.attributes.gap)
end

payloads[15], payloads[16], payloads[22] = sak, sat, gap

-- 5.2: a chain of its own inside.
payloads[1] = function(r, tree, m)
    r:number(tree, "sa.doi", 4)
    r:number(tree, "sa.situation", 4)
    local first = r:number(tree, "sa.next", 2)
    zero(r, tree, 2, "RFC6407-5.2-07")
    S.walk(r.tvb, r.at, r.stop, first, tree, m, {[15] = true, [16] = true, [22] = true})
    r.at = r.stop
    return string.format("%s%d SAT", m.sak and "SAK, " or "", m.sats)
end

-- ----------------------------------------------------------------------------------------------------------- KD

-- One array; returns its keys {id, type, handle, data}. Without lengths of their own, the keys share the octets.
local function array(r, tree, m, update)
    local under = nil
    r:number(tree, "lkh.version", 1)
    local count = r:number(tree, "lkh.count", 2)
    r:number(tree, "lkh.reserved", 1)
    if update then
        local id = r:number(tree, "lkh.under.id", 2)
        zero(r, tree, 2, "RFC6407-5.6.3.2-05")
        under = {id = id, handle = (r:number(tree, "lkh.under.handle", 4))}
    end
    if count == 0 or r:left() % count ~= 0 or r:left() / count <= 16 then
        malformed("%d keys do not share %d octets evenly", count, r:left())
    end
    local each, keys = r:left() / count, {}
    for _ = 1, count do
        local node = tree:add(F["lkh.key"], r.tvb(r.at, each))
        local k = {node = node}
        k.id = r:number(node, "lkh.id", 2)
        k.type = r:code(node, "lkh.type", registry.key, m)
        r:number(node, "lkh.reserved", 1)
        r:number(node, "lkh.created", 4)
        r:number(node, "lkh.expires", 4)
        k.handle = r:number(node, "lkh.handle", 4)
        k.data = r:add(node, "lkh.data", each - 16):raw()
        node:set_text(string.format("LKH Key %d, handle 0x%08x", k.id, k.handle))
        keys[#keys + 1] = k
    end
    return keys, under
end

-- What an update array brings to who holds a key of its path (register of choices: lkh_wrap "iv+key").
local function open_update(m, keys, under)
    local group = m.kek and m.kek.group
    for _, held in ipairs(group and group.lkh[under.id .. ":" .. under.handle] or {}) do
        local above = held
        for _, k in ipairs(keys) do
            local size = IV[k.type] or 0
            local plain = S.crypto.cbc_open(k.type, above:sub(size + 1), above:sub(1, size), k.data)
            if not plain then
                return nil
            end
            -- All keys of a group have one length (RFC 6407 section 5.3.2); what follows is padding.
            plain = plain:sub(1, #held)
            S.log:add_lkh(group, k.id, k.handle, plain)
            k.node:add(F["lkh.opened"], ByteArray.new(plain, true):tvb("LKH key " .. k.id)()):set_generated()
            above = plain
        end
        return above, keys[#keys].type
    end
end

-- The new Rekey SA: algorithm, IV and key in one.
local function learn(m, algorithm, octets, origin)
    local size, sak = IV[algorithm or 0], m.sak or m.offered
    if sak and size and #octets > size then
        S.log:add_kek(sak.spi, algorithm, octets:sub(1, size), octets:sub(size + 1), m.kek and m.kek.group, origin)
    end
end

local function lkh_packet(kind, range, node, m)
    if (kind ~= 1 and kind ~= 2) or not range then
        return
    end
    local from = range:offset()
    local keys, under = nil, nil
    guarded(reader(m.tvb, from, from + range:len()), node, m, function(r)
        keys, under = array(r, node, m, kind == 2)
        return true
    end)
    if not keys or #keys == 0 then
        return
    elseif kind == 1 then
        local last = keys[#keys]
        learn(m, last.type, last.data, "a download array")
        local sak = m.sak or m.offered
        local kek = sak and S.log:kek(sak.spi)
        for _, k in ipairs(keys) do
            if kek then
                S.log:add_lkh(kek.group, k.id, k.handle, k.data)
            end
        end
        node:append_text(string.format(": %d keys from leaf %d", #keys, keys[1].id))
    else
        node:append_text(string.format(": %d keys under %d, handle 0x%08x", #keys, under.id, under.handle))
        local root, algorithm = open_update(m, keys, under)
        if root then
            learn(m, algorithm, root, "an update array")
        end
    end
end

local PACKETS = {[1] = "tek", [2] = "kek", [3] = "lkh", [4] = "sid"}

local function packet(r, tree, m)
    local from = r.at
    r:need(5, labels["kd.packet"])
    local octets = r.tvb(from + 2, 2):uint()
    if octets < 5 then
        malformed("KD Length %d is less than its header (RFC6407-5.6-08)", octets)
    end
    r:need(octets, "a key packet")
    local node = tree:add(F["kd.packet"], r.tvb(from, octets))
    local inner = reader(r.tvb, from, from + octets)
    r.at = from + octets
    guarded(inner, node, m, function(p)
        local kind = p:code(node, "kd.type", registry.kd, m)
        p:number(node, "kd.reserved", 1)
        p:number(node, "kd.length", 2)
        local spi = p:add(node, "kd.spi", (p:number(node, "kd.spi_size", 1)))
        node:set_text(registry.kd:name(kind) .. (spi and ", SPI " .. hex(spi) or ""))
        m.packets[#m.packets + 1] = registry.kd:name(kind)
        attributes(p, node, m, registry.attributes[PACKETS[kind]] or {}, function(number, range, item)
            if kind == 2 and number == 1 and range then
                local sak_now = m.sak or m.offered
                learn(m, sak_now and sak_now.algorithm, range:raw(), "a key packet")
            elseif kind == 3 then
                lkh_packet(number, range, item, m)
            end
        end)
        return true
    end)
end

payloads[17] = function(r, tree, m)
    local count = r:number(tree, "kd.packets", 2)
    zero(r, tree, 2, "RFC6407-5.6-05")
    for _ = 1, count do
        packet(r, tree, m)
    end
    return table.concat(m.packets, ", ")
end

-- ------------------------------------------------------------------------------------------------- the small ones

payloads[8] = function(r, tree)
    r:rest(tree, "hash")
end

payloads[9] = function(r, tree)
    r:rest(tree, "signature")
end

payloads[10] = function(r, tree)
    r:rest(tree, "nonce")
end

payloads[18] = function(r, tree, m)
    m.seq = r:number(tree, "seq", 4)
    return tostring(m.seq)
end

-- 5.9; in a GROUPKEY-PUSH protocol 0 is the KEK, and an SPI of zero all of them.
payloads[12] = function(r, tree, m)
    r:number(tree, "sa.doi", 4)
    local protocol = r:number(tree, "delete.protocol", 1)
    local size = r:number(tree, "delete.spi_size", 1)
    local count = r:number(tree, "delete.count", 2)
    for _ = 1, count do
        local range, item = r:add(tree, "delete.spi", size)
        if range and not range:raw():find("[^%z]") then
            item:append_text(" (all)")
        end
    end
    local text = string.format("%d of %s", count, m.exchange == 33 and registry.protocol:name(protocol)
        or "protocol " .. protocol)
    m.notes[#m.notes + 1] = "deletes " .. text
    return text
end

payloads[11] = function(r, tree, m)
    r:number(tree, "sa.doi", 4)
    r:number(tree, "delete.protocol", 1)
    local size = r:number(tree, "delete.spi_size", 1)
    local kind, item = r:code(tree, "notify.type", registry.notify, m)
    if kind < 8192 then
        item:add_proto_expert_info(E.refusal, registry.notify:name(kind))
    end
    r:add(tree, "notify.spi", size)
    if r:left() > 0 then
        r:rest(tree, "notify.data")
    end
    m.notes[#m.notes + 1] = registry.notify:name(kind)
    return registry.notify:name(kind)
end

-- Every generic header from `at` on, with what it holds. Returns where the chain ends.
function S.walk(tvb, at, stop, kind, tree, m, only)
    while kind ~= 0 do
        local name = registry.payload:name(kind)
        if stop - at < GENERIC then
            malformed("%s: no room for a generic payload header", name)
        end
        local octets = tvb(at + 2, 2):uint()
        if octets < GENERIC or at + octets > stop then
            malformed("%s: Payload Length %d, %d octets are left (RFC2408-5.3-03)", name, octets, stop - at)
        end
        local node, this, detail = tree:add(F["payload"], tvb(at, octets)), kind, nil
        node:add(F["payload.type"], this):set_generated()
        if registry.payload:status(this) ~= "assigned" or (only and not only[this]) then
            node:add_proto_expert_info(E.unknown, name .. " has no place here")
        end
        guarded(reader(tvb, at, at + octets), node, m, function(r)
            kind = r:code(node, "payload.next", registry.payload, m)
            local reserved, item = r:number(node, "payload.reserved", 1)
            if reserved ~= 0 then
                item:add_proto_expert_info(E.reserved, "RESERVED is not zero (RFC2408-5.3-04)")
            end
            r:number(node, "payload.length", 2)
            if payloads[this] then
                detail = payloads[this](r, node, m)
            else
                r:rest(node, "payload.data")
            end
            return true
        end)
        node:set_text(name .. (detail and detail ~= "" and ": " .. detail or ""))
        at = at + octets
    end
    return at
end

-- SPDX-License-Identifier: BSD-2-Clause
-- Wireshark dissector for GSAKMP, the Group Secure Association Key Management Protocol (RFC 4535).
--
-- Section numbers are those of RFC 4535. Where the RFC is silent, the defaults of the suite's register of
-- choices hold (common/doc/choices.md); other readings are shown only where the octets leave no doubt.
-- This file has the header, the chain of payloads, UDP and TCP; the other gsakmp_*.lua lie beside it.

local S = {prefix = "gsakmp"} -- what the parts share

-- The parts lie beside this file, wherever it was loaded from: __DIR__ is of no use to a relative path.
local function part(name)
    local source = debug.getinfo(1, "S").source:match("^@(.*[/\\])[^/\\]*$")
    for _, directory in ipairs {source or "./", (__DIR__ or ".") .. "/"} do
        local file = io.open(directory .. name, "rb")
        if file then
            file:close()
            return assert(loadfile(directory .. name))(S)
        end
    end
    error(name .. " is not beside gsakmp.lua")
end

S.registry = part("gsakmp_registry.lua")
S.crypto = part("gsakmp_crypto.lua")
part("gsakmp_keyfile.lua")
S.keylog = part("gsakmp_keylog.lua")
part("gsakmp_schema.lua")
part("gsakmp_fields.lua")
part("gsakmp_reader.lua")
part("gsakmp_payloads.lua")
part("gsakmp_token.lua")

local registry, F, labels, E = S.registry, S.F, S.labels, S.E
local reader, guarded, malformed, payloads = S.reader, S.guarded, S.malformed, S.payloads

local PORT = 3761
local LARGEST = 2 ^ 20 -- a longer TCP message is taken for garbage, not waited for
local GENERIC = 4
local X_REKEY, X_RTJ = 5, 8

local gsakmp = Proto("gsakmp", "Group Secure Association Key Management Protocol")

local function values(map)
    local list = {}
    for _, v in pairs(map) do
        list[#list + 1] = v
    end
    return list
end

gsakmp.fields, gsakmp.experts = values(F), values(E)
gsakmp.prefs.keylog = Pref.string("Key log file", "", "Written by the daemons with --keylog; decrypts captures")
gsakmp.prefs.ports = Pref.range("Further ports", "",
    "UDP and TCP ports besides 3761, such as the port of the rekey multicast", 65535)

-- -------------------------------------------------------------------------------------------- chain and header

-- The payloads of a message without judging them: {type, from, to}; `fault` says why a chain stops early.
local function chain(tvb, at, stop, kind)
    local found = {}
    while kind ~= 0 do
        local p = {kind = kind, from = at, to = stop}
        if stop - at < GENERIC then
            p.fault = stop == at and "the chain names a payload that is not there"
                or "no room for a generic payload header"
        else
            local octets = tvb(at + 2, 2):uint()
            if octets < GENERIC then
                p.fault = string.format("Payload Length %d is less than its header (RFC4535-7.2.2-03)", octets)
            elseif at + octets > stop then
                p.fault = string.format("Payload Length %d, %d octets are left (RFC4535-7.2.2-03)", octets, stop - at)
            else
                p.to = at + octets
            end
        end
        found[#found + 1] = p
        if p.fault then
            return found
        end
        kind, at = tvb(at, 1):uint(), p.to
    end
    return found
end

-- What payloads must know of each other, wherever they stand: Vendor ID and nonces.
local function survey(tvb, m)
    for _, p in ipairs(m.chain) do
        if p.kind == 10 and p.to - p.from == GENERIC + #registry.vendor_id / 2
            and tvb(p.from + GENERIC, p.to - p.from - GENERIC):bytes():tohex(true) == registry.vendor_id then
            m.vendor = true
        elseif p.kind == 12 and not p.fault and p.to - p.from > GENERIC + 1 then
            m.nonces[tvb(p.from + GENERIC, 1):uint()] =
                tvb(p.from + GENERIC + 1, p.to - p.from - GENERIC - 1):raw()
        end
    end
end

-- Payloads of a message that nothing limits: Rekey Event, Certificate, Vendor ID.
local REPEATABLE = {[3] = true, [6] = true, [10] = true}

-- What may stand there once only (7). Nonces differ by their type. Notifications do in an RTJ, where
-- IPv4-Value and IPv6-Value (34, 35) are one; all other exchanges have a place for one.
local function place(tvb, p, m)
    if REPEATABLE[p.kind] then
        return nil
    end
    local octets = ({[9] = m.exchange == X_RTJ and 2 or 0, [12] = 1})[p.kind] or 0
    if octets == 0 or p.to - p.from < GENERIC + octets then
        return tostring(p.kind)
    end
    local kind = tvb(p.from + GENERIC, octets):uint()
    return p.kind .. "." .. (p.kind == 9 and kind == 35 and 34 or kind)
end

local function payload(tvb, p, tree, m)
    local name = registry.payload:name(p.kind)
    if p.from == p.to then
        tree:add_proto_expert_info(E.malformed, string.format("%s: %s", name, p.fault))
        m.malformed = true
        return
    end
    local node = tree:add(F["payload"], tvb(p.from, p.to - p.from))
    node:add(F["payload.type"], p.kind):set_generated()
    local status, detail = registry.payload:status(p.kind), nil
    if status == "private" then
        node:add_proto_expert_info(E.private, "private payload type")
    elseif status ~= "assigned" then
        node:add_proto_expert_info(E.unknown, name .. " is not assigned (RFC4535-7.2.2-01)")
    end
    local where = place(tvb, p, m)
    if where and m.places[where] then
        node:add_proto_expert_info(E.value, name .. ": there is one already (RFC4535-7-04)")
    elseif where then
        m.places[where] = true
    end
    guarded(reader(tvb, p.from, p.to), node, m, function(r)
        r:code(node, "payload.next", registry.payload, m)
        local reserved, item = r:number(node, "payload.reserved", 1)
        if reserved ~= 0 then
            item:add_proto_expert_info(E.reserved, "RESERVED is not zero (RFC4535-7.2.2-02)")
        end
        r:number(node, "payload.length", 2)
        if p.fault then
            malformed("%s", p.fault)
        elseif payloads[p.kind] then
            detail = payloads[p.kind](r, node, m)
        else
            r:rest(node, "payload.data")
        end
    end)
    node:set_text(name .. (detail and ": " .. detail or ""))
end

-- 7.1.1.1: what is inside the GroupID value.
local group_id_forms = {}

group_id_forms[1] = function(r, tree)
    local random, item = r:text(tree, "groupid.random_text", 16)
    if not random:find("^%x+$") then
        item:add_proto_expert_info(E.value, "Random Value is not 16 hexadecimal digits (7.1.1.1.1)")
    end
    r:need(1, labels["groupid.utf8"])
    r:text(tree, "groupid.utf8", r:left())
end

group_id_forms[2] = function(r, tree)
    r:add(tree, "groupid.random", 8)
    r:need(1, labels["groupid.octets"])
    r:rest(tree, "groupid.octets")
end

group_id_forms[3] = function(r, tree)
    r:add(tree, "groupid.random", 8)
    r:add(tree, "groupid.ipv4", 4)
end

group_id_forms[4] = function(r, tree)
    r:add(tree, "groupid.random", 8)
    r:add(tree, "groupid.ipv6", 16)
end

-- Octets of the header and of the message, as soon as both can be read.
local function extent(tvb, at, available)
    if available < 2 then
        return nil
    end
    local header = 13 + tvb(at + 1, 1):uint()
    if available < header then
        return nil
    end
    return header, tvb(at + header - 4, 4):uint()
end

local function header(r, tree, m)
    m.group_id_type = r:code(tree, "groupid.type", registry.group_id, m)
    local octets, length_item = r:number(tree, "groupid.length", 1)
    if octets == 0 then
        length_item:add_proto_expert_info(E.malformed, "GroupID Length is zero (RFC4535-7.1.1-04)")
    end
    local range, item = r:add(tree, "groupid", octets)
    m.group_id = range and range:raw() or ""
    if range and group_id_forms[m.group_id_type] then
        guarded(reader(r.tvb, r.at - octets, r.at), item, m, group_id_forms[m.group_id_type])
    end
    m.first = r:code(tree, "next_payload", registry.payload, m)
    local version, version_item = r:number(tree, "version", 1)
    m.version = version
    if version ~= 1 then
        version_item:add_proto_expert_info(E.value, "version is not 1 (RFC4535-7.1.2-04)")
    end
    m.exchange = r:code(tree, "exchange", registry.exchange, m)
    local sequence, sequence_item = r:number(tree, "seq", 4)
    m.sequence = sequence
    if m.exchange ~= X_REKEY and sequence ~= 0 then
        sequence_item:add_proto_expert_info(E.value, "Sequence ID of a negotiation message is 0 (RFC4535-7.1.2-08)")
    elseif m.exchange == X_REKEY and sequence == 0 then
        sequence_item:add_proto_expert_info(E.value, "Sequence IDs start at 1 (RFC4535-7.1.1-11)")
    elseif sequence == 2 ^ 32 - 1 then
        sequence_item:append_text(" (end of the group)")
    end
    local _, item_length = r:number(tree, "length", 4)
    m.length_item = item_length
end

local function summary(m)
    local name = registry.exchange_short[m.exchange] or registry.exchange:name(m.exchange)
    local out = {name}
    if m.exchange == X_REKEY then
        out[1] = name .. " seq " .. (m.sequence == 2 ^ 32 - 1 and "0xffffffff" or m.sequence)
        if m.sequence == 2 ^ 32 - 1 then
            out[#out + 1] = "end of the group"
        end
        if m.rekey_datas > 0 then
            out[#out + 1] = m.rekey_datas .. " data"
        end
        if m.token then
            out[#out + 1] = "token"
        end
    else
        out[1] = name .. (m.signer and " from " .. m.signer or "") .. (m.identity and " to " .. m.identity or "")
        for _, note in ipairs(m.notes) do
            out[#out + 1] = note
        end
    end
    if m.version ~= 1 then
        out[#out + 1] = "version " .. m.version
    end
    if m.malformed then
        out[#out + 1] = "[malformed]"
    end
    return table.concat(out, ", ")
end

local dissect_message

-- 7.1.2: behind a header of a later version there can be a whole message of version 1.
local function later_version(r, tree, m)
    local octets, length = extent(r.tvb, r.at, r:left())
    if not octets or length < octets or length > r:left() or r.tvb(r.at + octets - 10, 1):uint() ~= 1
        or r.tvb(r.at, octets - 11):raw() ~= string.char(m.group_id_type, #m.group_id) .. m.group_id then
        return false
    end
    local node = tree:add(F["embedded"], r.tvb(r.at, length))
    m.embedded = dissect_message(r.tvb, m.pinfo, node, r.at, r.at + length)
    r.at = r.at + length
    r:rest(tree, "payload.data")
    return true
end

-- One message in tvb[from, stop). Returns the text for the info column.
dissect_message = function(tvb, pinfo, tree, from, stop)
    local m = {pinfo = pinfo, from = from, nonces = {}, notes = {}, places = {}, rekey_datas = 0, chain = {}}
    local octets, length = extent(tvb, from, stop - from)
    local read = guarded(reader(tvb, from, octets and from + octets or stop), tree, m, function(r)
        if octets and length >= octets and tvb(from + octets - 10, 1):uint() == 1 then
            m.chain = chain(tvb, from + octets, math.min(stop, from + length), tvb(from + octets - 11, 1):uint())
            survey(tvb, m)
        end
        header(r, tree, m)
        return true
    end)
    if not read then
        return "[malformed header]"
    end
    local body = reader(tvb, from + octets, stop)
    if length < octets then
        m.length_item:add_proto_expert_info(E.malformed, "Length is less than the header (RFC4535-7.1.2-11)")
        m.malformed = true
    elseif length > stop - from then
        m.length_item:add_proto_expert_info(E.malformed,
            string.format("Length is %d, only %d octets are here (RFC4535-7.1.2-11)", length, stop - from))
        m.malformed = true
    else
        body.stop = from + length
    end
    if m.version == 1 then
        guarded(body, tree, m, function(r)
            for _, p in ipairs(m.chain) do
                payload(tvb, p, tree, m)
                r.at = p.to
            end
        end)
        if #m.chain == 0 and length >= octets then
            tree:add_proto_expert_info(E.malformed, "a message has at least one payload (7)")
            m.malformed = true
        end
    elseif not later_version(body, tree, m) then
        body:rest(tree, "payload.data")
    end
    if length >= octets and from + length < stop then
        tree:add(F["trailing"], tvb(from + length, stop - from - length)):add_proto_expert_info(E.trailing,
            string.format("%d octets follow the message (RFC4535-7.1.2-11)", stop - from - length))
        m.malformed = true
    end
    return summary(m) .. (m.embedded and ": " .. m.embedded or "")
end

-- ------------------------------------------------------------------------------------------------ UDP and TCP

-- Shows one message; `more` when the info column already tells of another one in the same segment.
local function show(tvb, pinfo, root, from, stop, more)
    local tree = root:add(gsakmp, tvb(from, stop - from))
    if S.log.bad_lines > 0 then
        tree:add_proto_expert_info(E.keylog, S.log.bad_lines .. " lines of the key log file cannot be read")
    elseif S.log.missing then
        tree:add_proto_expert_info(E.keylog, "the key log file cannot be read")
    end
    local text = dissect_message(tvb, pinfo, tree, from, stop)
    tree:append_text(": " .. text)
    -- Last, because certificates and tokens are dissected by others, who write into the columns too.
    pinfo.cols.protocol = "GSAKMP"
    pinfo.cols.info:set((more and " | " or "") .. text)
    pinfo.cols.info:fence()
end

local function stream(tvb, pinfo, root)
    local at, size = 0, tvb:len()
    while at < size do
        local octets, length = extent(tvb, at, size - at)
        if not octets then
            pinfo.desegment_offset, pinfo.desegment_len = at, DESEGMENT_ONE_MORE_SEGMENT
            return size
        end
        if length < octets or length > LARGEST then
            length = size - at -- the stream is lost: there is no next message to be found
        elseif length > size - at then
            pinfo.desegment_offset, pinfo.desegment_len = at, length - (size - at)
            return size
        end
        show(tvb, pinfo, root, at, at + length, at > 0)
        at = at + length
    end
    return size
end

function gsakmp.dissector(tvb, pinfo, root)
    if tvb:len() == 0 then
        return 0
    end
    if pinfo.port_type == 2 then -- PT_TCP
        return stream(tvb, pinfo, root)
    end
    show(tvb, pinfo, root, 0, tvb:len(), false)
    return tvb:len()
end

-- --------------------------------------------------------------------------------------------- registration

local function forget()
    S.forget(gsakmp.prefs.keylog)
end
gsakmp.init = forget

local tables = {DissectorTable.get("udp.port"), DissectorTable.get("tcp.port")}
local further = ""

for _, t in ipairs(tables) do
    t:add(PORT, gsakmp)
end

function gsakmp.prefs_changed()
    local wanted = gsakmp.prefs.ports
    if wanted ~= further then
        for _, t in ipairs(tables) do
            if further ~= "" then
                t:remove(further, gsakmp)
                t:add(PORT, gsakmp) -- in case the range had it too
            end
            if wanted ~= "" then
                t:add(wanted, gsakmp)
            end
        end
        further = wanted
    end
    forget()
end

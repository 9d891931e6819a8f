-- SPDX-License-Identifier: BSD-2-Clause
-- What a policy token says (RFC 4534), inside the CMS object that Wireshark dissects: every DER element, with
-- object identifiers, numbers, strings and times. Octet strings that hold DER are opened too, because the
-- token keeps the parameters of its mechanisms in them.

local S = ...
if type(S) ~= "table" then
    return -- Wireshark runs every file of a plugin folder; only gsakmp.lua has something to do there
end
local der = S.der

local CONTENT_TYPE = "1.3.6.1.5.5.12.1.1" -- RFC 4534 section 2
local DEEPEST = 32

local token = Proto("gsakmp_token", "GSAKMP Policy Token")
local F = {
    element = ProtoField.none("gsakmp_token.element", "Element"),
    oid = ProtoField.oid("gsakmp_token.oid", "OBJECT IDENTIFIER"),
    text = ProtoField.string("gsakmp_token.text", "String"),
    octets = ProtoField.bytes("gsakmp_token.octets", "Octets"),
    integer = ProtoField.bytes("gsakmp_token.integer", "INTEGER"),
}
token.fields = {F.element, F.oid, F.text, F.octets, F.integer}
local malformed = ProtoExpert.new("gsakmp_token.malformed", "Not DER", expert.group.MALFORMED, expert.severity.ERROR)
token.experts = {malformed}

local NAMES = {[0x01] = "BOOLEAN", [0x02] = "INTEGER", [0x03] = "BIT STRING", [0x04] = "OCTET STRING",
    [0x05] = "NULL", [0x06] = "OBJECT IDENTIFIER", [0x0A] = "ENUMERATED", [0x0C] = "UTF8String",
    [0x13] = "PrintableString", [0x16] = "IA5String", [0x17] = "UTCTime", [0x18] = "GeneralizedTime",
    [0x30] = "SEQUENCE", [0x31] = "SET"}
local TEXT = {[0x0C] = true, [0x13] = true, [0x16] = true, [0x17] = true, [0x18] = true}

local function name_of(tag)
    if tag >= 0x80 then
        return string.format("[%d]", tag % 0x20)
    end
    return NAMES[tag] or string.format("tag 0x%02x", tag)
end

-- Is s one or more whole elements, and what is in them, too?  A hash can look like one from outside.
local function whole(s, depth)
    local at = 1
    while at <= #s do
        local tag, content, behind = der(s, at)
        if not tag or tag == 0 or depth > DEEPEST then
            return false
        end
        if tag % 0x40 >= 0x20 and #content > 0 and not whole(content, depth + 1) then
            return false
        end
        at = behind
    end
    return #s > 0
end

-- `s` has the octets of `tvb` from `base` on.
local function walk(tvb, base, s, tree, depth)
    local at = 1
    while at <= #s do
        local tag, content, behind = der(s, at)
        if not tag or depth > DEEPEST then
            tree:add(F.octets, tvb(base + at - 1, #s - at + 1)):add_proto_expert_info(malformed)
            return
        end
        local node = tree:add(F.element, tvb(base + at - 1, behind - at)):set_text(name_of(tag))
        local inside = base + behind - 1 - #content
        if #content > 0 then
            local range = tvb(inside, #content)
            if tag % 0x40 >= 0x20 then
                walk(tvb, inside, content, node, depth + 1)
            elseif tag == 0x06 then
                node:add(F.oid, range)
            elseif TEXT[tag] or (content:find("^[\x20-\x7E]+$") and tag ~= 0x02 and not whole(content, depth + 1)) then
                node:add_packet_field(F.text, range, ENC_UTF_8)
            elseif tag == 0x02 then
                node:add(F.integer, range)
            else
                local item = node:add(F.octets, range)
                if tag == 0x04 and whole(content, depth + 1) then
                    walk(tvb, inside, content, item, depth + 1)
                end
            end
        end
        at = behind
    end
end

function token.dissector(tvb, _, root)
    if tvb:len() > 0 then
        walk(tvb, 0, tvb:raw(), root:add(token, tvb()), 1)
    end
    return tvb:len()
end

DissectorTable.get("ber.oid"):add(CONTENT_TYPE, token)

-- SPDX-License-Identifier: BSD-2-Clause
-- What Wireshark's own ISAKMP dissector does not show of GDOI: GROUPKEY-PUSH opened and read, the SA, KD and other
-- payloads of RFC 6407 inside GROUPKEY-PULL, LKH arrays, RFC 8052, acknowledgements of RFC 8263.
--
-- It adds a tree below that of Wireshark's dissector, which cannot decrypt a phase 1 SA with DOI 2 and reads SA and KD
-- as RFC 3547 had them. UDP port 848 is given to ISAKMP, where nobody does that otherwise.
-- The readings of the RFCs are the defaults of the suite's register of choices (common/doc/choices-gdoi.md).

local S = {prefix = "gdoi"} -- what the parts share

local function part(name)
    local source = debug.getinfo(1, "S").source:match("^@(.*[/\\])[^/\\]*$")
    for _, directory in ipairs {source or "./", (__DIR__ or ".") .. "/"} do
        local file = io.open(directory .. name, "rb")
        if file then
            file:close()
            return assert(loadfile(directory .. name))(S)
        end
    end
    error(name .. " is not beside gdoi.lua")
end

S.registry = part("gdoi_registry.lua")
S.crypto = part("gsakmp_crypto.lua")
part("gsakmp_keyfile.lua")
S.keylog = part("gdoi_keylog.lua")
part("gsakmp_schema.lua")
part("gdoi_fields.lua")
part("gsakmp_reader.lua")
part("gdoi_payloads.lua")

local registry, F, E = S.registry, S.F, S.E
local reader, guarded = S.reader, S.guarded

local PORT = 848
local HEADER = 28
local INFORMATIONAL, PULL, PUSH, ACK = 5, 32, 33, 35 -- 2 and 4 are Main and Aggressive Mode

local gdoi = Proto("gdoi", "Group Domain of Interpretation")

local function values(map)
    local list = {}
    for _, v in pairs(map) do
        list[#list + 1] = v
    end
    return list
end

gdoi.fields, gdoi.experts = values(F), values(E)
gdoi.prefs.keylog = Pref.string("Key log file", "", "Written by the daemons with --keylog; opens GROUPKEY-PUSH messages")
gdoi.prefs.ports = Pref.range("Further ports", "", "UDP ports besides 848 on which there is GDOI, such as that of the "
    .. "rekey multicast", 65535)

gdoi.prefs.gdoid = Pref.bool("Habits of gdoid", false, "Read what the Cisco reference implementation sends: six octets "
    .. "behind the SPI of a SAK, addresses and group numbers in the order of its processor, 0 for an absent attribute")

local isakmp = Field.new("isakmp")

-- Do payloads of these types follow each other up to the padding?
local function sound(plain, kind, block)
    local at = 1
    while kind ~= 0 do
        local next_kind, reserved, high, low = plain:byte(at, at + 3)
        local octets = low and high * 256 + low
        if not low or reserved ~= 0 or octets < 4 or at + octets - 1 > #plain then
            return false
        end
        kind, at = next_kind, at + octets
    end
    return #plain - at + 1 <= block
end

-- By the octets of key and IV: DES, 3DES, AES.
local function algorithm_of(key, iv)
    return #iv == 16 and 3 or #key == 8 and 1 or 2
end

-- A message under a phase 1 SA in clear; nil and why not.
local function open_under_sa(message)
    local sa = S.log:sa(message(0, 16):raw())
    local id = message(20, 4):raw()
    local body = message(HEADER, message:len() - HEADER):raw()
    if not sa.key or not sa.ivs[id] then
        return nil, "no key for this phase 1 SA or no IV for this exchange"
    end
    local ivs = sa.ivs[id]
    for i = #ivs, 1, -1 do
        local algorithm = algorithm_of(sa.key, ivs[i])
        local plain = S.crypto.cbc_open(algorithm, sa.key, ivs[i], body)
        if plain and sound(plain, message(16, 1):uint(), #ivs[i]) then
            S.log:add_iv(sa, id, body:sub(-#ivs[i]))
            return ByteArray.new(plain, true):tvb("Decrypted " .. registry.exchange:name(message(18, 1):uint()))
        end
    end
    return nil, "the key of this phase 1 SA does not fit"
end

-- The octets of a GROUPKEY-PUSH in clear, as a tvb: payloads only; nil and why not.
local function open(message, m)
    local kek = S.log:kek(message(0, 16):raw())
    local body = message(HEADER, message:len() - HEADER):raw()
    m.kek = kek
    if not kek or #kek.keys == 0 then
        return nil, "no key for this Rekey SA"
    end
    for _, key in ipairs(kek.keys) do
        local plain = S.crypto.cbc_open(key.algorithm, key.key, key.iv, body)
        if plain and sound(plain, message(16, 1):uint(), #key.iv) then
            return ByteArray.new(plain, true):tvb("Decrypted GROUPKEY-PUSH"), key
        end
    end
    return nil, "the key does not fit"
end

-- Payloads in tvb[from, stop): padding may follow the last of them, less than a block.
local function chain(tvb, from, stop, first, tree, m, padded)
    m.tvb = tvb
    guarded(reader(tvb, from, stop), tree, m, function(r)
        local behind = S.walk(tvb, from, stop, first, tree, m)
        if padded and behind < stop then
            tree:add(F["padding"], tvb(behind, stop - behind))
            behind = stop
        end
        r.at = behind
        return true
    end)
end

local function summary(m)
    local out = {registry.exchange:name(m.exchange)}
    if m.seq then
        out[#out + 1] = "SEQ " .. m.seq
    end
    if m.id then
        out[#out + 1] = (m.exchange == ACK and "from " or "group ") .. m.id
    end
    if m.sak then
        out[#out + 1] = m.sak.lkh and "new KEK by LKH" or "KEK"
    end
    if m.sats > 0 then
        out[#out + 1] = m.sats .. " SAT"
    end
    if #m.packets > 0 then
        out[#out + 1] = "keys: " .. table.concat(m.packets, " ")
    end
    for _, note in ipairs(m.notes) do
        out[#out + 1] = note
    end
    if m.locked then
        out[#out + 1] = "[" .. m.locked .. "]"
    end
    if m.malformed then
        out[#out + 1] = "[malformed]"
    end
    return table.concat(out, ", ")
end

local function push(message, tree, m)
    tree:add(F["spi"], message(0, 16))
    local clear, key = open(message, m)
    if not clear then
        m.locked = key
        tree:add(F["encrypted"], message(HEADER, message:len() - HEADER)):add_proto_expert_info(
            m.kek and #m.kek.keys > 0 and E.wrong_key or E.locked, key)
        return
    end
    tree:add(F["decrypted"], "KEK from " .. key.origin):set_generated()
    chain(clear, 0, clear:len(), message(16, 1):uint(), tree, m, true)
end

local function inside(message, tree, m)
    if message(19, 1):uint() % 2 == 0 then
        chain(message:tvb(), HEADER, message:len(), message(16, 1):uint(), tree, m, false)
        return
    end
    local sa, id = S.log:sa(message(0, 16):raw()), message(20, 4):raw()
    local clear, why = open_under_sa(message)
    m.offered = sa.saks[id] -- message 2 says what the keys of message 4 are for
    if clear then
        tree:add(F["decrypted"], "the key of the phase 1 SA"):set_generated()
        chain(clear, 0, clear:len(), message(16, 1):uint(), tree, m, true)
        sa.saks[id] = m.sak or m.offered
    else
        m.locked = why
        tree:add(F["encrypted"], message(HEADER, message:len() - HEADER)):add_proto_expert_info(E.locked, why)
    end
end

local function show(message, pinfo, root)
    local exchange = message(18, 1):uint()
    local phase1 = exchange == 2 or exchange == 4
    if not (phase1 or exchange == INFORMATIONAL or exchange == PULL or exchange == PUSH or exchange == ACK)
        or (phase1 and message(19, 1):uint() % 2 == 0) then
        return -- in clear, Wireshark's dissector shows all of phase 1
    end
    local m = {pinfo = pinfo, exchange = exchange, sats = 0, packets = {}, notes = {}}
    local tree = root:add(gdoi, message)
    tree:add(F["exchange"], message(18, 1))
    if S.log.bad_lines > 0 then
        tree:add_proto_expert_info(E.keylog, S.log.bad_lines .. " lines of the key log file cannot be read")
    elseif S.log.missing then
        tree:add_proto_expert_info(E.keylog, "the key log file cannot be read")
    end
    if exchange == PUSH then
        push(message, tree, m)
    else
        inside(message, tree, m)
    end
    local text = summary(m)
    tree:append_text(": " .. text)
    if exchange > INFORMATIONAL then
        pinfo.cols.protocol = "GDOI"
        pinfo.cols.info:set(text)
    end
end

function gdoi.dissector(_, pinfo, root)
    local found = {isakmp()}
    local range = #found > 0 and found[1].range or nil
    if not range or range:len() < HEADER then
        return
    end
    local length = range(24, 4):uint()
    if length < HEADER or length > range:len() then
        return -- Wireshark's dissector has said so already
    end
    S.log:update()
    show(range(0, length), pinfo, root)
end

local further = ""
local ports = DissectorTable.get("udp.port")

local function forget()
    S.log, S.gdoid = S.keylog.new(gdoi.prefs.keylog), gdoi.prefs.gdoid
end
gdoi.init = forget
forget()

ports:add(PORT, Dissector.get("isakmp"))
function gdoi.prefs_changed()
    local wanted = gdoi.prefs.ports
    if wanted ~= further then
        if wanted ~= "" then
            ports:add(wanted, Dissector.get("isakmp"))
        end
        further = wanted
    end
    forget()
end

register_postdissector(gdoi)

-- SPDX-License-Identifier: BSD-2-Clause
-- The payloads of RFC 4535 sections 7.3 to 7.12, decrypted where the key log allows it.

local S = ...
if type(S) ~= "table" then
    return -- Wireshark runs every file of a plugin folder; only gsakmp.lua has something to do there
end
local registry, crypto, Keylog = S.registry, S.crypto, S.keylog
local F, labels, E = S.F, S.labels, S.E
local reader, guarded, malformed, hand_over = S.reader, S.guarded, S.malformed, S.hand_over
local identity, der = S.identity, S.der
local X_REKEY = 5

local opened, opened_count = {}, 0

-- Starts anew: with every capture, and with another key log file.
function S.forget(path)
    S.log = Keylog.new(path)
    S.log:update()
    opened, opened_count = {}, 0
end

-- Tries the keys that candidates() names. A wrong key can get past the padding of CBC, so the plaintext that
-- `fits` wins over an earlier one that does not. Returns the plaintext as a buffer of its own, or nil.
local function decrypt(m, tree, range, what, aad, candidates, fits, plausible)
    local octets, plain, how, used, reason = range:raw(), nil, nil, nil, nil
    local memory = what .. m.group_id .. aad .. octets
    if opened[memory] then
        plain, how, used = table.unpack(opened[memory])
    end
    for attempt = 1, 2 do
        if plain or (attempt == 2 and not S.log:update()) then
            break
        end
        for _, entry in ipairs(candidates()) do
            local try, try_how = crypto.open(entry.key_type, entry.key, octets, aad, plausible)
            if try and (not plain or fits(try)) then
                plain, how, used = try, try_how, entry
            end
            if plain and fits(plain) then
                break
            end
            reason = reason or try_how
        end
    end
    if not plain then
        if reason then
            tree:add_proto_expert_info(E.wrong_key, what .. ": " .. reason)
        else
            tree:add_proto_expert_info(E.locked, "no key is known for " .. what
                .. (S.log.missing and "; the key log file cannot be read" or ""))
        end
        return nil
    end
    if not opened[memory] then
        if opened_count >= 4096 then
            opened, opened_count = {}, 0
        end
        opened[memory], opened_count = {plain, how, used}, opened_count + 1
    end
    local name = used.handle and string.format("key %s/%s (%s)", Struct.tohex(used.key_id),
        Struct.tohex(used.handle), used.origin) or "KEK of the registration (key log)"
    tree:add(F["decrypted"], range, how):set_generated()
    tree:add(F["decrypted.key"], range, name):set_generated()
    if #plain == 0 then
        tree:add_proto_expert_info(E.malformed, what .. ": the plaintext is empty")
        return nil
    end
    return ByteArray.new(plain, true):tvb("Decrypted " .. what)
end

-- Under the KEK of the registration, which Nonce_R names (or the time, in a group without nonces).
local function registration_keys(m)
    return function()
        return S.log:keks(m.group_id, m.nonces[2] or "")
    end
end

-- ---------------------------------------------------------------------------------- 7.3 policy token payload

local function begins_der(start)
    return start:byte(1) == 0x30
end

local function is_der(s)
    local tag, _, behind = der(s, 1)
    return tag == 0x30 and behind == #s + 1
end

-- A counter of two octets and as many structures of type and length: figures 11 and 16.
local function counted(s)
    if #s < 2 then
        return false
    end
    local left, at = s:byte(1) * 256 + s:byte(2), 3
    while left > 0 and at + 2 <= #s do
        left, at = left - 1, at + 3 + s:byte(at + 1) * 256 + s:byte(at + 2)
    end
    return left == 0 and at == #s + 1
end

local payloads = {} -- by payload type: dissects what follows the generic header, returns a detail

local function show_token(tvb, tree, m)
    local content = tvb:raw()
    local tag, body = der(content, 1)
    if tag ~= 0x30 then
        tree:add_proto_expert_info(E.malformed, "policy token is not a CMS object")
    elseif body:byte(1) == 6 then
        hand_over("application/pkcs7-mime", tvb:range(), m, tree)
    else -- register of choices, pt_form "signeddata"
        tree:add_proto_expert_info(E.value, "CMS SignedData that is not in a ContentInfo")
        pcall(function()
            local ber = Dissector.get("ber")
            ber:call(tvb, m.pinfo, tree)
        end)
    end
end

payloads[1] = function(r, tree, m)
    local aad = r:peek() and r:left() >= 2 and r.tvb(r.at, 2):raw()
    local kind = r:code(tree, "token.type", registry.token, m)
    local range, item = r:rest(tree, "token.data")
    m.token = true
    if not range then
        tree:add_proto_expert_info(E.malformed, "policy token is empty")
        return registry.token:name(kind)
    end
    if is_der(range:raw()) then
        show_token(range:tvb(), item, m)
        return registry.token:name(kind) .. ", not encrypted"
    end
    local candidates = registration_keys(m)
    if m.exchange == X_REKEY then
        candidates = function() -- under a GTPK (5.3.1.1), which the message does not name
            return S.log:keys(m.group_id)
        end
    end
    local plain = decrypt(m, item, range, "Policy Token", aad, candidates, is_der, begins_der)
    if plain then
        show_token(plain, item, m)
    end
    return registry.token:name(kind) .. (plain and ", decrypted" or "")
end

-- ---------------------------------------------------------------------------------- 7.4 key download payload

-- 7.4.1.1. `alone`: the Key Data is all that is left of the window.
local function key_datum(r, tree, m, alone)
    local node = tree:add(F["key"], r:peek() or r.tvb(0, 0))
    local from = r.at
    local kind = r:code(node, "key.type", registry.key, m)
    local id = r:add(node, "key.id", 4)
    local handle = r:add(node, "key.handle", 4)
    local created = r:date(node, "key.created")
    local expires = r:date(node, "key.expires")
    if expires <= created then
        node:add_proto_expert_info(E.value, "key expires before it is created")
    end
    local known = registry.key_octets[kind]
    if not known and not alone then
        malformed("the length of a key of type %d is not known", kind)
    end
    if alone and known and r:left() ~= known then
        node:add_proto_expert_info(E.value,
            string.format("%d octets of Key Data for a key of %d", r:left(), known))
    end
    local data = r:add(node, "key.data", alone and r:left() or known)
    node:set_len(r.at - from)
    node:set_text(string.format("Key Datum: %s, key %s, handle %s", registry.key:name(kind),
        id:bytes():tohex(), handle:bytes():tohex()))
    if data then
        S.log:add_key(m.group_id, id:raw(), handle:raw(), kind, data:raw(), "frame " .. m.pinfo.number)
    end
end

-- 7.4.1.2
local function rekey_array(r, tree, m)
    local version, item = r:number(tree, "array.version", 1)
    if version ~= 1 then
        item:add_proto_expert_info(E.value, "Rekey Version of LKH is 1 (A.2)")
    end
    r:add(tree, "array.member_id", 4)
    local count = r:number(tree, "array.keys", 2)
    for _ = 1, count do
        key_datum(r, tree, m, false)
    end
end

-- Key Download Data Items and Key Packages: type, length, structure.
local function key_item(r, tree, m, key, lkh)
    local node = tree:add(F[key], r:peek() or r.tvb(0, 0))
    local from = r.at
    local kind = r:code(node, key .. ".type", registry.kdd_item, m)
    local octets = r:number(node, key .. ".length", 2)
    local inner = r:sub(octets, labels[key])
    node:set_len(r.at - from)
    node:set_text(labels[key] .. ": " .. registry.kdd_item:name(kind))
    if kind == 0 then
        guarded(inner, node, m, key_datum, true)
    elseif kind == 1 then
        guarded(inner, node, m, lkh, true)
    else
        inner:rest(node, "undissected")
    end
end

local function key_download(r, tree, m)
    local count = r:number(tree, "keydl.items", 2)
    for _ = 1, count do
        key_item(r, tree, m, "keydl.item", rekey_array)
    end
end

payloads[2] = function(r, tree, m)
    local range, item = r:rest(tree, "keydl.encrypted")
    if not range then
        tree:add_proto_expert_info(E.malformed, "key download is empty")
        return
    end
    local plain = decrypt(m, item, range, "Key Download", "", registration_keys(m), counted)
    if plain then
        guarded(reader(plain, 0, plain:len()), item, m, key_download)
        return "decrypted"
    end
end

-- ------------------------------------------------------------------------------------ 7.5 rekey event payload

local function key_packages(r, tree, m)
    local count = r:number(tree, "rekey.packages", 2)
    for _ = 1, count do
        key_item(r, tree, m, "rekey.package", key_datum)
    end
end

-- 7.5.1.2. Packet Length counts what follows the Wrapping Key Handle, as transmitted.
local function rekey_event_data(r, tree, m)
    local node = tree:add(F["rekey.data"], r:peek() or r.tvb(0, 0))
    local from = r.at
    local octets = r:number(node, "rekey.data.length", 2)
    local id = r:add(node, "rekey.data.key_id", 4)
    local handle = r:add(node, "rekey.data.handle", 4)
    local range, item = r:add(node, "rekey.data.encrypted", octets)
    node:set_len(r.at - from)
    local text = string.format("Rekey Event Data: wrapped in key %s, handle %s", id:bytes():tohex(),
        handle:bytes():tohex())
    local plain = range and decrypt(m, item, range, "Rekey Event Data", id:raw() .. handle:raw(), function()
        return S.log:named(m.group_id, id:raw(), handle:raw())
    end, counted)
    if plain then
        guarded(reader(plain, 0, plain:len()), item, m, key_packages)
        text = text .. ", decrypted"
    end
    node:set_text(text)
end

payloads[3] = function(r, tree, m)
    local kind = r:code(tree, "rekey.event_type", registry.rekey, m)
    -- 7.5.1.1. The register's other reading of the GroupID (type and length in front) is unmistakable.
    local head = string.char(m.group_id_type, #m.group_id) .. m.group_id
    if r:left() >= #head and r.tvb(r.at, #head):raw() == head then
        r:number(tree, "groupid.type", 1)
        local _, item = r:number(tree, "groupid.length", 1)
        item:add_proto_expert_info(E.value, "GroupID with type and length; Figure 15 has the value alone")
    end
    local group_id, item = r:add(tree, "rekey.groupid", #m.group_id)
    if group_id and group_id:raw() ~= m.group_id then
        item:add_proto_expert_info(E.value, "GroupID is not that of the header (RFC4535-7.5.2-03)")
    end
    r:date(tree, "rekey.timestamp")
    local inner, type_item = r:code(tree, "rekey.type", registry.rekey, m)
    if inner ~= kind then
        type_item:add_proto_expert_info(E.value, "the two Rekey Event Types differ (RFC4535-7.5.2-05)")
    end
    local version, version_item = r:number(tree, "rekey.version", 1)
    if kind == 1 and version ~= 1 then
        version_item:add_proto_expert_info(E.value, "Algorithm Version of LKH is 1 (A.2, RFC4535-7.5.2-06)")
    end
    local count, count_item = r:number(tree, "rekey.count", 2)
    if kind == 0 and count ~= 0 then
        count_item:add_proto_expert_info(E.value, "Rekey Event of type None has no data (Table 17)")
    end
    for done = 1, count do
        if r:left() == 0 then
            malformed("%d of %d Rekey Event Data are missing (RFC4535-7.5.2-07)", count - done + 1, count)
        end
        rekey_event_data(r, tree, m)
        m.rekey_datas = m.rekey_datas + 1
    end
    return string.format("%s, %d data", registry.rekey:name(kind), count)
end

-- ------------------------------------------------------------ 7.6 to 7.8 identification, certificate, signature

payloads[4] = function(r, tree, m)
    local class = r:code(tree, "id.class", registry.id_class, m)
    local kind = r:code(tree, "id.type", registry.id, m)
    local who = identity(r, tree, m, kind, "id.data")
    tree:add(F["identity"], who):set_generated()
    m.identity = m.identity or who
    return registry.id_class:name(class) .. " " .. who
end

local MEDIA = {[4] = "application/pkix-cert", [7] = "application/pkix-crl"}

payloads[6] = function(r, tree, m)
    local kind = r:code(tree, "cert.type", registry.certificate, m)
    local range, item = r:rest(tree, "cert.data")
    if not range then
        tree:add_proto_expert_info(E.malformed, "certificate is empty")
    elseif MEDIA[kind] then
        hand_over(MEDIA[kind], range, m, item)
    elseif kind == 12 or kind == 13 then
        guarded(reader(r.tvb, r.stop - range:len(), r.stop), item, m, function(inner)
            inner:add(item, "cert.hash", 20)
            inner:text(item, "cert.url", inner:left())
        end)
    end
    return registry.certificate:name(kind)
end

payloads[8] = function(r, tree, m)
    local kind = r:code(tree, "sig.type", registry.signature, m)
    local id_type = r:code(tree, "sig.id_type", registry.id, m)
    r:date(tree, "sig.timestamp")
    local octets = r:number(tree, "sig.signer_length", 2)
    local who = identity(r:sub(octets, labels["sig.signer"]), tree, m, id_type, "sig.signer")
    tree:add(F["signer"], who):set_generated()
    m.signer = m.signer or who
    local covered = r.at - m.from
    local signed = r:number(tree, "sig.length", 2)
    if not r:add(tree, "sig.data", signed) then
        tree:add_proto_expert_info(E.malformed, "signature is empty")
    end
    tree:add(F["sig.covered"], covered):set_generated()
    return registry.signature:name(kind) .. " by " .. who
end

-- -------------------------------------------------------------------------------------- 7.9 notification payload

local MECHANISM_FIELD = {[0] = "notify.mechanism.creation", [1] = "notify.mechanism.encryption",
    [2] = "notify.mechanism.hash"}
local MECHANISM_OCTETS = 3

local function mechanism_choices(r, tree, m)
    while r:left() > 0 do
        r:need(MECHANISM_OCTETS, labels["notify.mechanism"])
        local node = tree:add(F["notify.mechanism"], r.tvb(r.at, MECHANISM_OCTETS))
        local kind = r:code(node, "notify.mechanism.type", registry.mechanism, m)
        local values, value = registry.mechanism_values[kind], nil
        if values then
            value = values:name(r:code(node, MECHANISM_FIELD[kind], values, m))
        else
            value = r:number(node, "notify.mechanism.value", 2)
        end
        node:set_text(string.format("Mechanism Choice: %s = %s", registry.mechanism:name(kind), value))
    end
end

local notification_forms = {}

notification_forms[23] = function(r, tree, m)
    if r:left() == 0 then -- register of choices, ack_data "empty"
        tree:add_proto_expert_info(E.value, "Acknowledgement without Ack Type (Figure 23)")
        return
    end
    local kind = r:code(tree, "notify.ack_type", registry.ack, m)
    if kind ~= 0 then
        r:rest(tree, "notify.ack_data")
    end
end

local function cookie(r, tree)
    r:need(1, labels["notify.cookie"])
    r:rest(tree, "notify.cookie")
end
notification_forms[27], notification_forms[28] = cookie, cookie
notification_forms[29] = mechanism_choices

notification_forms[34] = function(r, tree)
    r:add(tree, "notify.ipv4", 4)
end

notification_forms[35] = function(r, tree)
    r:add(tree, "notify.ipv6", 16)
end

-- Notifications that are no news: they come with every message of their kind.
local SILENT = {[27] = true, [29] = true, [30] = true, [34] = true, [35] = true}

payloads[9] = function(r, tree, m)
    local kind, item = r:code(tree, "notify.type", registry.notification, m)
    local name = registry.notification:name(kind)
    if registry.refusal[kind] then
        item:add_proto_expert_info(E.refusal, name)
    end
    if not SILENT[kind] then
        m.notes[#m.notes + 1] = name
    end
    local form = notification_forms[kind]
    if form then
        guarded(r, tree, m, form)
    else
        r:rest(tree, "notify.data")
    end
    return name
end

-- ---------------------------------------------------------------------- 7.10 to 7.12 vendor, key creation, nonce

payloads[10] = function(r, tree)
    local range, item = r:rest(tree, "vendor")
    if not range or range:len() < 4 then
        (item or tree):add_proto_expert_info(E.value, "a Vendor ID has four octets or more (7.10.1)")
    elseif range:bytes():tohex(true) == registry.vendor_id then
        item:append_text(" (MSEC suite GSAKMP extensions 1)")
        return "MSEC suite GSAKMP extensions 1"
    end
end

-- Octets of a public value. One modulo a prime may have lost its leading zeros (dh_pub_pad).
local PUBLIC = {[2] = {1, 128}, [14] = {1, 256}, [49153] = {64, 64}, [49154] = {32, 32}, [49155] = {1, 256}}

payloads[11] = function(r, tree, m)
    local kind = r:code(tree, "creation.type", registry.key_creation, m)
    local range, item = r:rest(tree, "creation.data")
    local size = PUBLIC[kind]
    if not range then
        tree:add_proto_expert_info(E.malformed, "key creation data is empty")
    elseif size and (range:len() < size[1] or range:len() > size[2]) then
        item:add_proto_expert_info(E.value, string.format("a public value of %d octets has %d (RFC4535-7.11.2-03)",
            size[2], range:len()))
    end
    return registry.key_creation:name(kind)
end

payloads[12] = function(r, tree, m)
    local kind = r:code(tree, "nonce.type", registry.nonce, m)
    local range, item = r:rest(tree, "nonce.data")
    if not range or range:len() < 4 then
        (item or tree):add_proto_expert_info(E.value, "a nonce has four octets or more (7.12.1)")
    end
    return registry.nonce:name(kind)
end

S.payloads = payloads

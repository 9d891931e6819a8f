-- SPDX-License-Identifier: BSD-2-Clause
-- What Wireshark's Lua lacks until later versions: AES in CBC, CTR and GCM mode, triple DES in CBC mode.
-- Decryption only; octet strings in, octet strings out. Speed is that of an interpreter, which is enough
-- for key management messages. Nothing here is constant-time, and nothing needs to be: the keys come
-- from a key log file.

local M = {}

local bxor, band, bor, lshift, rshift
if bit32 then
    bxor, band, bor, lshift, rshift = bit32.bxor, bit32.band, bit32.bor, bit32.lshift, bit32.rshift
else -- Lua 5.3 and later have operators, which Lua 5.2 cannot even parse
    bxor, band, bor, lshift, rshift = load([[
        return function(a, b) return a ~ b end, function(a, b) return a & b end,
            function(a, b) return a | b end, function(a, n) return (a << n) & 0xFFFFFFFF end,
            function(a, n) return a >> n end]])()
end

local byte, char, sub, rep = string.byte, string.char, string.sub, string.rep

local function xor_strings(a, b)
    local out = {}
    for i = 1, math.min(#a, #b) do
        out[i] = char(bxor(byte(a, i), byte(b, i)))
    end
    return table.concat(out)
end

local function word(s, at)
    local a, b, c, d = byte(s, at, at + 3)
    return ((a * 256 + b) * 256 + c) * 256 + d
end

local function words_to_string(...)
    local out = {}
    for i, w in ipairs {...} do
        out[i] = char(rshift(w, 24), band(rshift(w, 16), 255), band(rshift(w, 8), 255), band(w, 255))
    end
    return table.concat(out)
end

-- ------------------------------------------------------------------------------------------ AES (FIPS 197)

local sbox, unsbox, mul = {}, {}, {}

local function gf_mul(a, b)
    local product = 0
    while b > 0 do
        if b % 2 == 1 then
            product = bxor(product, a)
        end
        a = a * 2
        if a > 255 then
            a = bxor(a, 0x11B)
        end
        b = math.floor(b / 2)
    end
    return product
end

do
    -- 3 generates the field: its powers give every inverse.
    local power, log, x = {}, {}, 1
    for i = 0, 254 do
        power[i], log[x] = x, i
        x = gf_mul(x, 3)
    end
    for v = 0, 255 do
        local inverse = v == 0 and 0 or power[(255 - log[v]) % 255]
        local s = 0x63
        for turn = 0, 4 do
            local moved = inverse * 2 ^ turn
            s = bxor(s, band(moved, 255), rshift(moved, 8))
        end
        sbox[v], unsbox[s] = s, v
    end
    for _, factor in ipairs {2, 3, 9, 11, 13, 14} do
        mul[factor] = {}
        for v = 0, 255 do
            mul[factor][v] = gf_mul(v, factor)
        end
    end
end

local function aes_key(key)
    local nk = #key / 4
    local w = {}
    for i = 0, nk - 1 do
        w[i] = {byte(key, 4 * i + 1, 4 * i + 4)}
    end
    local rounds, rcon = nk + 6, 1
    for i = nk, 4 * (rounds + 1) - 1 do
        local a, b, c, d = w[i - 1][1], w[i - 1][2], w[i - 1][3], w[i - 1][4]
        if i % nk == 0 then
            a, b, c, d = bxor(sbox[b], rcon), sbox[c], sbox[d], sbox[a]
            rcon = gf_mul(rcon, 2)
        elseif nk > 6 and i % nk == 4 then
            a, b, c, d = sbox[a], sbox[b], sbox[c], sbox[d]
        end
        local o = w[i - nk]
        w[i] = {bxor(o[1], a), bxor(o[2], b), bxor(o[3], c), bxor(o[4], d)}
    end
    local schedule = {rounds = rounds}
    for r = 0, rounds do
        local k = {}
        for column = 0, 3 do
            for row = 1, 4 do
                k[4 * column + row] = w[4 * r + column][row]
            end
        end
        schedule[r] = k
    end
    return schedule
end

-- Where each octet of the state comes from, column by column.
local shift, unshift = {}, {}
for column = 0, 3 do
    for row = 0, 3 do
        shift[4 * column + row + 1] = 4 * ((column + row) % 4) + row + 1
        unshift[4 * column + row + 1] = 4 * ((column - row) % 4) + row + 1
    end
end

local function aes_encrypt_block(schedule, block)
    local s, k = {byte(block, 1, 16)}, schedule[0]
    local m2, m3 = mul[2], mul[3]
    for i = 1, 16 do
        s[i] = bxor(s[i], k[i])
    end
    for r = 1, schedule.rounds do
        local t = {}
        for i = 1, 16 do
            t[i] = sbox[s[shift[i]]]
        end
        if r < schedule.rounds then
            for c = 1, 13, 4 do
                local a, b, d, e = t[c], t[c + 1], t[c + 2], t[c + 3]
                t[c] = bxor(bxor(m2[a], m3[b]), bxor(d, e))
                t[c + 1] = bxor(bxor(a, m2[b]), bxor(m3[d], e))
                t[c + 2] = bxor(bxor(a, b), bxor(m2[d], m3[e]))
                t[c + 3] = bxor(bxor(m3[a], b), bxor(d, m2[e]))
            end
        end
        k = schedule[r]
        for i = 1, 16 do
            t[i] = bxor(t[i], k[i])
        end
        s = t
    end
    return char(table.unpack(s))
end

local function aes_decrypt_block(schedule, block)
    local s, k = {byte(block, 1, 16)}, schedule[schedule.rounds]
    local m9, m11, m13, m14 = mul[9], mul[11], mul[13], mul[14]
    for i = 1, 16 do
        s[i] = bxor(s[i], k[i])
    end
    for r = schedule.rounds - 1, 0, -1 do
        local t = {}
        k = schedule[r]
        for i = 1, 16 do
            t[i] = bxor(unsbox[s[unshift[i]]], k[i])
        end
        if r > 0 then
            for c = 1, 13, 4 do
                local a, b, d, e = t[c], t[c + 1], t[c + 2], t[c + 3]
                t[c] = bxor(bxor(m14[a], m11[b]), bxor(m13[d], m9[e]))
                t[c + 1] = bxor(bxor(m9[a], m14[b]), bxor(m11[d], m13[e]))
                t[c + 2] = bxor(bxor(m13[a], m9[b]), bxor(m14[d], m11[e]))
                t[c + 3] = bxor(bxor(m11[a], m13[b]), bxor(m9[d], m14[e]))
            end
        end
        s = t
    end
    return char(table.unpack(s))
end

-- ------------------------------------------------------------------------------------------ DES (FIPS 46-3)

local des_ip = {58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4, 62, 54, 46, 38, 30, 22, 14, 6,
    64, 56, 48, 40, 32, 24, 16, 8, 57, 49, 41, 33, 25, 17, 9, 1, 59, 51, 43, 35, 27, 19, 11, 3, 61, 53, 45,
    37, 29, 21, 13, 5, 63, 55, 47, 39, 31, 23, 15, 7}
local des_e = {32, 1, 2, 3, 4, 5, 4, 5, 6, 7, 8, 9, 8, 9, 10, 11, 12, 13, 12, 13, 14, 15, 16, 17, 16, 17, 18,
    19, 20, 21, 20, 21, 22, 23, 24, 25, 24, 25, 26, 27, 28, 29, 28, 29, 30, 31, 32, 1}
local des_p = {16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19,
    13, 30, 6, 22, 11, 4, 25}
local des_pc1 = {57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3,
    60, 52, 44, 36, 63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13,
    5, 28, 20, 12, 4}
local des_pc2 = {14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, 41,
    52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32}
local des_s = {
    "E4D12FB83A6C59070F74E2D1A6CB953841E8D62BFC973A50FC8249175B3EA06D",
    "F18E6B34972DC05A3D47F28EC01A69B50E7BA4D158C6932FD8A13F42B67C05E9",
    "A09E63F51DC7B428D709346A285ECBF1D6498F30B12C5AE71AD069874FE3B52C",
    "7DE3069A1285BC4FD8B56F03472C1AE9A690CB7DF13E52843F06A1D8945BC72E",
    "2C417AB6853FD0E9EB2C47D150FA3986421BAD78F9C5630EB8C71E2D6F09A453",
    "C1AF92680D34E75BAF427C9561DE0B389EF528C3704A1DB6432C95FABE17608D",
    "4B2EF08D3C975A61D0B7491AE35C2F8614BDC37EAF6805926BD814A7950FE23C",
    "D2846FB1A93E50C71FD8A374C56B0E927B419CE206ADF35821E74A8DFC90356B",
}
local des_out = {} -- the inverse of the initial permutation
for to, from in ipairs(des_ip) do
    des_out[from] = to
end

local function permute(bits, by)
    local out = {}
    for i = 1, #by do
        out[i] = bits[by[i]]
    end
    return out
end

local function to_bits(s)
    local bits = {}
    for i = 1, #s do
        local v = byte(s, i)
        for j = 8, 1, -1 do
            bits[8 * i - 8 + j] = v % 2
            v = math.floor(v / 2)
        end
    end
    return bits
end

local function from_bits(bits)
    local out = {}
    for i = 1, #bits, 8 do
        local v = 0
        for j = i, i + 7 do
            v = 2 * v + bits[j]
        end
        out[#out + 1] = char(v)
    end
    return table.concat(out)
end

local function des_key(key)
    local bits, schedule = permute(to_bits(key), des_pc1), {}
    local turned = 0
    for r = 1, 16 do
        turned = turned + ((r == 1 or r == 2 or r == 9 or r == 16) and 1 or 2)
        local half = {}
        for i = 0, 27 do
            half[i + 1] = bits[(i + turned) % 28 + 1]
            half[i + 29] = bits[(i + turned) % 28 + 29]
        end
        schedule[r] = permute(half, des_pc2)
    end
    return schedule
end

local function des_block(schedule, bits, decrypt)
    bits = permute(bits, des_ip)
    local left, right = {}, {}
    for i = 1, 32 do
        left[i], right[i] = bits[i], bits[i + 32]
    end
    for r = 1, 16 do
        local k, wide, mixed = schedule[decrypt and 17 - r or r], permute(right, des_e), {}
        for box = 0, 7 do
            local v = {}
            for i = 1, 6 do
                v[i] = bxor(wide[6 * box + i], k[6 * box + i])
            end
            local row, column = 2 * v[1] + v[6], 8 * v[2] + 4 * v[3] + 2 * v[4] + v[5]
            local s = tonumber(sub(des_s[box + 1], 16 * row + column + 1, 16 * row + column + 1), 16)
            for i = 4, 1, -1 do
                mixed[4 * box + i] = s % 2
                s = math.floor(s / 2)
            end
        end
        mixed = permute(mixed, des_p)
        for i = 1, 32 do
            mixed[i] = bxor(mixed[i], left[i])
        end
        left, right = right, mixed
    end
    for i = 1, 32 do
        bits[i], bits[i + 32] = right[i], left[i]
    end
    return permute(bits, des_out)
end

local function tdes_key(key)
    return {des_key(sub(key, 1, 8)), des_key(sub(key, 9, 16)), des_key(sub(key, 17, 24))}
end

local function tdes_decrypt_block(keys, block)
    local bits = des_block(keys[3], to_bits(block), true)
    bits = des_block(keys[2], bits, false)
    return from_bits(des_block(keys[1], bits, true))
end

-- --------------------------------------------------------------------------------------- modes (SP 800-38)

local function cbc(decrypt_block, size)
    return function(schedule, iv, body)
        local out, last = {}, iv
        for at = 1, #body, size do
            local block = sub(body, at, at + size - 1)
            out[#out + 1] = xor_strings(decrypt_block(schedule, block), last)
            last = block
        end
        return table.concat(out)
    end
end

-- `first` is the 12 octets of the counter block that stay.
local function ctr(schedule, first, counter, body)
    local out = {}
    for at = 1, #body, 16 do
        local pad = aes_encrypt_block(schedule, first .. words_to_string(counter))
        out[#out + 1] = xor_strings(sub(body, at, at + 15), pad)
        counter = (counter + 1) % 2 ^ 32
    end
    return table.concat(out)
end

-- GHASH four bits at a time: a table of the multiples of H, and what falls off the right end comes back.
local ghash_back = {}
for v = 0, 15 do
    local back = 0
    for bit = 0, 3 do
        if band(v, lshift(1, bit)) ~= 0 then
            back = bxor(back, lshift(0x1C20, bit))
        end
    end
    ghash_back[v] = lshift(back, 16)
end

local function ghash_table(h)
    local multiples = {[0] = {0, 0, 0, 0}}
    local v = {word(h, 1), word(h, 5), word(h, 9), word(h, 13)}
    multiples[8] = v
    for _, at in ipairs {4, 2, 1} do
        local low = v[4] % 2
        v = {rshift(v[1], 1), bor(lshift(v[1] % 2, 31), rshift(v[2], 1)),
            bor(lshift(v[2] % 2, 31), rshift(v[3], 1)), bor(lshift(v[3] % 2, 31), rshift(v[4], 1))}
        if low == 1 then
            v[1] = bxor(v[1], 0xE1000000)
        end
        multiples[at] = v
    end
    for _, high in ipairs {2, 4, 8} do
        for low = 1, high - 1 do
            local a, b = multiples[high], multiples[low]
            multiples[high + low] = {bxor(a[1], b[1]), bxor(a[2], b[2]), bxor(a[3], b[3]), bxor(a[4], b[4])}
        end
    end
    return multiples
end

local function ghash(multiples, octets)
    local x = {0, 0, 0, 0}
    for at = 1, #octets, 16 do
        for i = 1, 4 do
            x[i] = bxor(x[i], word(octets, at + 4 * i - 4))
        end
        local a, b, c, d = 0, 0, 0, 0
        for i = 4, 1, -1 do
            for nibble = 0, 28, 4 do
                local back = ghash_back[d % 16]
                d = bor(lshift(c % 16, 28), rshift(d, 4))
                c = bor(lshift(b % 16, 28), rshift(c, 4))
                b = bor(lshift(a % 16, 28), rshift(b, 4))
                local m = multiples[band(rshift(x[i], nibble), 15)]
                a = bxor(bxor(rshift(a, 4), back), m[1])
                b, c, d = bxor(b, m[2]), bxor(c, m[3]), bxor(d, m[4])
            end
        end
        x = {a, b, c, d}
    end
    return words_to_string(x[1], x[2], x[3], x[4])
end

local function padded(s)
    return s .. rep("\0", -#s % 16)
end

local function gcm_tag(schedule, iv, aad, body)
    local h = aes_encrypt_block(schedule, rep("\0", 16))
    local lengths = words_to_string(0, 8 * #aad, 0, 8 * #body)
    return xor_strings(ghash(ghash_table(h), padded(aad) .. padded(body) .. lengths),
        aes_encrypt_block(schedule, iv .. words_to_string(1)))
end

-- ------------------------------------------------------------------------------------ the encrypted fields

local aes_cbc = {name = "AES-CBC", iv = 16, block = 16, prepare = aes_key, open = cbc(aes_decrypt_block, 16)}
local tdes_cbc = {name = "3DES-CBC", iv = 8, block = 8, prepare = tdes_key, open = cbc(tdes_decrypt_block, 8)}
local aes_gcm = {name = "AES-GCM", iv = 12, tag = 16, prepare = aes_key}
-- RFC 3686: the last four octets of the key are the front of every counter block.
local aes_ctr = {name = "AES-CTR", iv = 8, prepare = function(key)
    local schedule = aes_key(sub(key, 1, 16))
    schedule.salt = sub(key, 17, 20)
    return schedule
end}

function aes_gcm.open(schedule, iv, body)
    return ctr(schedule, iv, 2, body)
end

function aes_ctr.open(schedule, iv, body)
    return ctr(schedule, schedule.salt .. iv, 1, body)
end

-- By Key Type: the cipher and the octets of its key.
local ciphers = {
    [3] = {tdes_cbc, 24}, [12] = {aes_cbc, 16}, [13] = {aes_ctr, 20},
    [49153] = {aes_cbc, 32}, [49154] = {aes_gcm, 16}, [49155] = {aes_gcm, 32},
}

local schedules, scheduled = {}, 0

local function prepared(cipher, key)
    local name = cipher.name .. key
    if not schedules[name] then
        if scheduled >= 512 then
            schedules, scheduled = {}, 0
        end
        schedules[name], scheduled = cipher.prepare(key), scheduled + 1
    end
    return schedules[name]
end

-- Opens an encrypted field that has its IV in front (register of choices, section 2: iv_keydl and iv_rekey
-- "prefix", pad "pkcs7"). `plausible(start)` sees the first octets of the plaintext and may say no before
-- the rest is worked on. Returns the plaintext and a description, or nil and the reason.
function M.open(key_type, key, octets, aad, plausible)
    local cipher = ciphers[key_type] and ciphers[key_type][1]
    if not cipher then
        return nil, "no cipher for key type " .. key_type
    end
    if #key ~= ciphers[key_type][2] then
        return nil, string.format("key of %d octets for key type %d", #key, key_type)
    end
    local iv, body, tag = sub(octets, 1, cipher.iv), sub(octets, cipher.iv + 1), nil
    if cipher.tag then
        if #body < cipher.tag then
            return nil, "too short for IV and tag"
        end
        body, tag = sub(body, 1, -cipher.tag - 1), sub(body, -cipher.tag)
    end
    if #iv < cipher.iv or #body == 0 or (cipher.block and #body % cipher.block ~= 0) then
        return nil, string.format("%d octets do not fit %s", #octets, cipher.name)
    end
    local schedule = prepared(cipher, key)
    if plausible and not plausible(cipher.open(schedule, iv, sub(body, 1, 16))) then
        return nil, "plaintext makes no sense"
    end
    if tag and gcm_tag(schedule, iv, aad, body) ~= tag then
        return nil, "tag does not verify"
    end
    local plain = cipher.open(schedule, iv, body)
    if cipher.block then
        local count = byte(plain, -1)
        if count == 0 or count > cipher.block or sub(plain, -count) ~= rep(char(count), count) then
            return nil, "padding is wrong"
        end
        plain = sub(plain, 1, -count - 1)
    end
    return plain, string.format("%s, %d-octet key%s", cipher.name, #key, tag and ", tag verified" or "")
end

-- GDOI: CBC without any say about padding, under a key and an IV that stand apart. By KEK_ALGORITHM of RFC 6407.
local BLOCKS = {[1] = {8, 8}, [2] = {8, 24}, [3] = {16}}

function M.cbc_open(algorithm, key, iv, body)
    local form = BLOCKS[algorithm]
    if not form or #iv ~= form[1] or #body == 0 or #body % form[1] ~= 0 or (form[2] and #key ~= form[2])
        or (algorithm == 3 and #key ~= 16 and #key ~= 24 and #key ~= 32) then
        return nil
    end
    if algorithm == 3 then
        return aes_cbc.open(aes_key(key), iv, body)
    end
    -- DES is triple DES with three equal keys.
    return tdes_cbc.open(tdes_key(algorithm == 1 and rep(key, 3) or key), iv, body)
end

function M.block_size(algorithm)
    return BLOCKS[algorithm] and BLOCKS[algorithm][1]
end

-- By name, for tests.
M.aes_key, M.aes_encrypt_block, M.aes_decrypt_block = aes_key, aes_encrypt_block, aes_decrypt_block
M.gcm_tag = gcm_tag

return M

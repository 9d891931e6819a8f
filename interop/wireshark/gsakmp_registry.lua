-- SPDX-License-Identifier: BSD-2-Clause
-- The registries of RFC 4535 section 7 (Tables 11 to 27) as value strings, with the code points of
-- the MSEC suite, which lie in private-use ranges and are announced by a Vendor ID payload.
--
-- A registry answers name(value), status(value) and has .ranges for a ProtoField of base.RANGE_STRING.
-- A status is "assigned", "reserved" (never to be sent), "iana" (not assigned yet), "private" (somebody
-- else's) or "suite" (ours).

local M = {}

local Registry = {}
Registry.__index = Registry

function Registry:row(value)
    for i, row in ipairs(self.ranges) do
        if value >= row[1] and value <= row[2] then
            return row, self.states[i]
        end
    end
end

function Registry:name(value)
    local row, status = self:row(value)
    if status == "assigned" or status == "suite" then
        return row[3]
    end
    return string.format("%s %d", row[3], value)
end

function Registry:status(value)
    local _, status = self:row(value)
    return status
end

-- What is not listed in `assigned` or `suite` is Reserved below `iana`, Reserved to IANA below `private`.
local function registry(octets, iana, private, assigned, suite)
    local self = setmetatable({ranges = {}, states = {}, octets = octets}, Registry)
    local top = 2 ^ (8 * octets) - 1
    local function put(low, high, name, status)
        if low <= high then
            self.ranges[#self.ranges + 1], self.states[#self.states + 1] = {low, high, name}, status
        end
    end
    local function gap(low, high)
        put(low, math.min(high, iana - 1), "Reserved", "reserved")
        put(math.max(low, iana), math.min(high, private - 1), "Reserved to IANA", "iana")
        put(math.max(low, private), high, "Private Use", "private")
    end
    local values = {}
    for value in pairs(assigned) do
        values[#values + 1] = value
    end
    for value in pairs(suite or {}) do
        values[#values + 1] = value
    end
    table.sort(values)
    local from = 0
    for _, value in ipairs(values) do
        gap(from, value - 1)
        put(value, value, assigned[value] or suite[value], assigned[value] and "assigned" or "suite")
        from = value + 1
    end
    gap(from, top)
    return self
end

local P8, P16 = 193, 49153

-- Table 11
M.group_id = registry(1, 5, P8, {[1] = "UTF-8", [2] = "Octet String", [3] = "IPv4", [4] = "IPv6"})

-- Table 12
M.payload = registry(1, 13, P8, {
    [0] = "None", [1] = "Policy Token", [2] = "Key Download Packet", [3] = "Rekey Event",
    [4] = "Identification", [6] = "Certificate", [8] = "Signature", [9] = "Notification",
    [10] = "Vendor ID", [11] = "Key Creation", [12] = "Nonce",
})

-- Table 13
M.exchange = registry(1, 16, P8, {
    [4] = "Key Download Ack/Failure", [5] = "Rekey Event", [8] = "Request to Join",
    [9] = "Key Download", [10] = "Cookie Download", [11] = "Request to Join Error",
    [12] = "Lack of Ack", [13] = "Request to Depart", [14] = "Departure Response",
    [15] = "Departure Ack",
})

-- The abbreviations of RFC 4535 section 5, for the info column.
M.exchange_short = {
    [4] = "KeyDL-A/F", [5] = "Rekey Event", [8] = "RTJ", [9] = "KeyDL", [10] = "Cookie-Download",
    [11] = "RTJ-Err", [12] = "LOA", [13] = "RTD", [14] = "Departure-Response", [15] = "Departure-ACK",
}

-- Table 14
M.token = registry(2, 2, P16, {[1] = "GSAKMP_ASN.1_PT_V1"})

-- Table 15
M.kdd_item = registry(1, 2, P8, {[0] = "GTPK", [1] = "Rekey - LKH"})

-- Table 16; also the encryption algorithms of Table 24
M.key = registry(2, 14, P16, {[3] = "3DES_CBC64_192", [12] = "AES_CBC_128", [13] = "AES_CTR"},
    {[49153] = "AES-256-CBC", [49154] = "AES-128-GCM", [49155] = "AES-256-GCM"})

-- Octets of Key Data by Key Type. AES_CTR: AES-128 key, then the nonce of RFC 3686.
M.key_octets = {[3] = 24, [12] = 16, [13] = 20, [49153] = 32, [49154] = 16, [49155] = 32}

-- Table 17
M.rekey = registry(1, 2, P8, {[0] = "None", [1] = "GSAKMP_LKH"})

-- Table 18
M.id_class = registry(1, 3, P8, {[0] = "Sender", [1] = "Receiver", [2] = "Third Party"})

-- Table 19
M.id = registry(1, 32, P8, {
    [1] = "ID_IPV4_ADDR", [2] = "ID_FQDN", [3] = "ID_RFC822_ADDR", [5] = "ID_IPV6_ADDR",
    [9] = "ID_DER_ASN1_DN", [11] = "ID_KEY_ID", [30] = "ID_U_NAME", [31] = "ID_DN_STRING",
})

-- Table 20
M.certificate = registry(2, 14, P16, {
    [0] = "None", [4] = "X.509v3 Certificate - Signature", [7] = "Certificate Revocation List",
    [10] = "X.509 Certificate - Attribute", [11] = "Raw RSA Key",
    [12] = "Hash and URL of X.509 Certificate", [13] = "Hash and URL of X.509 Bundle",
})

-- Table 21. Two digits of its private range are swapped in the text; it is read as 49153 to 65535.
M.signature = registry(2, 3, P16,
    {[0] = "DSS-SHA1-ASN1-DER", [1] = "RSA1024-MD5", [2] = "ECDSA-P384-SHA3"},
    {[49153] = "RSA PKCS#1 v1.5 with SHA-256", [49154] = "ECDSA P-256 with SHA-256",
     [49155] = "ECDSA P-384 with SHA-384", [49156] = "Ed25519"})

-- Table 22
M.notification = registry(2, 38, P16, {
    [0] = "None", [1] = "Invalid-Payload-Type", [4] = "Invalid-Version", [5] = "Invalid-Group-ID",
    [6] = "Invalid-Sequence-ID", [7] = "Payload-Malformed", [8] = "Invalid-Key-Information",
    [9] = "Invalid-ID-Information", [12] = "Cert-Type-Unsupported", [13] = "Invalid-Cert-Authority",
    [14] = "Authentication-Failed", [17] = "Certificate-Unavailable", [19] = "Unauthorized-Request",
    [23] = "Acknowledgement", [26] = "Nack", [27] = "Cookie-Required", [28] = "Cookie",
    [29] = "Mechanism Choices", [30] = "Leave Group", [31] = "Departure Accepted",
    [32] = "Request to Depart Error", [33] = "Invalid Exchange Type", [34] = "IPv4 Value",
    [35] = "IPv6 Value", [36] = "Prohibited by Group Policy",
    [37] = "Prohibited by Locally Configured Policy",
}, {[49153] = "Expulsion"})

-- Notifications that say that something was refused.
M.refusal = {}
for _, value in ipairs {1, 4, 5, 6, 7, 8, 9, 12, 13, 14, 17, 19, 26, 32, 33, 36, 37} do
    M.refusal[value] = true
end

-- Table 23
M.ack = registry(1, 1, P8, {[0] = "Simple"})

-- Table 24
M.mechanism = registry(1, 3, P8, {
    [0] = "Key Creation Algorithm", [1] = "Encryption Algorithm", [2] = "Nonce Hash Algorithm"})

-- Table 25
M.nonce_hash = registry(2, 2, P16, {[1] = "SHA-1"}, {[49153] = "SHA-256", [49154] = "SHA-384"})

-- Table 26
M.key_creation = registry(2, 15, P16,
    {[2] = "Diffie-Hellman 1024-bit MODP, truncated", [14] = "Diffie-Hellman 2048-bit MODP, truncated"},
    {[49153] = "ECDH P-256, HKDF", [49154] = "X25519, HKDF",
     [49155] = "Diffie-Hellman 2048-bit MODP, HKDF"})

-- Table 27. Both ranges of the table claim 192; it is treated as reserved.
M.nonce = registry(1, 4, P8, {
    [0] = "None", [1] = "Initiator (Nonce_I)", [2] = "Responder (Nonce_R)", [3] = "Combined (Nonce_C)"})

-- What a mechanism's value is looked up in (Table 24).
M.mechanism_values = {[0] = M.key_creation, [1] = M.key, [2] = M.nonce_hash}

-- First 16 octets of the SHA-256 digest of "MSEC suite GSAKMP extensions 1".
M.vendor_id = "fba14153180d4d8aeecdc22a94e8e6df"

return M

-- SPDX-License-Identifier: BSD-2-Clause
-- The registries that a GDOI message uses: RFC 6407 section 5 and its IANA tables, RFC 8052, RFC 8263, and of
-- ISAKMP and the IPsec DOI (RFC 2407, 2408) what appears inside. A registry answers name(value) and status(value)
-- and has .ranges for a ProtoField of base.RANGE_STRING, as gsakmp_registry.lua has it.

local M = {}

local Registry = {}
Registry.__index = Registry

function Registry:status(value)
    if self.assigned[value] then
        return "assigned"
    end
    return value >= self.private and value <= self.private_last and "private" or "reserved"
end

function Registry:name(value)
    return self.assigned[value] or string.format("%s %d", self:status(value) == "private" and "private" or "unassigned",
        value)
end

local function registry(octets, private, private_last, assigned)
    local self = setmetatable({octets = octets, private = private, private_last = private_last, assigned = assigned,
        ranges = {}}, Registry)
    for value, name in pairs(assigned) do
        self.ranges[#self.ranges + 1] = {value, value, name}
    end
    return self
end

M.payload = registry(1, 128, 255, {[0] = "None", [1] = "SA", [4] = "KE", [5] = "ID", [6] = "CERT", [7] = "CR", [8] = "HASH", [9] = "SIG", [10] = "NONCE",
    [11] = "N", [12] = "D", [13] = "VID", [15] = "SAK", [16] = "SAT", [17] = "KD", [18] = "SEQ", [20] = "NAT-D", [22] = "GAP"})
M.exchange = registry(1, 240, 255, {[2] = "Main Mode", [4] = "Aggressive Mode", [5] = "Informational", [32] = "GROUPKEY-PULL", [33] = "GROUPKEY-PUSH",
    [35] = "GROUPKEY-PUSH-ACK"})
M.id = registry(1, 249, 255, {[0] = "reserved", [1] = "ID_IPV4_ADDR", [2] = "ID_FQDN", [3] = "ID_USER_FQDN",
    [4] = "ID_IPV4_ADDR_SUBNET", [5] = "ID_IPV6_ADDR", [6] = "ID_IPV6_ADDR_SUBNET", [7] = "ID_IPV4_ADDR_RANGE",
    [8] = "ID_IPV6_ADDR_RANGE", [9] = "ID_DER_ASN1_DN", [10] = "ID_DER_ASN1_GN", [11] = "ID_KEY_ID", [13] = "ID_OID"})
M.protocol = registry(1, 128, 255, {[0] = "KEK", [1] = "GDOI_PROTO_IPSEC_ESP", [2] = "GDOI_PROTO_IPSEC_AH",
    [3] = "GDOI_PROTO_IEC_61850"})
-- A Delete may name what an Informational exchange deletes too: there 1 is the ISAKMP SA (RFC 2407 4.4.1).
M.kd = registry(1, 128, 255, {[1] = "TEK", [2] = "KEK", [3] = "LKH", [4] = "SID"})
M.key = registry(1, 128, 255, {[1] = "KEK_ALG_DES", [2] = "KEK_ALG_3DES", [3] = "KEK_ALG_AES"})
M.esp = registry(1, 249, 255, {[2] = "ESP_DES", [3] = "ESP_3DES", [11] = "ESP_NULL", [12] = "ESP_AES-CBC",
    [13] = "ESP_AES-CTR", [14] = "ESP_AES-CCM_8", [15] = "ESP_AES-CCM_12", [16] = "ESP_AES-CCM_16",
    [18] = "ESP_AES-GCM_8", [19] = "ESP_AES-GCM_12", [20] = "ESP_AES-GCM_16", [22] = "ESP_CAMELLIA",
    [23] = "ESP_NULL_AUTH_AES-GMAC"})
M.ah = registry(1, 249, 255, {[2] = "AH_MD5", [3] = "AH_SHA", [4] = "AH_DES", [5] = "AH_SHA2-256",
    [6] = "AH_SHA2-384", [7] = "AH_SHA2-512", [9] = "AH_AES-XCBC-MAC", [10] = "AH_RSA", [11] = "AH_AES-128-GMAC",
    [12] = "AH_AES-192-GMAC", [13] = "AH_AES-256-GMAC"})
M.iec_auth = registry(2, 61440, 65535, {[1] = "NONE", [2] = "HMAC-SHA256-128", [3] = "HMAC-SHA256",
    [4] = "AES-GMAC-128", [5] = "AES-GMAC-256"})
M.iec_enc = registry(2, 61440, 65535, {[1] = "NONE", [2] = "AES-CBC-128", [3] = "AES-CBC-256", [4] = "AES-GCM-128",
    [5] = "AES-GCM-256"})
M.notify = registry(2, 32768, 40959, {[1] = "INVALID-PAYLOAD-TYPE", [2] = "DOI-NOT-SUPPORTED",
    [3] = "SITUATION-NOT-SUPPORTED", [4] = "INVALID-COOKIE", [5] = "INVALID-MAJOR-VERSION",
    [6] = "INVALID-MINOR-VERSION", [7] = "INVALID-EXCHANGE-TYPE", [8] = "INVALID-FLAGS", [9] = "INVALID-MESSAGE-ID",
    [10] = "INVALID-PROTOCOL-ID", [11] = "INVALID-SPI", [12] = "INVALID-TRANSFORM-ID",
    [13] = "ATTRIBUTES-NOT-SUPPORTED", [14] = "NO-PROPOSAL-CHOSEN", [15] = "BAD-PROPOSAL-SYNTAX",
    [16] = "PAYLOAD-MALFORMED", [17] = "INVALID-KEY-INFORMATION", [18] = "INVALID-ID-INFORMATION",
    [19] = "INVALID-CERT-ENCODING", [20] = "INVALID-CERTIFICATE", [21] = "CERT-TYPE-UNSUPPORTED",
    [22] = "INVALID-CERT-AUTHORITY", [23] = "INVALID-HASH-INFORMATION", [24] = "AUTHENTICATION-FAILED",
    [25] = "INVALID-SIGNATURE", [26] = "ADDRESS-NOTIFICATION", [27] = "NOTIFY-SA-LIFETIME",
    [28] = "CERTIFICATE-UNAVAILABLE", [29] = "UNSUPPORTED-EXCHANGE-TYPE", [30] = "UNEQUAL-PAYLOAD-LENGTHS",
    [16384] = "CONNECTED", [24576] = "RESPONDER-LIFETIME", [24577] = "REPLAY-STATUS", [24578] = "INITIAL-CONTACT",
    [36136] = "R-U-THERE", [36137] = "R-U-THERE-ACK"})

-- What the attributes of a payload are: name, and names of values or what the octets are.
M.attributes = {
    sak = {
        [1] = {"KEK_MANAGEMENT_ALGORITHM", {[1] = "LKH"}},
        [2] = {"KEK_ALGORITHM", M.key.assigned},
        [3] = {"KEK_KEY_LENGTH", "bits"},
        [4] = {"KEK_KEY_LIFETIME", "seconds"},
        [5] = {"SIG_HASH_ALGORITHM", {[1] = "SIG_HASH_MD5", [2] = "SIG_HASH_SHA1", [3] = "SIG_HASH_SHA256",
            [4] = "SIG_HASH_SHA384", [5] = "SIG_HASH_SHA512"}},
        [6] = {"SIG_ALGORITHM", {[1] = "SIG_ALG_RSA", [2] = "SIG_ALG_DSS", [3] = "SIG_ALG_ECDSS",
            [4] = "SIG_ALG_ECDSA-256", [5] = "SIG_ALG_ECDSA-384", [6] = "SIG_ALG_ECDSA-521"}},
        [7] = {"SIG_KEY_LENGTH", "bits"},
        [9] = {"KEK_ACK_REQUESTED", {[1] = "REKEY_ACK_KEK_SHA256", [2] = "REKEY_ACK_LKH_SHA256",
            [3] = "REKEY_ACK_KEK_SHA512", [4] = "REKEY_ACK_LKH_SHA512"}},
    },
    gap = {
        [1] = {"ACTIVATION_TIME_DELAY", "seconds"},
        [2] = {"DEACTIVATION_TIME_DELAY", "seconds"},
        [3] = {"SENDER_ID_REQUEST", "sender ids"},
    },
    ipsec = {
        [1] = {"SA Life Type", {[1] = "seconds", [2] = "kilobytes"}},
        [2] = {"SA Life Duration", ""},
        [3] = {"Group Description", ""},
        [4] = {"Encapsulation Mode", {[1] = "Tunnel", [2] = "Transport", [3] = "UDP-Encapsulated-Tunnel",
            [4] = "UDP-Encapsulated-Transport"}},
        [5] = {"Authentication Algorithm", {[1] = "HMAC-MD5", [2] = "HMAC-SHA", [3] = "DES-MAC", [4] = "KPDK",
            [5] = "HMAC-SHA2-256", [6] = "HMAC-SHA2-384", [7] = "HMAC-SHA2-512", [8] = "HMAC-RIPEMD",
            [9] = "AES-XCBC-MAC", [10] = "SIG-RSA", [11] = "AES-128-GMAC", [12] = "AES-192-GMAC",
            [13] = "AES-256-GMAC"}},
        [6] = {"Key Length", "bits"},
        [7] = {"Key Rounds", ""},
        [8] = {"Compress Dictionary Size", ""},
        [9] = {"Compress Private Algorithm", ""},
        [10] = {"ECN Tunnel", {[1] = "allowed", [2] = "forbidden"}},
        [11] = {"Extended (64-bit) Sequence Number", {[1] = "64-bit"}},
        [12] = {"Authentication Key Length", "bits"},
        [13] = {"Signature Encoding Algorithm", {[1] = "RSASSA-PKCS1-v1_5", [2] = "RSASSA-PSS"}},
        [14] = {"Address Preservation", {[1] = "None", [2] = "Source-Only", [3] = "Destination-Only",
            [4] = "Source-and-Destination"}},
        [15] = {"SA Direction", {[1] = "Sender-Only", [2] = "Receiver-Only", [3] = "Symmetric"}},
    },
    iec = {
        [1] = {"SA_ATD", "seconds"},
        [2] = {"SA_KDA", "percent"},
    },
    tek = {
        [1] = {"TEK_ALGORITHM_KEY", "key"}, [2] = {"TEK_INTEGRITY_KEY", "key"}, [3] = {"TEK_SOURCE_AUTH_KEY", "key"},
    },
    kek = {
        [1] = {"KEK_ALGORITHM_KEY", "key"}, [2] = {"SIG_ALGORITHM_KEY", "key"},
    },
    lkh = {
        [1] = {"LKH_DOWNLOAD_ARRAY", "array"}, [2] = {"LKH_UPDATE_ARRAY", "array"}, [3] = {"SIG_ALGORITHM_KEY", "key"},
    },
    sid = {
        [1] = {"NUMBER_OF_SID_BITS", "bits"}, [2] = {"SID_VALUE", "octets"},
    },
}

return M

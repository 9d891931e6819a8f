-- SPDX-License-Identifier: BSD-2-Clause
-- Every field and every expert info of the GSAKMP dissector; section numbers are those of RFC 4535.

local S = ...
if type(S) ~= "table" then
    return -- Wireshark runs every file of a plugin folder; only gsakmp.lua has something to do there
end
local registry = S.registry

local F, labels = {}, {}

local function field(key, kind, label, ...)
    F[key] = ProtoField[kind]("gsakmp." .. key, label, ...)
    labels[key] = label
end

local function coded(key, label, values)
    field(key, values.octets == 1 and "uint8" or "uint16", label, base.DEC + base.RANGE_STRING, values.ranges)
end

-- 7.1 header
coded("groupid.type", "GroupID Type", registry.group_id)
field("groupid.length", "uint8", "GroupID Length", base.DEC)
field("groupid", "bytes", "GroupID Value")
field("groupid.random", "bytes", "Random Value")
field("groupid.random_text", "string", "Random Value")
field("groupid.utf8", "string", "UTF-8 String")
field("groupid.octets", "bytes", "Octet String")
field("groupid.ipv4", "ipv4", "IPv4 Value")
field("groupid.ipv6", "ipv6", "IPv6 Value")
coded("next_payload", "Next Payload", registry.payload)
field("version", "uint8", "Version", base.DEC)
coded("exchange", "Exchange Type", registry.exchange)
field("seq", "uint32", "Sequence ID", base.DEC)
field("length", "uint32", "Length", base.DEC)
field("embedded", "none", "Embedded version 1 message")
-- 7.2 generic payload header
field("payload", "none", "Payload")
coded("payload.type", "Payload Type", registry.payload)
coded("payload.next", "Next Payload", registry.payload)
field("payload.reserved", "uint8", "RESERVED", base.HEX)
field("payload.length", "uint16", "Payload Length", base.DEC)
field("payload.data", "bytes", "Payload Data")
-- 7.3 policy token
coded("token.type", "Policy Token Type", registry.token)
field("token.data", "bytes", "Policy Token Data")
-- 7.4 key download
field("keydl.encrypted", "bytes", "Encrypted Key Download Data")
field("keydl.items", "uint16", "Number of Items", base.DEC)
field("keydl.item", "none", "Key Download Data Item")
coded("keydl.item.type", "KDD Item Type", registry.kdd_item)
field("keydl.item.length", "uint16", "Key Download Data Item Length", base.DEC)
field("key", "none", "Key Datum")
coded("key.type", "Key Type", registry.key)
field("key.id", "bytes", "Key ID")
field("key.handle", "bytes", "Key Handle")
field("key.created", "string", "Key Creation Date")
field("key.expires", "string", "Key Expiration Date")
field("key.data", "bytes", "Key Data")
field("array.version", "uint8", "Rekey Version", base.DEC)
field("array.member_id", "bytes", "Member ID")
field("array.keys", "uint16", "Number of KEK Keys", base.DEC)
-- 7.5 rekey event
coded("rekey.event_type", "Rekey Event Type (payload)", registry.rekey)
field("rekey.groupid", "bytes", "GroupID Value")
field("rekey.timestamp", "string", "Time/Date Stamp")
coded("rekey.type", "Rekey Event Type (header)", registry.rekey)
field("rekey.version", "uint8", "Algorithm Version", base.DEC)
field("rekey.count", "uint16", "Number of Rekey Event Data", base.DEC)
field("rekey.data", "none", "Rekey Event Data")
field("rekey.data.length", "uint16", "Packet Length", base.DEC)
field("rekey.data.key_id", "bytes", "Wrapping KeyID")
field("rekey.data.handle", "bytes", "Wrapping Key Handle")
field("rekey.data.encrypted", "bytes", "Encrypted Key Packages")
field("rekey.packages", "uint16", "Number of Key Packages", base.DEC)
field("rekey.package", "none", "Key Package")
coded("rekey.package.type", "Key Package Type", registry.kdd_item)
field("rekey.package.length", "uint16", "Key Package Length", base.DEC)
-- 7.6 identification; the forms are shared with the signer of 7.8
coded("id.class", "ID Classification", registry.id_class)
coded("id.type", "ID Type", registry.id)
field("id.data", "bytes", "Identification Data")
field("id.ipv4", "ipv4", "IPv4 address")
field("id.ipv6", "ipv6", "IPv6 address")
field("id.fqdn", "string", "Domain name")
field("id.rfc822", "string", "E-mail address")
field("id.der_dn", "string", "Distinguished name (DER)")
field("id.key_id", "bytes", "Key identifier")
field("id.serial", "bytes", "Serial Number")
field("id.dn_length", "uint32", "DN Data Length", base.DEC)
field("id.dn", "string", "Distinguished name")
field("identity", "string", "Identity")
-- 7.7 certificate
coded("cert.type", "Certificate Type", registry.certificate)
field("cert.data", "bytes", "Certificate Data")
field("cert.hash", "bytes", "SHA-1 hash")
field("cert.url", "string", "URL")
-- 7.8 signature
coded("sig.type", "Signature Type", registry.signature)
coded("sig.id_type", "Signature ID Type", registry.id)
field("sig.timestamp", "string", "Signature Timestamp")
field("sig.signer_length", "uint16", "Signer ID Length", base.DEC)
field("sig.signer", "bytes", "Signer ID Data")
field("sig.length", "uint16", "Signature Length", base.DEC)
field("sig.data", "bytes", "Signature Data")
field("sig.covered", "uint32", "Signed octets from the start of the header", base.DEC)
field("signer", "string", "Signer")
-- 7.9 notification
coded("notify.type", "Notification Type", registry.notification)
field("notify.data", "bytes", "Notification Data")
coded("notify.ack_type", "Ack Type", registry.ack)
field("notify.ack_data", "bytes", "Acknowledgement Data")
field("notify.cookie", "bytes", "Cookie")
field("notify.mechanism", "none", "Mechanism Choice")
coded("notify.mechanism.type", "Mechanism Type", registry.mechanism)
coded("notify.mechanism.creation", "Key Creation Algorithm", registry.key_creation)
coded("notify.mechanism.encryption", "Encryption Algorithm", registry.key)
coded("notify.mechanism.hash", "Nonce Hash Algorithm", registry.nonce_hash)
field("notify.mechanism.value", "uint16", "Mechanism Choice Data", base.DEC)
field("notify.ipv4", "ipv4", "IPv4 Value")
field("notify.ipv6", "ipv6", "IPv6 Value")
-- 7.10 to 7.12
field("vendor", "bytes", "Vendor ID")
coded("creation.type", "Key Creation Type", registry.key_creation)
field("creation.data", "bytes", "Key Creation Data")
coded("nonce.type", "Nonce Type", registry.nonce)
field("nonce.data", "bytes", "Nonce Data")
-- decryption, and what is in nobody's place
field("decrypted", "string", "Decrypted")
field("decrypted.key", "string", "Decrypted with")
field("trailing", "bytes", "Octets behind the end")
field("undissected", "bytes", "Octets that could not be dissected")

local E = {}

local function advice(key, text, group, severity)
    E[key] = ProtoExpert.new("gsakmp.expert." .. key, text, group, severity)
end

advice("malformed", "Malformed", expert.group.MALFORMED, expert.severity.ERROR)
advice("trailing", "Octets behind the end", expert.group.MALFORMED, expert.severity.ERROR)
advice("reserved", "RESERVED is not zero", expert.group.PROTOCOL, expert.severity.WARN)
advice("unknown", "Value that no table defines", expert.group.PROTOCOL, expert.severity.WARN)
advice("private", "Private value", expert.group.PROTOCOL, expert.severity.NOTE)
advice("value", "Value that is not allowed here", expert.group.PROTOCOL, expert.severity.WARN)
advice("refusal", "Refusal", expert.group.RESPONSE_CODE, expert.severity.NOTE)
advice("locked", "No key for this", expert.group.DECRYPTION, expert.severity.CHAT)
advice("wrong_key", "Decryption failed", expert.group.DECRYPTION, expert.severity.WARN)
advice("keylog", "Key log file", expert.group.DECRYPTION, expert.severity.NOTE)

S.F, S.labels, S.E = F, labels, E

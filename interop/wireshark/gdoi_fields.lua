-- SPDX-License-Identifier: BSD-2-Clause
-- Every field and every expert info of the GDOI dissector; section numbers are those of RFC 6407.

local S = ...
if type(S) ~= "table" then
    return -- Wireshark runs every file of a plugin folder; only gdoi.lua has something to do there
end
local registry = S.registry

local F, labels = {}, {}

local function field(key, kind, label, ...)
    F[key] = ProtoField[kind]("gdoi." .. key, label, ...)
    labels[key] = label
end

local function coded(key, label, values)
    field(key, values.octets == 1 and "uint8" or "uint16", label, base.DEC + base.RANGE_STRING, values.ranges)
end

field("exchange", "uint8", "Exchange Type", base.DEC + base.RANGE_STRING, registry.exchange.ranges)
field("spi", "bytes", "SPI of the Rekey SA (cookies)")
-- generic payload header (RFC 2408 section 3.2)
field("payload", "none", "Payload")
coded("payload.type", "Payload Type", registry.payload)
coded("payload.next", "Next Payload", registry.payload)
field("payload.reserved", "uint8", "RESERVED", base.HEX)
field("payload.length", "uint16", "Payload Length", base.DEC)
field("payload.data", "bytes", "Payload Data")
field("hash", "bytes", "Hash Data")
field("nonce", "bytes", "Nonce Data")
field("signature", "bytes", "Signature Data")
-- attributes (RFC 2408 section 3.3)
field("attribute", "none", "Attribute")
field("attribute.type", "uint16", "Attribute Type", base.DEC)
field("attribute.length", "uint16", "Attribute Length", base.DEC)
field("attribute.value", "uint64", "Attribute Value", base.DEC)
field("attribute.octets", "bytes", "Attribute Value")
-- 5.1 ID, RFC 8052 section 2.1
coded("id.type", "ID Type", registry.id)
field("id.protocol", "uint8", "Protocol-ID", base.DEC)
field("id.port", "uint16", "Port", base.DEC)
field("id.number", "uint32", "Group number", base.DEC)
field("id.data", "bytes", "Identification Data")
field("id.ipv4", "ipv4", "IPv4 address")
field("id.ipv6", "ipv6", "IPv6 address")
field("oid.length", "uint8", "OID Length", base.DEC)
field("oid", "bytes", "OID (DER)")
field("oid.text", "string", "OID")
field("oid.payload_length", "uint16", "OID-Specific Payload Length", base.DEC)
field("oid.payload", "bytes", "OID-Specific Payload")
-- 5.2 SA
field("sa.doi", "uint32", "DOI", base.DEC)
field("sa.situation", "uint32", "Situation", base.HEX)
field("sa.next", "uint16", "SA Attribute Next Payload", base.DEC + base.RANGE_STRING, registry.payload.ranges)
field("reserved2", "bytes", "RESERVED2")
-- 5.3 SAK, 5.5 SAT: endpoints
field("ep.protocol", "uint8", "Protocol", base.DEC)
for _, side in ipairs {"src", "dst"} do
    local name = side:upper()
    coded("ep." .. side .. ".type", name .. " ID Type", registry.id)
    field("ep." .. side .. ".port", "uint16", name .. " ID Port", base.DEC)
    field("ep." .. side .. ".length", "uint8", name .. " ID Data Len", base.DEC)
    field("ep." .. side .. ".data", "bytes", name .. " Identification Data")
    field("ep." .. side .. ".ipv4", "ipv4", name .. " IPv4 address")
    field("ep." .. side .. ".ipv6", "ipv6", name .. " IPv6 address")
end
field("sak.spi", "bytes", "SPI")
-- 5.5 SAT
coded("sat.protocol", "Protocol-ID", registry.protocol)
field("sat.esp", "uint8", "ESP Transform ID", base.DEC + base.RANGE_STRING, registry.esp.ranges)
field("sat.ah", "uint8", "AH Transform ID", base.DEC + base.RANGE_STRING, registry.ah.ranges)
field("sat.spi", "bytes", "SPI")
coded("sat.auth", "Auth Alg", registry.iec_auth)
coded("sat.enc", "Enc Alg", registry.iec_enc)
field("sat.lifetime", "uint32", "Remaining Lifetime", base.DEC)
-- 5.6 KD
field("kd.packets", "uint16", "Number of Key Packets", base.DEC)
field("kd.packet", "none", "Key Packet")
coded("kd.type", "KD Type", registry.kd)
field("kd.reserved", "uint8", "RESERVED", base.HEX)
field("kd.length", "uint16", "KD Length", base.DEC)
field("kd.spi_size", "uint8", "SPI Size", base.DEC)
field("kd.spi", "bytes", "SPI")
field("lkh.version", "uint8", "LKH Version", base.DEC)
field("lkh.count", "uint16", "# of LKH Keys", base.DEC)
field("lkh.reserved", "uint8", "RESERVED", base.HEX)
field("lkh.under.id", "uint16", "LKH ID of the key above all", base.DEC)
field("lkh.under.handle", "uint32", "Key Handle of that key", base.HEX)
field("lkh.key", "none", "LKH Key")
field("lkh.id", "uint16", "LKH ID", base.DEC)
coded("lkh.type", "Key Type", registry.key)
field("lkh.created", "uint32", "Key Creation Date", base.DEC)
field("lkh.expires", "uint32", "Key Expiration Date", base.DEC)
field("lkh.handle", "uint32", "Key Handle", base.HEX)
field("lkh.data", "bytes", "Key Data")
field("lkh.opened", "bytes", "Key Data, decrypted")
-- 5.7 SEQ, 5.9 D, N
field("seq", "uint32", "Sequence Number", base.DEC)
field("delete.protocol", "uint8", "Protocol-Id", base.DEC)
field("delete.spi_size", "uint8", "SPI Size", base.DEC)
field("delete.count", "uint16", "# of SPIs", base.DEC)
field("delete.spi", "bytes", "SPI")
coded("notify.type", "Notify Message Type", registry.notify)
field("notify.spi", "bytes", "SPI")
field("notify.data", "bytes", "Notification Data")
-- decryption, and what is in nobody's place
field("encrypted", "bytes", "Encrypted payloads")
field("decrypted", "string", "Decrypted with")
field("padding", "bytes", "Padding")
field("trailing", "bytes", "Octets behind the end")
field("undissected", "bytes", "Octets that could not be dissected")

local E = {}

local function advice(key, text, group, severity)
    E[key] = ProtoExpert.new("gdoi.expert." .. key, text, group, severity)
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

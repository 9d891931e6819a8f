-- SPDX-License-Identifier: BSD-2-Clause
-- How the fields of both dissectors are declared, and the expert infos that both have. `S.prefix` is whose they are.

local S = ...
if type(S) ~= "table" then
    return -- Wireshark runs every file of a plugin folder; only gsakmp.lua or gdoi.lua has something to do there
end

local F, labels, E = {}, {}, {}

function S.field(key, kind, label, ...)
    F[key] = ProtoField[kind](S.prefix .. "." .. key, label, ...)
    labels[key] = label
end

function S.coded(key, label, values)
    S.field(key, values.octets == 1 and "uint8" or "uint16", label, base.DEC + base.RANGE_STRING, values.ranges)
end

local function advice(key, text, group, severity)
    E[key] = ProtoExpert.new(S.prefix .. ".expert." .. key, text, group, severity)
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

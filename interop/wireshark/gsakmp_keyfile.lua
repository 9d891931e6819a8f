-- SPDX-License-Identifier: BSD-2-Clause
-- The file of a key log (format: interop/msec_scapy/KEYLOG.md), whatever its lines are about.

local S = ...
if type(S) ~= "table" then
    return -- Wireshark runs every file of a plugin folder; only gsakmp.lua or gdoi.lua has something to do there
end

-- What a word in hexadecimal stands for; nil if it is none.
function S.octets(hex)
    if hex == "-" then
        return ""
    end
    if #hex % 2 ~= 0 or hex:find("%X") then
        return nil
    end
    return (hex:gsub("%x%x", function(pair)
        return string.char(tonumber(pair, 16))
    end))
end

-- Reads what was appended since the last time; half a line waits for its end. `handlers` has a function for the first
-- word of a line, which says whether the line is good. True if there was news.
function S.read_on(log, handlers)
    if log.path == "" then
        return false
    end
    local file = io.open(log.path, "rb")
    log.missing = not file
    if not file then
        return false
    end
    local size = file:seek("end") or 0
    if size <= log.read_to then
        file:close()
        return false
    end
    file:seek("set", log.read_to)
    local text = file:read("*a") or ""
    file:close()
    local whole = text:match("^.*\n") or ""
    for line in whole:gmatch("([^\n]*)\n") do
        local words = {}
        for w in line:gmatch("%S+") do
            words[#words + 1] = w
        end
        local handler = handlers[words[1] or ""]
        if handler and not handler(log, words) then
            log.bad_lines = log.bad_lines + 1
        end
    end
    log.read_to = log.read_to + #whole
    return #whole > 0
end

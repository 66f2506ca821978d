-- profile.lua -- each request changes the name of one of 64 fans.
-- SPDX-License-Identifier: Apache-2.0
local n = 0

function request()
   n = n + 1
   return wrk.format("PATCH", "/v1/me", {
      ["Authorization"] = "Bearer " .. string.format("fan%05d", n % 64) .. string.rep("x", 35),
      ["Content-Type"] = "application/json",
   }, '{"name":"Fan ' .. n .. '"}')
end

-- follow.lua -- each request follows a creator or ends it, for one of 64 fans, under an Idempotency-Key of its own.
-- SPDX-License-Identifier: Apache-2.0
local fans, creators, n, failed = 64, 200, 0, 0

function request()
   local fan, creator = n % fans, math.floor(n / fans) % creators
   local method = math.floor(n / (fans * creators)) % 2 == 0 and "PUT" or "DELETE"
   n = n + 1
   return wrk.format(method, "/v1/creators/creator" .. creator .. "/follow", {
      ["Authorization"] = "Bearer " .. string.format("fan%05d", fan) .. string.rep("x", 35),
      ["Idempotency-Key"] = os.getenv("BENCH_RUN") .. "-" .. n,
   })
end

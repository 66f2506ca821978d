-- publish.lua -- each request publishes a post with a picture for a tier, as one of 200 creators, under an Idempotency-Key: the
-- write that touches the most rows. BENCH_IDS: a file with each creator's tier and asset.
-- SPDX-License-Identifier: Apache-2.0
local owned, n = {}, 0
for line in io.lines(os.getenv("BENCH_IDS")) do
   local tier, asset = line:match("(%S+) (%S+)")
   owned[#owned + 1] = '"tiers":["' .. tier .. '"],"media":["' .. asset .. '"]'
end

function request()
   local creator = n % #owned
   n = n + 1
   return wrk.format("POST", "/v1/posts", {
      ["Authorization"] = "Bearer " .. string.format("creator%05d", creator) .. string.rep("x", 31),
      ["Idempotency-Key"] = os.getenv("BENCH_RUN") .. "-" .. n,
      ["Content-Type"] = "application/json",
   }, '{"text":"Nr ' .. n .. '","access":"tiers",' .. owned[creator + 1] .. ',"publish":true}')
end

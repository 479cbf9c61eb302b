-- See edge.lua: answers to /health.
if not edge then _G.edge = dofile(os.getenv("LINKSHRINK_APP") .. "/lighttpd/edge.lua")("health") end
return edge(lighty)

-- See edge.lua: all of the operations listener.
if not edge then _G.edge = dofile(os.getenv("LINKSHRINK_APP") .. "/lighttpd/edge.lua")("operations") end
return edge(lighty)

-- See edge.lua: answers of the programs api and bulk.
if not edge then _G.edge = dofile(os.getenv("LINKSHRINK_APP") .. "/lighttpd/edge.lua")("api") end
return edge(lighty)

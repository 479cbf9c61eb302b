-- See edge.lua: answers of the program shorten.
if not edge then _G.edge = dofile(os.getenv("LINKSHRINK_APP") .. "/lighttpd/edge.lua")("shorten") end
return edge(lighty)

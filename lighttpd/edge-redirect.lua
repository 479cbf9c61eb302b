-- See edge.lua: answers of the program redirect, and lighttpd's where it is away.
if not edge then _G.edge = dofile(os.getenv("LINKSHRINK_APP") .. "/lighttpd/edge.lua")("redirect") end
return edge(lighty)

-- See edge.lua: what could not be parsed; all else has a script of its own.
if not edge then _G.edge = dofile(os.getenv("LINKSHRINK_APP") .. "/lighttpd/edge.lua")("none") end
return edge(lighty)

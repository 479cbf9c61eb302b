-- See edge.lua: the page and its files.
if not edge then _G.edge = dofile(os.getenv("LINKSHRINK_APP") .. "/lighttpd/edge.lua")("page") end
return edge(lighty)

"""One module for each group of pages. A page asks a flow; the flow's answer says which page comes next."""

"""How legacy keeps its data: where each attribute is, and how an item is read. Pure."""

"""One file per published architecture. Attribute names of layers are keys of saved weights, so they must not change."""

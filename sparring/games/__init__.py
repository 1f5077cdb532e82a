"""Who minimises what."""

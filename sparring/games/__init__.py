"""Games: which player minimizes which losses."""

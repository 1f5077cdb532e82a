"""Image files and videos on their way into a net and out of it."""

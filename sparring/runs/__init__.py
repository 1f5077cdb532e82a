"""A run's folder, its log, its curves and its card."""

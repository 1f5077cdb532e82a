"""A run's folder, log, curves and model card."""

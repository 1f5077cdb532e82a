"""Metrics of samples: pure functions, and the results of evaluations as plain data."""

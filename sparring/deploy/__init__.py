"""Trained models taken elsewhere: exported, compressed, served."""

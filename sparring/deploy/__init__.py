"""Trained models for other programs: exported, compressed, served."""

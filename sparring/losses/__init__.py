"""What players minimise: pairs of adversarial formulas on raw logits, and penalties on D."""

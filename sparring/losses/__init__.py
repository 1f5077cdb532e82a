"""What players minimize: pairs of adversarial losses on raw logits, penalties on D, and the variational bound."""

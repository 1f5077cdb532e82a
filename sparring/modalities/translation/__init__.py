"""Pictures that are made of given pictures."""

"""Evaluation: measurements of the product through its public names."""

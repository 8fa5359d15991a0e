"""The set of questions for training and testing: real ones, and ones written from the corpora."""

"""Answers, measured."""

"""CDS Hooks 2.0: recommendations found for the coded context that a health record system sends, as cards.

Off unless `CLINSEARCH_CDS` is set (docs/adr/0028). Specification: https://cds-hooks.hl7.org/2.0/
"""

"""Training: from recorded runs to adapters that the service can serve.

Reads rollouts and the corpora, calls `agent` and `retrieval` through their public names, and knows nothing of
the web service. What it makes is small: adapters, each with a card.
"""

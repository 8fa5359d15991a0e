"""The service for AI clients that speak the Model Context Protocol: three tools over the parts the HTTP API has.

`server` offers the tools to whatever transport asks, `stdio` and `http` are the two transports.
"""

"""The REST door: `/api/v1`, its description in OpenAPI and the pages made from it.

It parses, calls the actions and queries that the other doors call, and renders. No rule lives here.
"""

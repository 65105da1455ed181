"""The languages of the public pages: which there are, which one answers a request, and its words, numbers and dates.

What machines read (JSON, Markdown, feeds, cards, REST, gRPC) is English and never asks this room.
"""

"""Which paths are whose: the list `.micelio/OWNERS` and the patterns of paths in it. Pure: bytes in, rules out.

Patterns match as in gitignore(5), byte for byte and in linear time.
"""

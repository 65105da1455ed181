"""The pages that people read: templates, one stylesheet, and the pure parts that turn contents into safe HTML.

Nothing here writes. Views ask the queries of the domains, and every page has a machine twin with the same data.
"""

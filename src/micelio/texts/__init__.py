"""What a forge says of itself: its handbook, its changelog, its blog. Markdown in the repository, in the wheel, and of
whoever runs the forge; no rows, no store.
"""

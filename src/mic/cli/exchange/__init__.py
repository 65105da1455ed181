"""Projects brought in from elsewhere, and taken away."""

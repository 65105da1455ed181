"""Which forge is asked, as whom, and what is known of its answers."""

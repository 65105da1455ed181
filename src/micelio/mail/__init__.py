"""Letters to people: written into an outbox with the act that they tell of, then sent, or kept for an administrator."""

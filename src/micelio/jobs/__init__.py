"""Background work: rows in the same SQL, enqueued in the same transaction as the act that wants them."""

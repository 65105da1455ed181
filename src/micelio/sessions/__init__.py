"""Sessions and landings: landing through policy, the projector that derives rows from the log, reading them back."""

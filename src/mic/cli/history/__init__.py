"""What was: landings, files as they stood, who wrote a line and why."""

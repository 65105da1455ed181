"""The program itself: its settings, daemon, shell, caches and updates."""

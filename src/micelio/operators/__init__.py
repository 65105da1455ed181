"""Whoever runs the forge: `/-/admin`, `micelio admin ...`, blocks of addresses and accounts, the legal page."""

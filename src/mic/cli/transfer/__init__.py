"""Contents between here and a forge: fetched, verified, written, cut and sent."""

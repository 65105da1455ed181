"""The doors of the forge: the HTTP root, the gRPC server, and everything that is true of every answer."""

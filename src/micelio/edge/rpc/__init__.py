"""The typed surface: gRPC servicers over the same actions and queries as every other door."""

"""A simulated charging station: it knows nothing of the portal but its websocket."""

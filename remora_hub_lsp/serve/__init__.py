"""PEERS: connections, sessions, editor and agent features."""

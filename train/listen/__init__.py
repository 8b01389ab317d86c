"""Listening tests: their statistics, the number of listeners they need, and simulated listeners."""

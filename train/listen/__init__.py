"""Listening tests: the plan, stimuli, the page and its server; their statistics; listeners that are simulated."""

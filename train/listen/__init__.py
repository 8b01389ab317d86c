"""Listening tests: a plan written before any rating, stimuli that tell nothing, the page, its small server, ratings."""

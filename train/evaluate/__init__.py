"""Zero-shot and adapters on held-out sentences: losses, speech, and what can be measured of both; the sweep of ranks."""

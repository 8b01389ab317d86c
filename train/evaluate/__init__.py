"""Zero-shot and adapters on held-out sentences: losses, speech, what is measured of both; the sweep of ranks."""

"""What is trained on: the corpus, its latents, the order of its clips."""

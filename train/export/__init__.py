"""What leaves a run: adapters, merged checkpoints, model cards, speech."""

"""The LoRA adapter and its formats."""

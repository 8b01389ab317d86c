"""One LoRA adapter for VoxCPM2 on a curated corpus."""

"""VoxCPM2: its checkpoint on disk, its inputs and its losses."""

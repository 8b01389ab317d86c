"""Steps: pure functions from frame and plain values to frame; cheap, vectorised, they never lose a row."""

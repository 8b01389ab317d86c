"""What trainers read: one file per format, each a function `(kept clips, clips folder, into) -> files written`."""

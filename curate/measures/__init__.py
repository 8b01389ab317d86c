"""What is measured of recordings, clips, texts and the whole corpus: signal, edges, agreement, voices, fingerprints."""

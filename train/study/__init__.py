"""The published study: its design as data, a report from a sweep and ratings, and a rehearsal of the whole."""

"""From raw recordings to a speech corpus that a person can account for."""

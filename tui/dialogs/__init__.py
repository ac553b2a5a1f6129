"""What opens over the counter for one job, one a file. Each calls its own verb, keeps what was typed where that is
refused, and ends with one sentence."""

"""What a change means, for the people who decide on it. Pure: two sides come in, findings for a reader come out."""

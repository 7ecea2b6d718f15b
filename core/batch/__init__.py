"""Many micrographs in one go: where they come from, a row for each, and the table of rows."""

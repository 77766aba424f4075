"""What happens: watching folders, running jobs, decoding media and captioning. Builds on `catalog`."""

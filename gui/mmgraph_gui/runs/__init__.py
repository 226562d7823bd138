"""The table of runs, and starting, copying and ending them."""

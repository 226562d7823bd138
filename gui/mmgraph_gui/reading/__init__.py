"""Reading a run while it grows: polling, the cache of snapshots, and whose turn it is to draw."""

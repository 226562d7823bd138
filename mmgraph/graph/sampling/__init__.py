"""Parts of a graph that is too large to be trained on at once: sampled neighbourhoods and clusters."""

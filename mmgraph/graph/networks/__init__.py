"""Networks built of convolutions, and the parts that join, pool and decode what they say."""

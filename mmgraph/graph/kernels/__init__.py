"""What the graph library computes with: sparse patterns, and products, scores and softmax over them."""

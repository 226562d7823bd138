"""Modalities joined: captioning, cross-modal mapping, fusion of encoders."""

"""Training of the networks that trendscope ships; never imported by trendscope."""

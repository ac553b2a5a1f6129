"""Long trials of the whole, which take more time than a test may."""

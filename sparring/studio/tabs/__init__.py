"""The page's tabs: each lays out its own, and says what happens when something is touched."""

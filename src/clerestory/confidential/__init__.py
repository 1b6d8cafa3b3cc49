"""The only room with true values. What leaves it is protected: see protect/publish.py, the one door."""

"""The steps of one pull, each with what is recorded after it; the order of them is that of `host/pipeline.py`."""

"""Take in what other programs have put on disk: read their trees, and record what is there through the four hooks.

It knows the contract and not who records.
"""

"""Kill, fail and cut off every operation that writes at each of its calls, recover, and check what must hold."""

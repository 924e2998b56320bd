"""The parent of a runner: the guard on a laptop, process 1 in a pod."""

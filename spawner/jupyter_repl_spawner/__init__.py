"""Provisions runners: child processes on a laptop, pods on Kubernetes."""

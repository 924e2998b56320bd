"""REPLs as pods: one Lease for each, which owns all else."""

"""Runs Vowpal Wabbit for scripts/bench rl: arguments of a run on a line in, mean loss and seconds on a line out."""

import sys
import time
from importlib.metadata import version

import vowpalwabbit

print(version("vowpalwabbit"), flush=True)
for arguments in sys.stdin:
    begun = time.perf_counter()
    workspace = vowpalwabbit.Workspace(arguments.strip() + " --quiet")
    took = time.perf_counter() - begun
    print(workspace.get_sum_loss() / max(workspace.get_weighted_examples(), 1), took, flush=True)
    workspace.finish()

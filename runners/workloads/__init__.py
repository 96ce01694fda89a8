"""Workloads: model, data, loss and batch size together, each made by one function whose arguments are its variants."""

from runners.workloads.workload import Workload, find_workload, make_workload, read_variant

__all__ = ["Workload", "find_workload", "make_workload", "read_variant"]

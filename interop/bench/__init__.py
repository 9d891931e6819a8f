# SPDX-License-Identifier: BSD-2-Clause
"""Benchmarks that report ratios; see README.md.  ./lab bench runs them."""

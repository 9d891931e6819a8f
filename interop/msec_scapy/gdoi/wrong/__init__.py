# SPDX-License-Identifier: BSD-2-Clause
"""Entries of the catalogue in misbehave.py, by topic. Each module has ENTRIES: keywords of a Misbehaviour."""

# SPDX-License-Identifier: BSD-2-Clause
"""The test vectors of interop/vectors: making them (`make_*`), computing and checking them.

`kinds` says what there is, `compute` has one function for each kind, `check` compares.
"""

# SPDX-License-Identifier: BSD-2-Clause
"""Vectors of GDOI: interop/vectors/gdoi. Written together with those of GSAKMP by `./lab vectors`."""

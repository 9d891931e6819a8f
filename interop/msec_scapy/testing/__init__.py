# SPDX-License-Identifier: BSD-2-Clause
"""Helpers of the unit tests: a throw-away CA and a group without sockets."""

# SPDX-License-Identifier: BSD-2-Clause
"""The clause ledger: the rows (rfcNNNN.csv), the tests that name them, and the proof that these are worth something.

    ledger      rows, what each still owes, the table
    collect     finds the tests in the sources
    prove       runs the negative tests with their checks switched off
"""

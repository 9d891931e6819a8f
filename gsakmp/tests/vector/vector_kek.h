/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_TESTS_VECTOR_KEK_H
#define GSAKMP_TESTS_VECTOR_KEK_H

#include "gsakmp/message/protect.h"
#include "gsakmp/tests/vector/vector.h"

/* vec_kek - derive the KEK of a vector and compare it with its field `kek`. */
void vec_kek(struct vec *v, struct gsakmp_kek *kek);

#endif /* GSAKMP_TESTS_VECTOR_KEK_H */

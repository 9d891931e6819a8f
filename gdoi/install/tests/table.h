/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_INSTALL_TESTS_TABLE_H
#define GDOI_INSTALL_TESTS_TABLE_H

#include <linux/xfrm.h>

#include "gdoi/install/kernel.h"

/*
 * DOC: a kernel that keeps what it is given, as Linux does
 *
 * It has the octets of every state and policy, so that two ways to the same end can
 * be compared: what is there afterwards is the same, or it is not.
 */

/* A state or policy: its message behind the header. */
struct thing {
	bool state;
	size_t len;
	uint8_t octets[GDOI_XFRM_MESSAGE_MAX];
};

struct table {
	size_t n;
	struct thing thing[128];
	uint32_t index;       /* the last number that a policy was given */
	unsigned n_lifetimes; /* XFRM_MSG_UPDSA, which changes nothing else */
	bool deaf;            /* who talks to it is dead */
};

extern struct table kernel; /* what is there now */

/* kernel_send - a struct gdoi_kernel_ops.send; errors are those of Linux. */
int kernel_send(void *arg, const struct gdoi_xfrm_message *m);
/* kernel_find - by destination, SPI and protocol of @body, or by direction and
 * selector; NULL: there is none. */
struct thing *kernel_find(bool state, const void *body);
/* kernel_policy - NULL: it is a state. */
struct xfrm_userpolicy_info *kernel_policy(struct thing *t);
/* kernel_assert - there is all that @want has, octet for octet, and no more. */
void kernel_assert(const struct table *want);

#endif /* GDOI_INSTALL_TESTS_TABLE_H */

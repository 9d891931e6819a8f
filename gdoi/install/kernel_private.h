/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_INSTALL_KERNEL_PRIVATE_H
#define GDOI_INSTALL_KERNEL_PRIVATE_H

#include "gdoi/install/kernel.h"

/*
 * The kernel has one policy for a selector in each direction, whoever wants it, so
 * groups whose SAs have the same selector share it: what one of them leaves behind
 * is put in order for those that stay.
 */
struct gdoi_kernel_state {
	size_t group;
	struct gdoi_xfrm x; /* without keys */
	size_t policy;      /* index */
	bool ready;         /* CURRENT, and may be sent with */
};

/* The policies of one selector. */
struct gdoi_kernel_policy {
	bool used;
	uint32_t groups; /* bits: those that it is there for */
	uint32_t reqid;  /* that of before, if it was another; 0: by number */
	size_t sas;      /* that share them */
	struct gdoi_xfrm x; /* the selector, and what OUT names */
	bool in, fwd;       /* are there, and let in */
	bool out;           /* is there ... */
	bool sending;       /* ... and names @x's SPI; else it blocks */
};

/* What goes to a network that no SA can be had for. */
struct gdoi_kernel_fence {
	size_t group;
	struct gdoi_xfrm x;
};

struct gdoi_kernel {
	struct gdoi_kernel_config cfg;
	struct gdoi_kernel_ops ops;
	uint32_t seq;
	size_t n_sas;
	struct gdoi_kernel_state sa[GDOI_KERNEL_SAS_MAX];
	struct gdoi_kernel_policy policy[GDOI_KERNEL_POLICIES_MAX];
	size_t n_fences;
	struct gdoi_kernel_fence fence[GDOI_KERNEL_FENCES_MAX];
	uint32_t n_bypasses; /* ever */
	size_t n_left;
	struct gdoi_xfrm_found *left;
};

/* Marks of policies: those of selectors, of fences, of bypasses. */
#define GDOI_KERNEL_MARK_FENCES GDOI_KERNEL_POLICIES_MAX
#define GDOI_KERNEL_MARK_BYPASSES \
	(GDOI_KERNEL_MARK_FENCES + GDOI_KERNEL_FENCES_MAX)
#define GDOI_KERNEL_MARKS (GDOI_KERNEL_MARK_BYPASSES + 1024)

/* Says @m, and notes a refusal other than EEXIST. */
int gdoi_kernel_say(struct gdoi_kernel *k, const struct gdoi_xfrm_message *m,
                    const char *what, const struct gdoi_xfrm *x);
/* A copy without keys. */
void gdoi_kernel_keep(struct gdoi_xfrm *to, const struct gdoi_xfrm *x);

/* ---- kernel_policy.c ----------------------------------------------------- */

struct gdoi_kernel_policy *gdoi_kernel_find_policy(struct gdoi_kernel *k,
                                                   const struct gdoi_xfrm *x);
/* gdoi_kernel_get_policy - that of the selector of @x, there for @group, too;
 * NULL: no room. */
struct gdoi_kernel_policy *gdoi_kernel_get_policy(struct gdoi_kernel *k,
                                                  size_t group,
                                                  const struct gdoi_xfrm *x);
bool gdoi_kernel_held(const struct gdoi_kernel_policy *p, size_t group);
/* gdoi_kernel_let_go - @group needs it no more; it is unused when nobody does. */
void gdoi_kernel_let_go(struct gdoi_kernel_policy *p, size_t group);
/* The same number for the same place, so that what an earlier life left behind
 * fits. */
uint32_t gdoi_kernel_reqid(const struct gdoi_kernel *k,
                           const struct gdoi_kernel_policy *p);
/* gdoi_kernel_mark - number @n of ours; all of them have room in an index. */
uint32_t gdoi_kernel_mark(const struct gdoi_kernel *k, size_t n);
/* gdoi_kernel_first_mark - number 0 of a daemon with @reqid. */
uint32_t gdoi_kernel_first_mark(uint32_t reqid);
/* @there: it is changed; an errno value. */
int gdoi_kernel_set_policy(struct gdoi_kernel *k, const struct gdoi_xfrm *x,
                           enum gdoi_xfrm_dir dir, bool block, bool there);
/* Both return an errno value.  turn_out: @x is the SA to send with; or one of the
 * selector, with which nothing is sent. */
int gdoi_kernel_open_in(struct gdoi_kernel *k, struct gdoi_kernel_policy *p,
                        const struct gdoi_xfrm *x);
int gdoi_kernel_turn_out(struct gdoi_kernel *k, struct gdoi_kernel_policy *p,
                         const struct gdoi_xfrm *x, bool send);
void gdoi_kernel_drop_in(struct gdoi_kernel *k, struct gdoi_kernel_policy *p);
void gdoi_kernel_drop_policies(struct gdoi_kernel *k,
                               struct gdoi_kernel_policy *p);
void gdoi_kernel_block_policies(struct gdoi_kernel *k,
                                struct gdoi_kernel_policy *p);
/* No SA of this selector can be had, so nothing of it leaves in clear. */
void gdoi_kernel_shut(struct gdoi_kernel *k, size_t group,
                      const struct gdoi_xfrm *x);

/* ---- kernel_fence.c ------------------------------------------------------ */

void gdoi_kernel_fence_off(struct gdoi_kernel *k, size_t group,
                           const struct gdoi_tek *tek);
void gdoi_kernel_drop_fences(struct gdoi_kernel *k, size_t group, bool all);
/* The SA that stood in its place is gone. */
void gdoi_kernel_mend_fence(struct gdoi_kernel *k, const struct gdoi_xfrm *x);

/* ---- kernel_left.c ------------------------------------------------------- */

/* It is ours again, or gone.  claim_state: has it the reqid of @x? */
void gdoi_kernel_claim_policy(struct gdoi_kernel *k, const struct gdoi_xfrm *x,
                              enum gdoi_xfrm_dir dir);
bool gdoi_kernel_claim_state(struct gdoi_kernel *k, const struct gdoi_xfrm *x);
/* gdoi_kernel_left_sends - was what @x protects sent with @x when the daemon was
 * killed, and still is? */
bool gdoi_kernel_left_sends(const struct gdoi_kernel *k,
                            const struct gdoi_xfrm *x);
/* gdoi_kernel_left_number - which policy @x had; GDOI_KERNEL_POLICIES_MAX: none.
 * gdoi_kernel_left_reqid - which reqid @x had where that is none of today's; 0: none.
 * gdoi_kernel_left_has - is something left that has that number? */
size_t gdoi_kernel_left_number(const struct gdoi_kernel *k,
                               const struct gdoi_xfrm *x);
uint32_t gdoi_kernel_left_reqid(const struct gdoi_kernel *k,
                                const struct gdoi_xfrm *x);
bool gdoi_kernel_left_has(const struct gdoi_kernel *k, size_t number);

#endif /* GDOI_INSTALL_KERNEL_PRIVATE_H */

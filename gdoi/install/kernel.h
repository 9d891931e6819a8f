/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_INSTALL_KERNEL_H
#define GDOI_INSTALL_KERNEL_H

#include "gdoi/install/xfrm.h"

/*
 * DOC: kernel - the SAs of a member in the kernel, group by group
 *
 * What the engine says of a TEK becomes states and policies.  Policies of one
 * selector are shared by the SAs that follow each other: IN and FWD accept each
 * of them, OUT names the one that is CURRENT, and is changed in one step when the
 * next one takes over, so that nothing leaves unprotected or is lost.
 *
 *     NEXT      nothing yet
 *     RECEIVE   its state is there; OUT stays with the one before, or blocks
 *     CURRENT   OUT names it, if it may send here; else OUT blocks
 *     OLD       its state is there
 *     wiped     its state is gone
 *
 * When the last SA of a selector is gone, its policies block what they protected
 * (fail-close), until the membership ends by the will of this host.  So it is for
 * what leaves when an SA cannot be had at all, because the plan or the kernel says
 * no.  Where its destination is a network or a range, policies of a lower rank,
 * fences, throw away what no SA of any group takes.
 *
 * No I/O: messages go to @send, which answers with an errno value, 0 for
 * acknowledged.
 */
#define GDOI_KERNEL_SAS_MAX 256
#define GDOI_KERNEL_POLICIES_MAX 128
#define GDOI_KERNEL_FENCES_MAX 512

struct gdoi_kernel_ops {
	int (*send)(void *arg, const struct gdoi_xfrm_message *m);
	/* For people: what was done or could not be.  @error: an errno value,
	 * or 0. */
	void (*note)(void *arg, bool bad, const char *what,
	             const struct gdoi_xfrm *x, int error);
	void *arg;
};

#define GDOI_KERNEL_BEFORE_MAX 8

struct gdoi_kernel_config {
	uint32_t reqid;    /* the first of ours */
	uint32_t priority; /* of policies */
	/* Of those that an earlier life may have left. */
	uint32_t before[GDOI_KERNEL_BEFORE_MAX];
	size_t n_before;
	/* And the first number of each, where that was another one. */
	uint32_t former[GDOI_KERNEL_BEFORE_MAX];
	size_t n_former;
	uint32_t window;
	bool random_iv;
	bool fail_open; /* no blocking when there is no SA of a selector */
	bool no_fences; /* no blocking of networks and ranges */
	struct gdoi_address local4, local6; /* outer sources of tunnels */
};

struct gdoi_kernel;

struct gdoi_kernel *gdoi_kernel_new(const struct gdoi_kernel_config *cfg,
                                    const struct gdoi_kernel_ops *ops);
/* gdoi_kernel_free - takes everything out of the kernel first, what was left behind,
 * too. */
void gdoi_kernel_free(struct gdoi_kernel *k);

/* gdoi_kernel_tek - an output TEK.  GK_ERR_POLICY: cannot be done, @why says
 * what; GK_ERR_IO: the kernel refused, and @note has said so. */
enum gk_err gdoi_kernel_tek(struct gdoi_kernel *k, size_t group,
                            const struct gdoi_tek *tek, int64_t now_utc,
                            char why[GDOI_XFRM_WHY]);
/* gdoi_kernel_tek_wipe - an output TEK_WIPE. */
void gdoi_kernel_tek_wipe(struct gdoi_kernel *k, size_t group,
                          const struct gdoi_tek *tek);
/* gdoi_kernel_kek - PUSHes to @kek pass in clear, or (@remove) no longer. */
void gdoi_kernel_kek(struct gdoi_kernel *k, const struct gdoi_kek_info *kek,
                     bool remove);
/* gdoi_kernel_leave - this host has left @group of its own will: nothing of it
 * remains. */
void gdoi_kernel_leave(struct gdoi_kernel *k, size_t group);

/*
 * A daemon that is killed leaves everything in the kernel.  The next one is told of
 * all that is there before its first SA, takes over what it needs, counters and all,
 * and sweeps the rest when its groups have said what they need.
 *
 * gdoi_kernel_found - one netlink message of a dump (gdoi_xfrm_put_dump()); is it
 * ours?
 * gdoi_kernel_left - how much is not taken over, yet.
 */
bool gdoi_kernel_found(struct gdoi_kernel *k, struct gk_slice octets);
size_t gdoi_kernel_left(const struct gdoi_kernel *k);
void gdoi_kernel_sweep(struct gdoi_kernel *k);

/* What is there is ours by its reqid or its index: indices have more numbers, and
 * fewer bits.  Two daemons whose reqids are so far apart have none in common; more
 * exactly, two that share no block of numbers.
 *
 * gdoi_kernel_blocks - those that a daemon with @reqid has: one, or two in a row. */
#define GDOI_KERNEL_APART 4096
unsigned gdoi_kernel_blocks(uint32_t reqid, uint32_t *first);

/*
 * gdoi_kernel_expired - does netlink message @octets say that an SA of ours has used
 * its kilobytes nearly up, or up?  Everything else is passed over: the member knows
 * what time it is.
 */
struct gdoi_kernel_expiry {
	size_t group;
	uint8_t protocol; /* GDOI_PROTOCOL_* */
	uint8_t spi[4];
	bool up;
};
bool gdoi_kernel_expired(const struct gdoi_kernel *k, struct gk_slice octets,
                         struct gdoi_kernel_expiry *out);

struct gdoi_kernel_sa {
	size_t group;
	const struct gdoi_xfrm *x;
	bool sending; /* OUT names it */
};
size_t gdoi_kernel_count(const struct gdoi_kernel *k);
struct gdoi_kernel_sa gdoi_kernel_sa(const struct gdoi_kernel *k, size_t i);
/* gdoi_kernel_blocked - selectors whose traffic is thrown away for want of an
 * SA; fences are counted, too. */
size_t gdoi_kernel_blocked(const struct gdoi_kernel *k);

#endif /* GDOI_INSTALL_KERNEL_H */

/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_INSTALL_XFRM_H
#define GDOI_INSTALL_XFRM_H

#include "gdoi/engine/output.h"

/*
 * DOC: a Data-Security SA as the kernel wants it - RFC 6407 section 5.5, 5374
 *
 * Pure functions from a SAT with its keys to the messages of linux/xfrm.h.  A
 * plan is what both agree on; nothing here opens a socket.
 *
 * What Linux can do for a group, and what it cannot:
 *
 *  - States are looked up by (destination, SPI, protocol): the destination of a
 *    SAT has to be one address, the source may be any.
 *  - Anti-replay knows one sender.  With several the window is off, and extended
 *    sequence numbers, which need one, are refused.
 *  - Tunnel mode copies the destination into the outer header (RFC 5374 section
 *    3.1).  The outer source is the state's: right for the host itself and
 *    not for a gateway that speaks for a network.
 *  - The IV of a counter mode is the sequence number XOR a random number which
 *    the kernel draws for each state.  It takes no sender id (RFC 6054), so where
 *    several senders share a key this host receives only, unless @random_iv
 *    says that this is good enough.
 *  - AH does neither GMAC nor signatures.
 */
#define GDOI_XFRM_WINDOW_MAX 4096 /* packets; the kernel's own bound */

struct gdoi_xfrm_options {
	uint32_t reqid;    /* ties policies to states; not 0 */
	uint32_t priority; /* of policies; small is first */
	uint32_t window;   /* packets; for SAs of one sender; 0: off */
	bool random_iv;    /* send in counter modes without a sender id */
	struct gdoi_address local; /* outer source in tunnel mode; or none */
};

struct gdoi_xfrm_algorithm {
	const char *name; /* the kernel's; NULL: none */
	struct gk_slice key;
	uint32_t icv_bits;
};

struct gdoi_xfrm {
	/* what it is good for: the policies' selector */
	uint16_t family; /* AF_INET, AF_INET6 */
	uint8_t src[16], dst[16];
	uint8_t src_bits, dst_bits;
	uint8_t protocol;            /* 0: any */
	uint16_t src_port, dst_port; /* 0: any */
	bool selected;               /* all of that is known */

	/* the state; its destination is dst */
	uint8_t proto; /* IPPROTO_ESP, IPPROTO_AH */
	uint8_t spi[4];
	uint8_t outer[16]; /* its source; zero: any */
	bool tunnel;
	bool esn, no_ecn;
	uint32_t reqid, window, priority;
	uint32_t
		mark; /* of policies: their index, less the direction; 0: any */
	struct gdoi_xfrm_algorithm crypt, auth, aead; /* keys are borrowed */
	uint64_t life_s, life_octets;                 /* from now; 0: no end */

	bool receive, send;  /* what the SAT lets a host do, and we can do */
	const char *silence; /* why @send is not set though the SAT allows it */
};

#define GDOI_XFRM_WHY 160

/**
 * gdoi_xfrm_plan - everything about @tek that the kernel has to know.
 * @now_utc: lifetimes are counted from here
 *
 * The plan borrows the keys of @tek.
 *
 * Return: GK_OK; GK_ERR_POLICY: the kernel cannot do that, and @why says what;
 * the selector is there all the same if @x->selected.
 */
GK_MUST_CHECK enum gk_err gdoi_xfrm_plan(const struct gdoi_tek *tek,
                                         const struct gdoi_xfrm_options *o,
                                         int64_t now_utc, struct gdoi_xfrm *x,
                                         char why[GDOI_XFRM_WHY]);

/* gdoi_xfrm_same_selector - would their policies replace each other? */
bool gdoi_xfrm_same_selector(const struct gdoi_xfrm *a,
                             const struct gdoi_xfrm *b);

/*
 * gdoi_xfrm_cover - selectors, and nothing else, of what leaves with @sat: of an
 * SA that gdoi_xfrm_plan() refuses for its addresses, to throw that traffic away.
 *
 * A network is one prefix, and a range as many as make it up.  Where the kernel
 * has no such selector - a mask with holes, a source that is a range, a range of
 * IPv6 that wants more prefixes than there is room for - it is the smallest
 * prefix that holds all of it.
 *
 * Return: how many of @x; 0: it is no IPsec, or goes to no addresses.
 */
#define GDOI_XFRM_COVER_MAX 62 /* what a range of IPv4 needs at most */
size_t gdoi_xfrm_cover(const struct gdoi_sat *sat, uint32_t priority,
                       struct gdoi_xfrm x[GDOI_XFRM_COVER_MAX]);

/* In xfrm_algorithm.c: a part of gdoi_xfrm_plan(). */
GK_MUST_CHECK enum gk_err gdoi_xfrm_algorithms(const struct gdoi_tek *tek,
                                               struct gdoi_xfrm *x,
                                               char why[GDOI_XFRM_WHY]);
/* gdoi_xfrm_is_counter - does the transform of @x form IVs by counting? */
bool gdoi_xfrm_is_counter(const struct gdoi_xfrm *x);

/* ---- messages: xfrm_message.c -------------------------------------------- */

#define GDOI_XFRM_MESSAGE_MAX 2048

struct gdoi_xfrm_message {
	size_t len;
	union {
		uint8_t octets
			[GDOI_XFRM_MESSAGE_MAX]; /* host byte order, as netlink is */
		uint64_t align;
	};
};

enum gdoi_xfrm_dir { GDOI_XFRM_IN, GDOI_XFRM_OUT, GDOI_XFRM_FWD };

/* gdoi_xfrm_put_state - XFRM_MSG_NEWSA, or with @update XFRM_MSG_UPDSA, which
 * gives an existing state new lifetimes and leaves its counters alone. */
void gdoi_xfrm_put_state(struct gdoi_xfrm_message *m, uint32_t seq,
                         const struct gdoi_xfrm *x, bool update);
/* gdoi_xfrm_put_no_state - XFRM_MSG_DELSA. */
void gdoi_xfrm_put_no_state(struct gdoi_xfrm_message *m, uint32_t seq,
                            const struct gdoi_xfrm *x);

/*
 * gdoi_xfrm_put_policy - XFRM_MSG_NEWPOLICY, or with @update UPDPOLICY.
 *
 * IN and FWD take what any state of the reqid has let in.  OUT names the SPI, so
 * that the one to send with is ours to choose and not the kernel's; with @block
 * what fits the selector is thrown away.
 */
void gdoi_xfrm_put_policy(struct gdoi_xfrm_message *m, uint32_t seq,
                          const struct gdoi_xfrm *x, enum gdoi_xfrm_dir dir,
                          bool block, bool update);
/* gdoi_xfrm_put_bypass - a policy that lets GROUPKEY-PUSHes pass in clear, in
 * front of those above, or its removal. */
void gdoi_xfrm_put_bypass(struct gdoi_xfrm_message *m, uint32_t seq,
                          const struct gdoi_address *dst, uint32_t priority,
                          uint32_t mark, bool remove);
void gdoi_xfrm_put_no_policy(struct gdoi_xfrm_message *m, uint32_t seq,
                             const struct gdoi_xfrm *x, enum gdoi_xfrm_dir dir);

/* ---- what is there: xfrm_read.c ------------------------------------------ */

/* gdoi_xfrm_put_dump - asks for all states, or policies. */
void gdoi_xfrm_put_dump(struct gdoi_xfrm_message *m, uint32_t seq, bool states);

/* A state: @x has family, destination, SPI, protocol and reqid; a policy: selector,
 * priority, mark, and the reqid of its template, 0 without one. */
struct gdoi_xfrm_found {
	bool state;
	enum gdoi_xfrm_dir dir;
	struct gdoi_xfrm x;
};
/* gdoi_xfrm_read - is netlink message @octets a state or policy of this host? */
bool gdoi_xfrm_read(struct gk_slice octets, struct gdoi_xfrm_found *out);

#endif /* GDOI_INSTALL_XFRM_H */

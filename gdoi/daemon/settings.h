/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_DAEMON_SETTINGS_H
#define GDOI_DAEMON_SETTINGS_H

#include <jansson.h>
#include <stdatomic.h>

#include "common/daemon/gkd_credential.h"
#include "common/daemon/gkd_settings.h"
#include "gdoi/message/dialect.h"
#include "gdoi/phase1/ike.h"

/*
 * DOC: what the two daemons read alike from their configuration
 */
#define GDOID_PORT 848          /* RFC 6407 section 3.1 */
#define GDOID_PSK_MAX 1024      /* octets of a pre-shared key */
#define GDOID_CREDENTIALS_MAX 4 /* certificates of different kinds */
/* Of the rows in the store of gdoi-gm.  2: a log of commits.  3: rows of the daemon's
 * own in a scope of their own, where versions of before do not look for the last serial
 * of an announcement. */
#define GDOID_GM_STORE_VERSION 3
#define GDOID_GM_STORE_OLDEST 1
/* And of gdoi-gcks.  2: a group says what is sent again after a restart, and who is
 * behind a NAT is remembered.  3: a log of commits.  4: as 3 of gdoi-gm; a member's share
 * of kilobytes' rekeys, and whose key came with a Rekey SA. */
#define GDOID_GCKS_STORE_VERSION 4
#define GDOID_GCKS_STORE_OLDEST 1

/* Everything that a struct ike_config points to. */
struct gdoid_phase1 {
	struct gdoid_phase1 *older; /* of those that were replaced */
	/* Pools and SAs that use it, and who is told that it is none any more;
	 * from the thread of the last one. */
	atomic_int users;
	void (*unused)(void *arg);
	void *unused_arg;
	struct ike_config ike; /* for the engines; secret and tag are not
	                             * set here */
	struct gdoi_dialect dialect;
	char name[256]; /* own identity, printable */
	struct gk_buf id_octets;
	struct gkd_credential credential[GDOID_CREDENTIALS_MAX];
	struct ike_credential credential_view[GDOID_CREDENTIALS_MAX];
	struct gk_trust *trust;
	struct gdoid_psk {
		struct gk_buf key, peer;
		const char *file;
	} * psk;
	struct ike_psk *psk_view;
	size_t n_psk;
	struct gk_buf *peers;
	struct gk_identity *peer_view;
	size_t n_peers;
};

/*
 * gdoid_phase1_load - from <identity>, <trust> and <phase1> of the root.
 *
 * Also called again on SIGHUP: the engines are given the new one, and the old
 * one is freed when no SA that began under it can be left.
 */
GK_MUST_CHECK enum gk_err gdoid_phase1_load(struct gkd_config *config,
                                            struct gdoid_phase1 **phase1,
                                            struct gkd_why *why);
void gdoid_phase1_free(struct gdoid_phase1 *phase1); /* wipes */
/* gdoid_phase1_hold - somebody else uses it (1), or does no longer (-1); any
 * thread. */
void gdoid_phase1_hold(void *phase1, int change);
/* gdoid_phase1_warn - a log line for each pre-shared key that can be guessed
 * (RFC 2409 section 8), and for old algorithms. */
void gdoid_phase1_warn(const struct gdoid_phase1 *phase1);
/* {"number": 1, "encryption": "AES-CBC", ...} for each proposal. */
json_t *gdoid_phase1_proposals(const struct gdoid_phase1 *phase1);

/* settings_phase1.c, settings_psk.c; parts of gdoid_phase1_load(). */
GK_MUST_CHECK enum gk_err gdoid_psk_load(struct gkd_config *config,
                                         struct gdoid_phase1 *p,
                                         struct gkd_why *why);
GK_MUST_CHECK enum gk_err gdoid_proposals_load(const struct gkd_config *config,
                                               struct gdoid_phase1 *p,
                                               struct gkd_why *why);

/* gdoid_proposal_possible - is there a key for @suite? */
bool gdoid_proposal_possible(const struct gdoid_phase1 *p,
                             const struct ike_suite *suite);

/* gdoid_dialect_load - <dialect> below @elem, if there is one: the readings of
 * @base, or those of a preset, but for the switches that are named.  NULL @base:
 * the defaults. */
GK_MUST_CHECK enum gk_err gdoid_dialect_load(const struct gkd_config *config,
                                             const struct gkd_elem *elem,
                                             const struct gdoi_dialect *base,
                                             struct gdoi_dialect *dialect,
                                             struct gkd_why *why);

/* gdoid_group_word - the name that a word of a command says: "group=now" is a group
 * of that name, where "now" alone is a word of the command. */
const char *gdoid_group_word(const char *word);

/* gdoid_group_id_make - the same of a number, or of an @oid and its payload. */
GK_MUST_CHECK enum gk_err gdoid_group_id_make(
	const struct gkd_config *config, const struct gkd_elem *elem,
	const struct gdoi_dialect *dialect, uint32_t number, const char *oid,
	struct gk_slice payload, struct gk_buf *body, struct gkd_why *why);
/* gdoid_group_id_load - <group-id>: the body of the group's ID payload (RFC 6407
 * section 5.1, RFC 8052 section 2.1); @body new. */
GK_MUST_CHECK enum gk_err gdoid_group_id_load(
	const struct gkd_config *config, const struct gkd_elem *elem,
	const struct gdoi_dialect *dialect, struct gk_buf *body,
	struct gkd_why *why);

#endif /* GDOI_DAEMON_SETTINGS_H */

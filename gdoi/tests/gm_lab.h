/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_TESTS_GM_LAB_H
#define GDOI_TESTS_GM_LAB_H

#include "gdoi/tests/pair.h"

#include "common/group/gk_journal.h"
#include "gdoi/engine/gm.h"
#include "gdoi/message/pull.h"
#include "gdoi/message/push.h"

/*
 * One member engine, and a key server of which the test decides every octet:
 * phase 1 is the responder of gdoi/phase1, what it says in PULL and PUSH is
 * built from lab.offer and lab.say.
 */
#define LAB_GROUPS 2
#define LAB_SERVERS 2
#define LAB_PACKETS 16

/* What a message says. */
struct lab_policy {
	struct gdoi_sa sa;
	struct gdoi_kd kd;
	uint32_t seq;
	bool no_seq;
	uint8_t octets[8192]; /* slices point here */
	size_t used;
};

struct lab_server {
	struct ike *ike;
	struct gdoi_pull pull[LAB_GROUPS + 2];
	unsigned stage[LAB_GROUPS + 2]; /* 0: free; 2 or 4: said last */
	bool deaf;                      /* answers nothing */
	bool mute_pull;                 /* nothing in GROUPKEY-PULL */
	uint16_t refuse;        /* this notification answers message 1 */
	unsigned pulls;         /* message 4 said */
	uint16_t requested;     /* SENDER_ID_REQUEST of message 3 */
	struct gk_buf heard[4]; /* payloads behind HASH, by message */
	uint8_t iv_before[GK_CIPHER_BLOCK_MAX]; /* of what was said last */
	bool deleted;                           /* a Delete of phase 1 came */
	struct isakmp_delete other; /* the last Delete of another SA */
	uint8_t other_spi[16];
};

struct lab_seen {
	unsigned n[64]; /* outputs by kind */
	struct isakmp_reject why;
	const char *text;          /* of the last STALE, EVICTED, LEFT */
	struct isakmp_reject left; /* of the last LEFT */
	uint16_t notify;
	size_t about;      /* the group of that notification */
	struct gk_buf ack; /* the last acknowledgement */
	struct gdoi_address ack_to, ack_from;
	struct gdoi_kek_info kek;
	unsigned rows;                            /* in the last COMMIT */
	unsigned keepalives;                      /* for a NAT */
	unsigned kek_lines, tek_lines, lkh_lines; /* of the key log */
};

struct lab {
	struct gdoi_gm *gm;
	struct gdoi_gm_config cfg;
	struct gdoi_gm_group_config group[LAB_GROUPS];
	struct gdoi_dialect dialect; /* of the groups; the key server's, too */
	struct lab_server server[LAB_SERVERS];
	struct gk_pki_party signer, other; /* sign PUSHes */
	struct gk_now now;
	struct lab_seen seen;
	struct lab_policy offer; /* of message 2 and 4 */
	/* Instead of the offer, by message: the payloads behind HASH. */
	struct gk_slice raw[5];
	uint8_t raw_first[5]; /* type of the first of them */
	struct gdoi_kek kek;  /* that PUSHes go under */
	uint8_t kek_octets[64];
	bool hold; /* what the key server says in PULL is kept instead */
	struct gk_buf held;
	bool fail_commit; /* the store says no */
	bool alone;       /* PUSHes come to the member's own address */
	bool nat;         /* in front of the member: its ports are others */
	struct gk_journal *stored;
};

extern struct lab lab;
/* The member's generator fails after so many draws; UINT_MAX: never. */
extern unsigned lab_random_left;

int lab_setup(void **state);
int lab_teardown(void **state);
/* lab_start - a fresh member with the configuration in lab.cfg; before the first
 * lab_start() of a test: lab_reset(). */
void lab_reset(void);
void lab_start(void);

/* A policy with a Rekey SA and one Data-Security SA. */
void lab_policy(struct lab_policy *p);
void lab_no_rekey(struct lab_policy *p);
struct gdoi_sat *lab_add_esp(struct lab_policy *p, uint32_t spi, uint8_t fill);
struct gdoi_sat *lab_add_gcm(struct lab_policy *p, uint32_t spi, uint8_t fill);
struct gdoi_sat *lab_add_iec(struct lab_policy *p, uint32_t spi, uint8_t fill);
/* lab_add_kek - SAK with an SPI of @spi octets, and its KEK packet. */
void lab_add_kek(struct lab_policy *p, uint8_t spi, uint8_t fill);
void lab_empty(struct lab_policy *p); /* neither SA nor KD */
struct gk_slice lab_octets(struct lab_policy *p, uint8_t fill, size_t n);

void lab_join(size_t group);
/* lab_member - lab_start(), and it is a member of group 0. */
void lab_member(void);
void lab_stop(void); /* the member and its key servers are gone */
/* lab_talk - carry everything to and fro until there is silence. */
void lab_talk(void);
/* lab_deliver - what was held back. */
void lab_deliver(void);
/* lab_hear - what a key server says unasked reaches the member. */
void lab_hear(size_t server);
/* lab_pass - time goes by, with all deadlines. */
void lab_pass(uint64_t ms);
enum gdoi_gm_state lab_state(size_t group);
struct gdoi_gm_status lab_status(size_t group);
/* lab_tek - the SA with that SPI of group 0; false: there is none. */
bool lab_tek(uint32_t spi, struct gdoi_tek *tek);
/* lab_tek_state - of an SA that has to be there. */
enum gdoi_tek_state lab_tek_state(uint32_t spi);

/* A GROUPKEY-PUSH under lab.kek: payloads of the policy, with Deletes in front. */
struct lab_delete {
	uint8_t protocol;
	uint8_t spi_size;
	uint8_t spi[16];
	uint32_t doi; /* 0: GDOI */
};
struct gk_buf lab_push_octets(const struct lab_policy *p,
                              const struct lab_delete *d, size_t n_deletes);
struct gk_buf lab_push_raw(uint8_t first, struct gk_slice payloads);
enum gk_err lab_push_give(struct gk_slice dgram);
enum gk_err lab_push(const struct lab_policy *p);
enum gk_err lab_push_deletes(const struct lab_policy *p,
                             const struct lab_delete *d, size_t n);
/* lab_refused - it is refused for @req, and nothing has changed. */
void lab_refused(struct gk_slice dgram, const char *req);
void lab_push_refused(const struct lab_policy *p, const char *req);
/* lab_unacceptable - what lab.offer has is refused for @req, by a member that asks. */
void lab_unacceptable(const char *req);
/* lab_kek - from now on PUSHes go under that one. */
void lab_kek(uint8_t spi, uint8_t fill);

#endif /* GDOI_TESTS_GM_LAB_H */

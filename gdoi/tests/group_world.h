/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_TESTS_GROUP_WORLD_H
#define GDOI_TESTS_GROUP_WORLD_H

#include "common/test/gk_test.h"

#include "common/lkh/gk_lkh_member.h"
#include "common/test/gk_test_pki.h"
#include "gdoi/engine/group_pull.h"
#include "gdoi/message/push.h"

/*
 * A group, its store, and readers that stand for its members: they follow RFC
 * 6407 section 4.4 to the letter and share no code with the member engine.
 */
#define GW_KEKS 8
#define GW_TEKS 256

struct gw_kek {
	struct gdoi_sak sak; /* without its addresses */
	uint8_t key[64];     /* IV | key */
	size_t len;
	uint32_t sequence;
	struct gk_pubkey *pub;
	uint8_t chained[16];
	bool has_chained;
};

struct gw_tek {
	uint8_t protocol, spi[4];
	uint8_t key[96];
	size_t len;
	uint32_t lifetime, atd;
	bool has_atd, deleted;
	uint64_t until_ms; /* deleted: it is received with up to then (DTD) */
	uint16_t kda;
};

struct gw_member {
	uint8_t ip[4];
	struct gk_identity id;
	struct gk_buf name; /* as the group lists it */
	bool in;
	bool nat;                    /* it uses the port of NAT traversal */
	struct gdoi_address sent_to; /* the last PUSH by unicast */
	bool behind;                 /* from_ip is that of a NAT, */
	bool names_group;            /* as its ID, when it acknowledges */
	bool moved;                  /* it sends from another address, */
	uint8_t from_ip[4];
	struct gw_kek kek[GW_KEKS]; /* newest first */
	size_t n_keks;
	struct gk_lkh_member ring;
	struct gw_tek tek[GW_TEKS];
	size_t n_teks;
	struct gdoi_gap gap; /* of the last message that had one */
	bool has_gap;
	uint32_t sid[64];
	size_t n_sids;
	uint16_t sid_bits;
	uint32_t member_id;
	bool deleted_all;                /* told to register again */
	unsigned obeyed, refused, blind; /* PUSHes; blind: no such KEK */
	size_t download_keys;
	size_t last_sats; /* of the last PUSH with an SA */
	bool last_sak;
	uint8_t dst[4];  /* of the last SAT, as it stood */
	size_t zero_spi; /* octets, in the last Delete */
	bool seen_kek_packet;
	size_t n_sources; /* TEK_SOURCE_AUTH_KEY, of the right RSA keys */
};

struct gw_row {
	char *table;
	struct gk_buf key, value;
};

struct gw_push {
	struct gk_buf dgram;
	uint32_t sequence;
	uint8_t spi[16];
	size_t n_sends;
};

struct gw {
	struct gdoi_group *group;
	struct gdoi_group_config cfg;
	struct gdoi_dialect dialect;
	struct gdoi_policy template; /* copied into a policy of the group's */
	struct gk_pki_party party;
	struct gk_now now;
	struct gw_member *member;
	size_t n_members;
	bool other_port; /* of a NAT, for acknowledgements */
	bool lose;       /* what is sent now reaches nobody */
	unsigned loss;   /* per cent of what each member is sent */
	bool broken;     /* the store says no */
	bool no_store;   /* it says yes, and forgets */
	struct gw_row *row;
	size_t n_rows, cap_rows, commits;
	unsigned count[GDOI_OUT_MESSAGE + 1]; /* outputs by kind */
	struct gw_push push[64];              /* the last ones */
	size_t n_push;
	uint8_t place[8]; /* the last octet of where PUSHes went by multicast */
	size_t n_places;
	unsigned resend_count; /* of the last PUSH */
	uint32_t resend_spacing_ms;
	struct gdoi_tek tek[GW_TEKS]; /* last TEK outputs; no slices */
	uint8_t tek_spi[GW_TEKS][4];
	struct gw_tek tek_key[GW_TEKS]; /* theirs, and nothing else */
	size_t n_tek;
	char peer[64]; /* of the last EVICTED, UNRESPONSIVE, ACKED */
	struct isakmp_reject why;
};

/* The generator fails after so many draws; UINT_MAX: never. */
extern unsigned gw_random_left;

/* gw_init - a group with AES-128 KEK, ECDSA P-256 and one ESP TEK. */
void gw_init(struct gw *w, size_t members);
void gw_begin(struct gw *w); /* the group, without a policy */
void gw_open(struct gw *w);  /* with w->template, w->dialect, w->cfg */
/* gw_open_with - and the first @members register. */
void gw_open_with(struct gw *w, size_t members);
void gw_free(struct gw *w);
void gw_member_clear(struct gw_member *m); /* it knows nothing any more */
/* gw_restart - a new group object from the rows; policy set again. */
void gw_restart(struct gw *w);
void gw_reload(struct gw *w); /* without the policy */
/* gw_set_place - where the template has PUSHes go; gw_nowhere: to each member. */
extern const uint8_t gw_nowhere[4];
void gw_set_place(struct gw *w, const uint8_t ip[4]);
/* gw_set_policy - w->template, as a later edition. */
enum gk_err gw_set_policy(struct gw *w);
void gw_drain(struct gw *w);
/* gw_after - @s seconds later, with everything that falls due before. */
void gw_after(struct gw *w, unsigned s);

/* gw_register - offer, message 4, all through the codec. */
enum gk_err gw_register(struct gw *w, struct gw_member *m);
enum gk_err gw_register_sids(struct gw *w, struct gw_member *m, uint16_t n);
/* gw_admit - the same, but nobody reads the answer. */
enum gk_err gw_admit(struct gw *w, struct gw_member *m);
bool gw_commit(struct gw *w, uint64_t ticket);
void gw_receive(struct gw *w, struct gw_member *m, struct gk_slice dgram);
enum gk_err gw_evict(struct gw *w, const struct gw_member *m);
/* gw_forget_pushes - those of before do not count in w->n_push. */
void gw_forget_pushes(struct gw *w);
bool gw_has_tek(const struct gw_member *m, const uint8_t spi[4]);
/* gw_can_read - has @m the key of the newest TEK of the group? */
bool gw_can_read(struct gw *w, const struct gw_member *m);
/* gw_readers - how many have it. */
size_t gw_readers(struct gw *w);
/* gw_in_state - TEKs that the group said last to be in @state. */
size_t gw_in_state(const struct gw *w, enum gdoi_tek_state state);
void gw_identity(struct gw_member *m, size_t i);
/* gw_ack - an acknowledgement of SEQ @sequence under its KEK number @kek. */
void gw_ack(struct gw *w, const struct gw_member *m, size_t kek,
            uint32_t sequence, uint16_t type, struct gk_buf *dgram);
enum gk_err gw_send_ack(struct gw *w, const struct gw_member *m,
                        struct gk_slice dgram);

/* gw_use_rsa - RSA-2048 signs. */
void gw_use_rsa(struct gw *w);
/* Policies, to be put together. */
extern const struct gdoi_sat gw_esp_gcm, gw_esp_cbc, gw_ah, gw_iec_gcm;
void gw_set_data(struct gw *w, size_t n, const struct gdoi_sat *sat);

#endif /* GDOI_TESTS_GROUP_WORLD_H */

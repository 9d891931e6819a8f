/* SPDX-License-Identifier: BSD-2-Clause */
/* TEMPORARY: until the group lands. */
#include "gdoi/engine/gcks_state.h"
#include "gdoi/engine/group_pull.h"
#include <stdlib.h>

struct gdoi_offer {
	struct gdoi_sa sa;
	unsigned version;
	uint8_t who;
};
struct gdoi_group {
	struct gk_buf id;
	struct gdoi_dialect dialect;
	bool open;
	unsigned version;
	unsigned members, pending;
	bool reject;
	uint64_t ticket, done;
	enum gk_err admit_err;
	unsigned acks;
	bool left;
	bool is[256], joining[256];
	uint16_t request;
	bool rekey;
};
static const uint8_t dbl_spi[16] = { 0x77, 1 };
const struct gdoi_dialect *
gdoi_group_dialect(const struct gdoi_group *g)
{
	return &g->dialect;
}
struct gk_slice
gdoi_group_id(const struct gdoi_group *g)
{
	return gk_buf_slice(&g->id);
}
enum gk_err
gdoi_peer_name(const struct gdoi_peer *p, struct gk_buf *name)
{
	char t[256];
	return gk_buf_copy(
		name, gk_slice_str(gk_identity_print(t, sizeof(t), *p->id)));
}
static void
dbl_sa(struct gdoi_sa *sa, bool rekey)
{
	static const uint8_t mc[4] = { 239, 1, 1, 1 }, src[4] = { 10, 0, 0, 2 };
	*sa = (struct gdoi_sa){ .has_sak = rekey, .n_sats = 1 };
	sa->sak = (struct gdoi_sak){
		.ep = { .src = { ISAKMP_ID_IPV4_ADDR, 848, { src, 4 } },
		        .dst = { ISAKMP_ID_IPV4_ADDR, 848, { mc, 4 } } },
		.algorithm = GDOI_KEK_ALG_AES,
		.key_length = 128,
		.lifetime = 3600,
		.sig_hash = GDOI_SIG_HASH_SHA256,
		.sig_algorithm = GDOI_SIG_ALG_RSA,
		.sig_key_length = 2048
	};
	memcpy(sa->sak.spi, dbl_spi, 16);
	sa->sat[0] = (struct gdoi_sat){ .protocol = GDOI_PROTOCOL_ESP,
		                        .spi = { 0, 0, 1, 1 } };
	sa->sat[0].ipsec = (struct gdoi_sat_ipsec){
		.ep = { .src = { ISAKMP_ID_IPV4_ADDR, 0, { src, 4 } },
		        .dst = { ISAKMP_ID_IPV4_ADDR, 0, { mc, 4 } } },
		.transform = 12,
		.life_s = 3600,
		.encapsulation = 1,
		.authentication = 5,
		.key_length = 128
	};
}
enum gk_err
gdoi_group_offer(struct gdoi_group *g, const struct gdoi_peer *p,
                 struct gk_now n, struct gdoi_offer **o,
                 struct isakmp_reject *w)
{
	(void)n;
	if (!g->open)
		return GK_ERR_UNEXPECTED;
	if (g->reject || p->id->octets.ptr[3] == 9)
		return isakmp_refuse(w, GK_ERR_POLICY,
		                     ISAKMP_NOTIFY_AUTHENTICATION_FAILED,
		                     "RFC6407-3.1-04", "IDii", 0);
	*o = calloc(1, sizeof(**o));
	dbl_sa(&(*o)->sa, g->rekey);
	(*o)->version = g->version;
	(*o)->who = p->id->octets.ptr[3];
	(*o)->sa.sat[0].spi[3] = g->id.ptr[7];
	return GK_OK;
}
void
gdoi_offer_free(struct gdoi_offer *o)
{
	free(o);
}
const struct gdoi_sa *
gdoi_offer_sa(const struct gdoi_offer *o)
{
	return &o->sa;
}
enum gk_err
gdoi_group_admit(struct gdoi_group *g, struct gdoi_offer *o,
                 const struct gdoi_gap *r, const struct gdoi_address *f,
                 struct gk_now n, struct gdoi_kd *kd, struct gdoi_seq *seq,
                 bool *hs, uint32_t *mid, uint64_t *t, struct isakmp_reject *w)
{
	static const uint8_t octets[64] = { 5 };
	(void)f;
	(void)n;
	if (o->version != g->version)
		return GK_ERR_REPLAY;
	if (g->admit_err != GK_OK || g->members + g->pending >= 1000)
		return isakmp_refuse(w, g->admit_err,
		                     ISAKMP_NOTIFY_AUTHENTICATION_FAILED,
		                     "RFC6407-3.5-01", "SID", 0);
	g->request = r != NULL ? r->request : 0;
	g->joining[o->who] = !g->is[o->who];
	*mid = 7;
	*t = ++g->ticket;
	*hs = g->rekey;
	seq->number = 3;
	kd->n_packets = g->rekey ? 2 : 1;
	kd->packet[0] =
		(struct gdoi_kd_packet){ .type = GDOI_KD_TEK,
		                         .spi = { o->sa.sat[0].spi, 4 },
		                         .algorithm_key = { octets, 16 },
		                         .integrity_key = { octets, 32 } };
	kd->packet[1] =
		(struct gdoi_kd_packet){ .type = GDOI_KD_KEK,
		                         .spi = { o->sa.sak.spi, 16 },
		                         .algorithm_key = { octets, 32 },
		                         .sig_key = { octets, 64 } };
	return GK_OK;
}
bool
gdoi_group_has_spi(struct gdoi_group *g, const uint8_t spi[16])
{
	return g->rekey && memcmp(spi, dbl_spi, 16) == 0;
}
enum gk_err
gdoi_group_ack(struct gdoi_group *g, struct gk_slice d,
               const struct gdoi_address *f, struct gk_now n,
               struct isakmp_reject *w)
{
	(void)d;
	(void)f;
	(void)n;
	(void)w;
	g->acks++;
	return GK_OK;
}
enum gk_err
gdoi_group_left(struct gdoi_group *g, const struct gdoi_peer *p,
                struct gk_now n, uint64_t *t)
{
	(void)p;
	(void)n;
	g->left = true;
	*t = ++g->ticket;
	return GK_OK;
}
void
gdoi_group_teks(struct gdoi_group *g,
                void (*each)(void *, const struct gdoi_tek *), void *ctx)
{
	struct gdoi_sa sa;
	struct gdoi_tek t = { .sat = &sa.sat[0] };
	dbl_sa(&sa, false);
	sa.sat[0].spi[3] = g->id.ptr[7];
	each(ctx, &t);
}
const struct gk_journal *
gdoi_group_commit_begin(struct gdoi_group *g, uint64_t t)
{
	(void)g;
	(void)t;
	return NULL;
}
void
gdoi_group_commit_end(struct gdoi_group *g, bool ok)
{
	for (int i = 0; i < 256; i++) {
		if (ok && g->joining[i]) {
			g->is[i] = true;
			g->members++;
		}
		g->joining[i] = false;
	}
	if (ok)
		g->done = g->ticket;
}
bool
gdoi_group_commit_done(struct gdoi_group *g, uint64_t t)
{
	return t <= g->done;
}
void
gdoi_group_digest(struct gdoi_group *g, uint8_t out[32])
{
	struct gk_slice p = { (const uint8_t *)g, sizeof(*g) };
	uint8_t h[GK_HASH_MAX];
	(void)!gk_hash(GK_HASH_SHA256, &p, 1, h);
	memcpy(out, h, 32);
}
void
gdoi_group_status(struct gdoi_group *g, struct gdoi_group_status *o)
{
	*o = (struct gdoi_group_status){ .n_members = g->members,
		                         .open = g->open,
		                         .acks = g->acks };
}
static struct gdoi_group *
group_double(uint32_t number, bool rekey)
{
	struct gdoi_group *g = calloc(1, sizeof(*g));
	uint8_t b[8] = { 11,
		         0,
		         0,
		         0,
		         (uint8_t)(number >> 24),
		         (uint8_t)(number >> 16),
		         (uint8_t)(number >> 8),
		         (uint8_t)number };
	gk_assert_ok(gk_buf_copy(&g->id, (struct gk_slice){ b, 8 }));
	g->open = true;
	g->rekey = rekey;
	return g;
}

static struct gdoi_gcks_config server_config;
static unsigned ids_max;
static void
open_server_as(const struct gdoi_gcks_config *cfg)
{
	configure(MODERN(PSK));
	psk[1].ip_len = 0;
	config[1].cookie_tag = 5;
	config[1].message_ids = ids_max;
	server_config = *cfg;
	server_config.ike = config[1];
	gcks = gdoi_gcks_new(&env, &server_config);
	for (int i = 0; i < 2; i++) {
		group[i] = group_double((uint32_t)(1000 + i), i == 0);
		gk_assert_ok(gdoi_gcks_add_group(gcks, group[i]));
	}
	disk_full = false;
}
static void
open_server(void)
{
	const struct gdoi_gcks_config none = { 0 };
	open_server_as(&none);
}
static void
close_server(void)
{
	collect_clear();
	gdoi_gcks_free(gcks);
	gcks = NULL;
	for (int i = 0; i < 2; i++) {
		gk_buf_free(&group[i]->id);
		free(group[i]);
	}
}
static SOME void
open_server_ids(unsigned n)
{
	ids_max = n;
	open_server();
	ids_max = 0;
}
static SOME void
moves_on(int i)
{
	group[i]->version++;
}
static SOME void
is_full(int i)
{
	group[i]->admit_err = GK_ERR_SPACE;
}
static SOME void
closes(int i)
{
	group[i]->open = false;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/engine/gm_state.h"

#define IP_PROTOCOL_UDP 17
#define GDOI_PORT 848 /* RFC 6407 section 3.1 */

/*
 * RFC 6407 section 3.3: is the policy acceptable?
 *
 * That attributes and values are known at all, the decoders have seen to.  Here
 * it is about what this member can do, and what it is permitted to.
 */
struct policy {
	const struct gdoi_gm *gm;
	const struct gm_group *group;
	const struct gdoi_sa *sa;
	bool pull;
	struct isakmp_reject *why;
};

static enum gk_err
refuse(const struct policy *p, enum gk_err err, enum isakmp_notify notify,
       const char *req, const char *field, size_t at)
{
	return isakmp_refuse(p->why, err, notify, req, field, at);
}

static enum gk_err
not_permitted(const struct policy *p, const char *req, const char *field,
              size_t at)
{
	return refuse(p, GK_ERR_POLICY, ISAKMP_NOTIFY_NO_PROPOSAL_CHOSEN, req,
	              field, at);
}

static enum gk_err
kek_cipher(const struct policy *p, const struct gdoi_sak *sak)
{
	enum gk_cipher cipher =
		gdoi_kek_cipher(sak->algorithm, sak->key_length);

	if (cipher == GK_CIPHER_NONE &&
	    GK_CHECKED(sak->key_length == 0 ? "RFC6407-5.3.3-01"
	                                    : "RFC6407-5.3.3-02"))
		return refuse(p, GK_ERR_VALUE,
		              ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED,
		              sak->key_length == 0 ? "RFC6407-5.3.3-01"
		                                   : "RFC6407-5.3.3-02",
		              "KEK_KEY_LENGTH", sak->at);
	/* RFC6407-6.1-03 */
	if (gk_cipher_is_legacy(cipher) && !p->group->cfg.legacy_ok &&
	    GK_CHECKED("RFC6407-6.1-03"))
		return not_permitted(p, "RFC6407-6.1-03", "KEK_ALGORITHM",
		                     sak->at);
	return GK_OK;
}

/* The bits of an ECDSS key are known when it is there: gm_rekey_sa.c. */
static enum gk_err
kek_signature(const struct policy *p, const struct gdoi_sak *sak)
{
	uint16_t bits = sak->sig_key_length;
	struct gk_sig_alg alg;

	if (sak->sig_algorithm == GDOI_SIG_ALG_ECDSS && bits == 0)
		bits = 256;
	alg = gdoi_kek_signature(&p->group->dialect, sak->sig_algorithm,
	                         sak->sig_hash, bits);
	if (alg.scheme == GK_SIG_NONE && GK_CHECKED("RFC6407-5.3.5-02"))
		return refuse(
			p, GK_ERR_VALUE, ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED,
			"RFC6407-5.3.5-02", "SIG_HASH_ALGORITHM", sak->at);
	if (p->group->cfg.legacy_ok)
		return GK_OK;
	/* RFC6407-6.1-05, -06 */
	if (gk_sig_is_legacy(alg) && GK_CHECKED("RFC6407-6.1-06"))
		return not_permitted(p, "RFC6407-6.1-06", "SIG_HASH_ALGORITHM",
		                     sak->at);
	/* RFC6407-6.1-07 */
	if (sak->sig_algorithm == GDOI_SIG_ALG_RSA && bits != 0 &&
	    bits < 2048 && GK_CHECKED("RFC6407-6.1-07"))
		return not_permitted(p, "RFC6407-6.1-07", "SIG_KEY_LENGTH",
		                     sak->at);
	return GK_OK;
}

/* An SPI is used once, and 0 stands for all of them in a Delete. */
static enum gk_err
spi_check(const struct policy *p, uint16_t i)
{
	const struct gdoi_sat *sat = &p->sa->sat[i];

	if (gk_slice_is_zero((struct gk_slice){ sat->spi, GDOI_TEK_SPI_LEN }) &&
	    GK_CHECKED("RFC6407-5.5.1-08"))
		return refuse(p, GK_ERR_VALUE, ISAKMP_NOTIFY_INVALID_SPI,
		              "RFC6407-5.5.1-08", "SPI", sat->at);
	for (uint16_t j = 0; j < i; j++)
		if (p->sa->sat[j].protocol == sat->protocol &&
		    memcmp(p->sa->sat[j].spi, sat->spi, GDOI_TEK_SPI_LEN) ==
		            0 &&
		    GK_CHECKED("RFC8052-2.2.5-02"))
			return refuse(p, GK_ERR_VALUE,
			              ISAKMP_NOTIFY_INVALID_SPI,
			              "RFC8052-2.2.5-02", "SPI", sat->at);
	return GK_OK;
}

/* The same of a Rekey SA: zero in a Delete is whatever there is. */
static enum gk_err
kek_spi(const struct policy *p, const struct gdoi_sak *sak)
{
	if (!gk_slice_is_zero(
		    (struct gk_slice){ sak->spi, GDOI_KEK_SPI_LEN }) ||
	    !GK_CHECKED("RFC6407-5.3-08"))
		return GK_OK;
	return refuse(p, GK_ERR_VALUE, ISAKMP_NOTIFY_INVALID_SPI,
	              "RFC6407-5.3-08", "SPI", sak->at);
}

/* RFC5374-4.1.1-05: nothing ever comes from a multicast address. */
static enum gk_err
source_accept(const struct policy *p, const struct gdoi_endpoints *ep)
{
	struct gdoi_span src = gdoi_endpoint_span(&ep->src);

	if (!gdoi_span_is_multicast(&src) || !GK_CHECKED("RFC5374-4.1.1-05"))
		return GK_OK;
	return refuse(p, GK_ERR_VALUE, ISAKMP_NOTIFY_INVALID_ID_INFORMATION,
	              "RFC5374-4.1.1-05", "SRC Identification Data",
	              ep->at + 5);
}

/*
 * Where this member would have to hear PUSHes: by UDP, at one address of its own or
 * of a multicast group.  A Rekey SA for another place is one without PUSHes.
 * Nothing is said of Protocol 0, and ISAKMP is UDP; nor of port 0, which is GDOI's.
 */
static enum gk_err
rekey_reach(const struct policy *p, const struct gdoi_sak *sak)
{
	const struct gdoi_endpoint *dst = &sak->ep.dst;

	if (sak->ep.protocol != 0 && sak->ep.protocol != IP_PROTOCOL_UDP &&
	    GK_CHECKED("RFC6407-5.3-04"))
		return not_permitted(p, "RFC6407-5.3-04", "Protocol",
		                     sak->ep.at);
	if (dst->type != ISAKMP_ID_IPV4_ADDR &&
	    dst->type != ISAKMP_ID_IPV6_ADDR && GK_CHECKED("RFC6407-5.3-01"))
		return not_permitted(p, "RFC6407-5.3-01", "DST ID Type",
		                     sak->ep.at + 5 + sak->ep.src.data.len);
	return GK_OK;
}

static enum gk_err
sat_accept(const struct policy *p, uint16_t i)
{
	const struct gdoi_sat *sat = &p->sa->sat[i];
	bool iec = sat->protocol == GDOI_PROTOCOL_IEC_61850;
	struct gdoi_sat_keys keys;

	GK_TRY(spi_check(p, i));
	if (!iec)
		GK_TRY(source_accept(p, &sat->ipsec.ep));
	GK_TRY(gdoi_sat_keys(&p->group->dialect, sat, &keys, p->why));
	if (keys.legacy && !p->group->cfg.legacy_ok &&
	    GK_CHECKED("RFC6407-6-02"))
		return not_permitted(p, iec ? "RFC8052-3-04" : "RFC6407-6-02",
		                     "Transform ID", sat->at);
	/* RFC6407-5.5.1.1.2-05: everybody would be the only sender. */
	if (!p->pull && !iec && sat->ipsec.direction == 1 &&
	    GK_CHECKED("RFC6407-5.5.1.1.2-05"))
		return refuse(p, GK_ERR_VALUE,
		              ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED,
		              "RFC6407-5.5.1.1.2-05", "SA Direction", sat->at);
	return GK_OK;
}

/* A place of which nothing was said is any. */
bool
gm_is_at(const struct gdoi_endpoint *e, const struct gdoi_address *want)
{
	uint16_t port = e->port != 0 ? e->port : GDOI_PORT;
	uint8_t type =
		want->ip_len == 4 ? ISAKMP_ID_IPV4_ADDR : ISAKMP_ID_IPV6_ADDR;

	return want->ip_len == 0 ||
	       (e->type == type && e->data.len == want->ip_len &&
	        memcmp(e->data.ptr, want->ip, want->ip_len) == 0 &&
	        (want->port == 0 || port == want->port));
}

/* RFC5374-4.1.3.4-01: of what is authorised something has to be left. */
static enum gk_err
flows(const struct policy *p)
{
	if (!p->pull || gm_flow_permits_any(p->gm, p->group, p->sa, p->pull))
		return GK_OK;
	return not_permitted(p, "RFC5374-4.1.3.4-01", "SAT", p->sa->sat[0].at);
}

/* Section 3.3: the member decides; and it may have been told where PUSHes go. */
static enum gk_err
rekey_place(const struct policy *p)
{
	const struct gdoi_gm_group_config *cfg = &p->group->cfg;
	const struct gdoi_sak *sak = &p->sa->sak;

	if (!p->pull || cfg->rekey_dst.ip_len == 0 ||
	    !GK_CHECKED("RFC6407-3.3-05"))
		return GK_OK;
	if (!p->sa->has_sak)
		return not_permitted(p, "RFC6407-3.3-05", "SAK", p->sa->at);
	if (!gm_is_at(&sak->ep.dst, &cfg->rekey_dst))
		return not_permitted(p, "RFC6407-3.3-05",
		                     "DST Identification Data", sak->at);
	if (!gm_is_at(&sak->ep.src, &cfg->rekey_src))
		return not_permitted(p, "RFC6407-3.3-05",
		                     "SRC Identification Data", sak->at);
	return GK_OK;
}

enum gk_err
gm_accept(const struct gdoi_gm *gm, const struct gm_group *group,
          const struct gdoi_sa *sa, bool pull, struct isakmp_reject *why)
{
	const struct policy p = {
		.gm = gm, .group = group, .sa = sa, .pull = pull, .why = why
	};

	if (pull && group->cfg.require_rekey && !sa->has_sak &&
	    GK_CHECKED("RFC6407-3.3-05"))
		return not_permitted(&p, "RFC6407-3.3-05", "SAK", sa->at);
	GK_TRY(rekey_place(&p));
	if (sa->has_sak) {
		GK_TRY(source_accept(&p, &sa->sak.ep));
		GK_TRY(kek_spi(&p, &sa->sak));
		GK_TRY(rekey_reach(&p, &sa->sak));
		GK_TRY(kek_cipher(&p, &sa->sak));
		GK_TRY(kek_signature(&p, &sa->sak));
	}
	for (uint16_t i = 0; i < sa->n_sats; i++)
		GK_TRY(sat_accept(&p, i));
	return flows(&p);
}

/* RFC6407-3.3-06, 3.5-05: one sender id comes unasked. */
bool
gm_wants_sids(const struct gm_group *group, const struct gdoi_sa *sa)
{
	struct gdoi_sat_keys keys;
	struct isakmp_reject why;

	if (group->cfg.receive_only || group->cfg.sids < 2)
		return false;
	for (uint16_t i = 0; i < sa->n_sats; i++)
		if (gdoi_sat_keys(&group->dialect, &sa->sat[i], &keys, &why) ==
		            GK_OK &&
		    keys.counter_mode)
			return true;
	return false;
}

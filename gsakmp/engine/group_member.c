/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/group_state.h"

/*
 * What is remembered of a member, and where.  A group may have a million of
 * them, and nine tenths of what is known about one is its certificate, which is
 * looked at when it departs without sending it, or when a CRL comes.  So with a
 * store to read from (gsakmp_group_config.rows) certificates stay there:
 *
 *     gsakmp-cert   by MemberID: the member's name, then its certificate, then
 *                   the attribute certificates that count for it
 *     gsakmp-chain  by number: the key identifiers of the authorities above
 *                   some member, then the certificates between; most members of
 *                   a group share one such chain
 *
 * Without a store everything is kept in the member's record.
 */

static struct gk_slice
id_key(uint32_t id, uint8_t key[4])
{
	struct gk_wr wr;

	gk_wr_init(&wr, key, 4);
	gk_wr_u32(&wr, id);
	return (struct gk_slice){ key, 4 };
}

/* ---- chains ------------------------------------------------------------- */

static enum gk_err
chain_encode(const struct gsakmp_member_info *info, struct gk_buf *out)
{
	size_t cap = info->issuers.len;
	struct gk_wr wr;

	for (size_t i = 0; i < info->n_ca; i++)
		cap += 2 + info->ca[i].len;
	GK_TRY(gk_buf_alloc(out, cap + 1));
	gk_wr_init(&wr, out->ptr, out->len);
	gk_wr_u8(&wr, (uint8_t)info->n_ca);
	for (size_t i = 0; i < info->n_ca; i++)
		gk_wr_vec16(&wr, gk_buf_slice(&info->ca[i]));
	gk_wr_bytes(&wr, gk_buf_slice(&info->issuers));
	return gk_wr_done(&wr);
}

static enum gk_err
chain_decode(struct gk_slice chain, struct gsakmp_member_info *info,
             struct gk_buf *issuers)
{
	struct gk_rd rd;
	size_t n;

	gk_rd_init(&rd, chain.ptr, chain.len);
	n = gk_rd_u8(&rd, "authorities");
	if (n > GSAKMP_MEMBER_CA_MAX)
		gk_rd_fail(&rd, GK_ERR_VALUE, "authorities");
	for (; info->n_ca < n && rd.fault.err == GK_OK; info->n_ca++)
		GK_TRY(gk_buf_copy(&info->ca[info->n_ca],
		                   gk_rd_vec16(&rd, "key identifier")));
	if (issuers != NULL && rd.fault.err == GK_OK)
		GK_TRY(gk_buf_copy(issuers, gk_rd_rest(&rd)));
	else
		(void)gk_rd_rest(&rd);
	return gk_rd_done(&rd);
}

/* The number of the chain of @info, counted from 1; 0: there are too many, it
 * has to be kept with the member. */
static enum gk_err
chain_number(struct gsakmp_group *g, const struct gsakmp_member_info *info,
             uint16_t *number)
{
	struct gk_buf chain = { 0 };
	uint8_t key[4];
	size_t i = 0;
	enum gk_err err;

	*number = 0;
	GK_TRY(chain_encode(info, &chain));
	while (i < g->n_chains && !gk_slice_equal(gk_buf_slice(&g->chain[i]),
	                                          gk_buf_slice(&chain)))
		i++;
	if (i == GSAKMP_CHAINS_MAX || i < g->n_chains) {
		gk_buf_free(&chain);
		*number = i == GSAKMP_CHAINS_MAX ? 0 : (uint16_t)(i + 1);
		return GK_OK;
	}
	err = gsakmp_group_store(g, GSAKMP_TABLE_CHAIN,
	                         id_key((uint32_t)i + 1, key),
	                         gk_buf_slice(&chain));
	if (err != GK_OK) {
		gk_buf_free(&chain);
		return err;
	}
	g->chain[g->n_chains++] = chain;
	*number = (uint16_t)g->n_chains;
	return GK_OK;
}

enum gk_err
gsakmp_group_chain_load(struct gsakmp_group *g, struct gk_slice key,
                        struct gk_slice value)
{
	struct gsakmp_member_info info = { 0 };
	uint8_t want[4];
	enum gk_err err;

	if (g->n_chains == GSAKMP_CHAINS_MAX ||
	    !gk_slice_equal(key, id_key((uint32_t)g->n_chains + 1, want)))
		return GK_ERR_VALUE;
	err = chain_decode(value, &info, NULL);
	gsakmp_member_info_free(&info);
	GK_TRY(err);
	GK_TRY(gk_buf_copy(&g->chain[g->n_chains], value));
	g->n_chains++;
	return GK_OK;
}

enum gk_err
gsakmp_group_chain_certs(const struct gsakmp_group *g, size_t i,
                         struct gk_certs *certs)
{
	struct gk_slice der[GK_PATH_MAX];
	struct gsakmp_member_info info = { 0 };
	struct gk_buf issuers = { 0 };
	enum gk_err err;
	size_t n;

	err = chain_decode(gk_buf_slice(&g->chain[i]), &info, &issuers);
	n = gsakmp_grants_list(gk_buf_slice(&issuers), der, GK_COUNT(der));
	for (size_t k = 0; k < n && err == GK_OK; k++) {
		struct gk_cert *cert;

		err = gk_cert_from_der(der[k], &cert);
		if (err != GK_OK)
			break;
		err = gk_certs_add(certs, cert);
		gk_cert_free(cert);
	}
	gk_buf_free(&issuers);
	gsakmp_member_info_free(&info);
	return err;
}

/* ---- certificates ------------------------------------------------------- */

static bool
elsewhere(const struct gsakmp_group *g)
{
	return g->cfg.rows.read != NULL;
}

static enum gk_err
cert_store(struct gsakmp_group *g, const struct gk_member *m,
           struct gk_slice der, struct gk_slice grants)
{
	struct gk_buf row = { 0 };
	struct gk_wr wr;
	uint8_t key[4];
	enum gk_err err;

	GK_TRY(gk_buf_alloc(&row, 2 + m->identity.len + der.len + grants.len));
	gk_wr_init(&wr, row.ptr, row.len);
	gk_wr_vec16(&wr, gk_buf_slice(&m->identity));
	gk_wr_bytes(&wr, der);
	gk_wr_bytes(&wr, grants);
	err = gk_wr_done(&wr);
	if (err == GK_OK)
		err = gsakmp_group_store(g, GSAKMP_TABLE_CERT,
		                         id_key(m->id, key),
		                         gk_buf_slice(&row));
	gk_buf_free(&row);
	return err;
}

enum gk_err
gsakmp_group_member_der(const struct gsakmp_group *g, uint32_t id,
                        struct gk_slice name, struct gk_buf *der,
                        struct gk_buf *grants)
{
	struct gk_buf row = { 0 };
	struct gk_slice owner, cert;
	struct gk_rd rd;
	uint8_t key[4];
	enum gk_err err;

	if (!elsewhere(g))
		return GK_ERR_UNEXPECTED;
	GK_TRY(g->cfg.rows.read(g->cfg.rows.ctx, g->cfg.group_id,
	                        GSAKMP_TABLE_CERT, id_key(id, key), &row));
	gk_rd_init(&rd, row.ptr, row.len);
	owner = gk_rd_vec16(&rd, "name");
	cert = gk_rd_rest(&rd);
	err = gk_rd_done(&rd);
	/* By now the seat may be somebody else's. */
	if (err == GK_OK && !gk_slice_equal(owner, name))
		err = GK_ERR_UNEXPECTED;
	if (err == GK_OK)
		err = gsakmp_member_split(cert, der, grants);
	gk_buf_free(&row);
	return err;
}

/* ---- records ------------------------------------------------------------ */

/* What lies with the member: certificates do not where there is a store. */
static enum gk_err
without_certs(struct gsakmp_group *g, const struct gsakmp_member_info *info,
              struct gsakmp_member_info *kept)
{
	*kept = *info;
	if (elsewhere(g))
		kept->der = kept->grants = (struct gk_buf){ 0 };
	return chain_number(g, info, &kept->chain);
}

enum gk_err
gsakmp_group_member_put(struct gsakmp_group *g, struct gk_member *m,
                        const struct gsakmp_member_info *info)
{
	struct gsakmp_member_info kept;

	GK_TRY(without_certs(g, info, &kept));
	if (elsewhere(g))
		GK_TRY(cert_store(g, m, gk_buf_slice(&info->der),
		                  gk_buf_slice(&info->grants)));
	return gsakmp_group_member_note(g, m, &kept);
}

/* There may be no memory to take a seat back.  So nobody has one of whom nothing is
 * known, for he could not come again; and who was given nothing is overdue. */
enum gk_err
gsakmp_group_member_join(struct gsakmp_group *g, struct gk_slice key,
                         const struct gsakmp_member_info *info,
                         struct gk_now now, struct gk_member **m)
{
	struct gsakmp_member_info kept;
	struct gk_buf blob = { 0 };
	enum gk_err err;

	GK_TRY(without_certs(g, info, &kept));
	err = gsakmp_member_info_encode(&kept, key, &blob);
	if (err == GK_OK)
		err = gk_group_join_with(g->data, key, gk_buf_slice(&blob),
		                         now.utc_s, m);
	gk_buf_free(&blob);
	GK_TRY(err);
	gsakmp_preview_changed(g, *m);
	if (elsewhere(g))
		err = cert_store(g, *m, gk_buf_slice(&info->der),
		                 gk_buf_slice(&info->grants));
	if (err == GK_OK)
		return GK_OK;
	(*m)->seen = 0; /* see gsakmp_group_unheard() */
	/* Its row is to be written already: that takes no memory. */
	GK_TRY(gk_group_member_state(g->data, *m, GK_MEMBER_LEAVING));
	GK_TRY(gsakmp_group_count_event(g, now));
	return err;
}

enum gk_err
gsakmp_group_member_note(struct gsakmp_group *g, struct gk_member *m,
                         const struct gsakmp_member_info *info)
{
	struct gk_buf blob = { 0 };
	enum gk_err err = gsakmp_member_info_encode(
		info, gk_buf_slice(&m->identity), &blob);

	gsakmp_preview_changed(g, m);

	if (err == GK_OK)
		err = gk_group_member_blob(g->data, m, gk_buf_slice(&blob));
	gk_buf_free(&blob);
	return err;
}

enum gk_err
gsakmp_group_member_get(const struct gsakmp_group *g, const struct gk_member *m,
                        struct gsakmp_member_info *info)
{
	GK_TRY(gsakmp_member_info_decode(gk_buf_slice(&m->identity),
	                                 gk_member_blob(m), info));
	if (info->chain == 0)
		return GK_OK;
	if (info->chain > g->n_chains)
		return GK_ERR_VALUE;
	return chain_decode(gk_buf_slice(&g->chain[info->chain - 1]), info,
	                    NULL);
}

enum gk_err
gsakmp_group_member_forget(struct gsakmp_group *g, uint32_t id)
{
	uint8_t key[4];

	if (!elsewhere(g))
		return GK_OK;
	return gsakmp_group_store(g, GSAKMP_TABLE_CERT, id_key(id, key),
	                          (struct gk_slice){ 0 });
}

/* ---- and whom nobody wants back ----------------------------------------- */

enum gk_err
gsakmp_group_bars(const struct gsakmp_group *g, struct gk_slice key,
                  const struct gk_cert *cert, bool *barred)
{
	const struct gk_identity subject = { .kind = GK_ID_DN_STRING };
	struct gk_buf name = { 0 };
	enum gk_err err;

	*barred = false;
	if (g->data == NULL || gk_group_excluded_count(g->data) == 0)
		return GK_OK;
	/* A certificate may carry other names than its subject; whoever was
	 * evicted by the latter does not come back by one of them. */
	err = gsakmp_member_key(subject, cert, &name);
	*barred = gk_group_excluded(g->data, key, NULL) ||
	          (err == GK_OK &&
	           gk_group_excluded(g->data, gk_buf_slice(&name), NULL));
	gk_buf_free(&name);
	return err == GK_ERR_NOMEM ? err : GK_OK;
}

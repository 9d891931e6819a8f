/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gdoi/engine/group_state.h"
#include "gdoi/message/sig_key.h"
#include "gdoi/payload/lkh.h"

/*
 * RFC 6407 section 5.6.3.2: an update array leads from a key that its members hold up
 * to the group's KEK, in one piece.  Arrays go into as many datagrams as they need
 * (section 4), but the longest of them has to fit one.
 */
#define ARRAY_HEADER 12

struct measure {
	struct gdoi_group g; /* what sizes depend on, and nothing else */
	struct gdoi_rekey_sa kek;
	struct gdoi_sa sa;
	struct gdoi_kd kd;
};

static unsigned
levels(const struct gdoi_group_shape *s)
{
	unsigned n = 0;

	for (uint64_t leaves = 1; leaves < s->capacity; leaves *= s->degree)
		n++;
	return n;
}

static enum gk_err
measure(struct measure *m, const struct gdoi_policy *policy, size_t *size)
{
	const struct gdoi_group_shape shape =
		gdoi_group_shape_of(&m->g, policy);
	struct gdoi_push_content c = {
		.under = &m->kek, .sequence = 1, .sa = &m->sa, .kd = &m->kd
	};
	size_t len = ARRAY_HEADER;
	struct gk_buf array;
	enum gk_err err;

	m->kek.sak = policy->rekey.sak;
	m->kek.cipher =
		gdoi_kek_cipher(m->kek.sak.algorithm, m->kek.sak.key_length);
	GK_TRY(gk_buf_alloc(&m->kek.key, gdoi_lkh_plain_len(m->kek.cipher)));
	m->sa.has_sak = true;
	m->sa.sak = m->kek.sak;
	m->kd.packet[m->kd.n_packets++] = (struct gdoi_kd_packet){
		.type = GDOI_KD_LKH,
		.spi = { m->kek.sak.spi, GDOI_KEK_SPI_LEN },
		.sig_key = gk_buf_slice(&m->g.sig_key),
	};
	len += levels(&shape) *
	       (GDOI_LKH_KEY_FIXED +
	        gdoi_lkh_wrapped_len(&m->g.dialect, m->kek.cipher));
	GK_TRY(gk_buf_alloc(&array, len));
	memset(array.ptr, 0, array.len);
	m->kd.update[m->kd.n_updates++] = gk_buf_slice(&array);
	err = gdoi_push_size(&m->g, &c, size);
	gk_buf_free(&array);
	return err;
}

size_t
gdoi_group_push_least(const struct gdoi_group_config *cfg,
                      const struct gdoi_policy *policy, size_t *max)
{
	struct measure *m = calloc(1, sizeof(*m));
	size_t size = 0;

	*max = 0;
	if (m == NULL)
		return 0;
	m->g.cfg = *cfg;
	if (cfg->dialect != NULL)
		m->g.dialect = *cfg->dialect;
	gdoi_group_defaults(&m->g);
	*max = m->g.cfg.push_max;
	if (policy->rekey.on && m->g.cfg.signer_key != NULL &&
	    policy->rekey.sak.management == GDOI_KEK_MANAGEMENT_LKH &&
	    gdoi_sig_key_write(&m->g.dialect, m->g.cfg.signer_key,
	                       cfg->signer_cert, &m->g.sig_key) == GK_OK &&
	    measure(m, policy, &size) != GK_OK)
		size = 0;
	gk_buf_free(&m->g.sig_key);
	gk_buf_free(&m->kek.key);
	free(m);
	return size;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/gm_lab.h"

/* What the key server of the lab says: policies and GROUPKEY-PUSHes. */
static const uint8_t multicast[4] = { 239, 1, 1, 1 };
static const uint8_t server_ip[4] = { 10, 0, 0, 2 };

/* ---- policies ----------------------------------------------------------- */

struct gk_slice
lab_octets(struct lab_policy *p, uint8_t fill, size_t n)
{
	uint8_t *at = p->octets + p->used;

	assert_true(p->used + n <= sizeof(p->octets));
	for (size_t i = 0; i < n; i++)
		at[i] = (uint8_t)(fill + i);
	p->used += n;
	return (struct gk_slice){ at, n };
}

void
lab_empty(struct lab_policy *p)
{
	uint32_t seq = p->seq;

	*p = (struct lab_policy){ .seq = seq };
}

static struct gdoi_kd_packet *
packet(struct lab_policy *p, uint8_t type, struct gk_slice spi)
{
	struct gdoi_kd_packet *k = &p->kd.packet[p->kd.n_packets++];

	*k = (struct gdoi_kd_packet){ .type = type, .spi = spi };
	return k;
}

static struct gdoi_sat *
sat(struct lab_policy *p, uint8_t protocol, uint32_t spi)
{
	struct gdoi_sat *s = &p->sa.sat[p->sa.n_sats++];

	*s = (struct gdoi_sat){ .protocol = protocol,
		                .spi = { (uint8_t)(spi >> 24),
		                         (uint8_t)(spi >> 16),
		                         (uint8_t)(spi >> 8), (uint8_t)spi } };
	return s;
}

struct gdoi_sat *
lab_add_esp(struct lab_policy *p, uint32_t spi, uint8_t fill)
{
	struct gdoi_sat *s = sat(p, GDOI_PROTOCOL_ESP, spi);
	struct gdoi_kd_packet *k =
		packet(p, GDOI_KD_TEK, (struct gk_slice){ s->spi, 4 });

	s->ipsec = (struct gdoi_sat_ipsec){
		.ep = { .src = { ISAKMP_ID_IPV4_ADDR, 0, { server_ip, 4 } },
		        .dst = { ISAKMP_ID_IPV4_ADDR, 0, { multicast, 4 } } },
		.transform = 12,
		.life_s = 3600,
		.encapsulation = 1,
		.authentication = 5,
		.key_length = 128,
	};
	k->algorithm_key = lab_octets(p, fill, 16);
	k->integrity_key = lab_octets(p, fill, 32);
	return s;
}

struct gdoi_sat *
lab_add_gcm(struct lab_policy *p, uint32_t spi, uint8_t fill)
{
	struct gdoi_sat *s = lab_add_esp(p, spi, fill);
	struct gdoi_kd_packet *k = &p->kd.packet[p->kd.n_packets - 1];

	s->ipsec.transform = 20;
	s->ipsec.authentication = 0;
	k->algorithm_key = lab_octets(p, fill, 20);
	k->integrity_key = (struct gk_slice){ 0 };
	return s;
}

struct gdoi_sat *
lab_add_iec(struct lab_policy *p, uint32_t spi, uint8_t fill)
{
	static const uint8_t oid[] = { 0x06, 0x03, 0x28, 0xe4, 0x52 };
	struct gdoi_sat *s = sat(p, GDOI_PROTOCOL_IEC_61850, spi);
	struct gdoi_kd_packet *k =
		packet(p, GDOI_KD_TEK, (struct gk_slice){ s->spi, 4 });

	s->iec = (struct gdoi_sat_iec){ .oid = { oid, sizeof(oid) },
		                        .auth = GDOI_IEC_AUTH_HMAC_SHA256,
		                        .enc = GDOI_IEC_ENC_NONE,
		                        .lifetime = 3600 };
	k->integrity_key = lab_octets(p, fill, 32);
	return s;
}

void
lab_add_kek(struct lab_policy *p, uint8_t spi, uint8_t fill)
{
	struct gk_slice key = gk_pubkey_spki(gk_cert_pubkey(lab.signer.cert));
	struct gdoi_kd_packet *k;

	p->sa.has_sak = true;
	p->sa.sak = (struct gdoi_sak){
		.ep = { .protocol = 17,
		        .src = { ISAKMP_ID_IPV4_ADDR, 848, { server_ip, 4 } },
		        .dst = { ISAKMP_ID_IPV4_ADDR, 848, { multicast, 4 } } },
		.algorithm = GDOI_KEK_ALG_AES,
		.key_length = 128,
		.lifetime = 7200,
		.sig_hash = GDOI_SIG_HASH_SHA256,
		.sig_algorithm = GDOI_SIG_ALG_ECDSA_256,
	};
	memset(p->sa.sak.spi, spi, sizeof(p->sa.sak.spi));
	k = packet(p, GDOI_KD_KEK,
	           (struct gk_slice){ p->sa.sak.spi, GDOI_KEK_SPI_LEN });
	k->algorithm_key = lab_octets(p, fill, 32);
	k->sig_key = key;
}

void
lab_policy(struct lab_policy *p)
{
	*p = (struct lab_policy){ 0 };
	lab_add_kek(p, 0x11, 0x11);
	lab_add_esp(p, 0x101, 0x40);
}

void
lab_no_rekey(struct lab_policy *p)
{
	*p = (struct lab_policy){ .no_seq = true };
	lab_add_esp(p, 0x101, 0x40);
}

void
lab_kek(uint8_t spi, uint8_t fill)
{
	for (size_t i = 0; i < 32; i++)
		lab.kek_octets[i] = (uint8_t)(fill + i);
	lab.kek = (struct gdoi_kek){
		.cipher = GK_CIPHER_AES_CBC_128,
		.iv = { lab.kek_octets, 16 },
		.key = { lab.kek_octets + 16, 16 },
		.signature = gdoi_kek_signature(&lab.dialect,
		                                GDOI_SIG_ALG_ECDSA_256, 0, 0),
	};
	memset(lab.kek.spi, spi, sizeof(lab.kek.spi));
}

/* ---- GROUPKEY-PUSH ------------------------------------------------------ */

struct gk_buf
lab_push_raw(uint8_t first, struct gk_slice payloads)
{
	struct gk_buf out;

	gk_assert_ok(gdoi_push_seal(&env, &lab.dialect, &lab.kek,
	                            lab.signer.signer, first, payloads, &out));
	return out;
}

static void
write_delete(struct gk_wr *wr, const struct lab_delete *d, uint8_t next)
{
	const struct isakmp_delete del = {
		.doi = d->doi != 0 ? d->doi : ISAKMP_DOI_GDOI,
		.protocol = d->protocol,
		.spi_size = d->spi_size,
		.count = 1,
		.spis = { d->spi, d->spi_size },
	};
	struct gk_wr_hole hole = isakmp_generic_begin(wr, next);

	isakmp_delete_encode(wr, &del);
	gk_wr_close(wr, hole);
}

struct gk_buf
lab_push_octets(const struct lab_policy *p, const struct lab_delete *d,
                size_t n)
{
	static uint8_t buf[32768];
	bool sa = p->sa.has_sak || p->sa.n_sats != 0;
	uint8_t after = sa ? ISAKMP_PAYLOAD_SA : ISAKMP_PAYLOAD_SIG;
	const struct gdoi_seq seq = { p->seq };
	struct gk_wr_hole hole;
	struct gk_wr wr;

	gk_wr_init(&wr, buf, sizeof(buf));
	hole = isakmp_generic_begin(&wr,
	                            n != 0 ? ISAKMP_PAYLOAD_DELETE : after);
	gdoi_seq_encode(&wr, &seq);
	gk_wr_close(&wr, hole);
	for (size_t i = 0; i < n; i++)
		write_delete(&wr, &d[i],
		             i + 1 < n ? ISAKMP_PAYLOAD_DELETE : after);
	if (sa) {
		hole = isakmp_generic_begin(&wr, ISAKMP_PAYLOAD_KD);
		gdoi_sa_encode(&wr, &lab.dialect, &p->sa);
		gk_wr_close(&wr, hole);
		hole = isakmp_generic_begin(&wr, ISAKMP_PAYLOAD_SIG);
		gdoi_kd_encode(&wr, &lab.dialect, &p->kd);
		gk_wr_close(&wr, hole);
	}
	gk_assert_ok(gk_wr_done(&wr));
	return lab_push_raw(ISAKMP_PAYLOAD_SEQ,
	                    (struct gk_slice){ buf, wr.len });
}

enum gk_err
lab_push_give(struct gk_slice dgram)
{
	const struct gdoi_address from = { { 10, 0, 0, 2 }, 4, 850, 7, false };
	const struct gdoi_address group = {
		{ 239, 1, 1, 1 }, 4, 849, 9, false
	};
	const struct gdoi_address alone = { { 10, 0, 0, 1 }, 4, 848, 9, false };
	enum gk_err err = gdoi_gm_receive(lab.gm, dgram, &from,
	                                  lab.alone ? &alone : &group, lab.now);

	lab_talk();
	return err;
}

enum gk_err
lab_push_deletes(const struct lab_policy *p, const struct lab_delete *d,
                 size_t n)
{
	struct gk_buf dgram = lab_push_octets(p, d, n);
	enum gk_err err = lab_push_give(gk_buf_slice(&dgram));

	gk_buf_free(&dgram);
	return err;
}

enum gk_err
lab_push(const struct lab_policy *p)
{
	return lab_push_deletes(p, NULL, 0);
}

void
lab_refused(struct gk_slice dgram, const char *req)
{
	uint8_t before[32], after[32];
	unsigned refused = lab.seen.n[GDOI_OUT_REFUSED];

	gdoi_gm_digest(lab.gm, before);
	assert_int_not_equal(lab_push_give(dgram), GK_OK);
	gdoi_gm_digest(lab.gm, after);
	assert_int_equal(lab.seen.n[GDOI_OUT_REFUSED], refused + 1);
	assert_string_equal(lab.seen.why.req, req);
	assert_memory_equal(before, after, sizeof(before));
}

void
lab_unacceptable(const char *req)
{
	lab_join(0);
	assert_int_equal(lab.seen.n[GDOI_OUT_JOINED], 0);
	assert_int_equal(lab.seen.n[GDOI_OUT_TEK], 0);
	assert_int_equal(lab.seen.n[GDOI_OUT_KEK], 0);
	assert_string_equal(lab.seen.why.req, req);
	/* Section 3.3: with a Delete of the phase 1 SA. */
	assert_true(lab.server[0].deleted);
	assert_int_equal(lab_state(0), GDOI_GM_WAITING);
}

void
lab_push_refused(const struct lab_policy *p, const char *req)
{
	struct gk_buf dgram = lab_push_octets(p, NULL, 0);

	lab_refused(gk_buf_slice(&dgram), req);
	gk_buf_free(&dgram);
}

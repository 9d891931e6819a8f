/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gsakmp/message/message.h"

/*
 * One fuzz target per payload decoder, all from this file: FUZZ_ONE names the
 * decoder (see Makefile.inc).  Whatever decodes must encode back to the very
 * same octets; the value checks must neither crash nor change anything.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define ONE(name) \
	static void __attribute__((unused)) one_##name(struct gk_slice in)
#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)

static const struct gsakmp_dialect dialect;
static const struct gsakmp_vocabulary voc = { .suite = true };
static struct gsakmp_reject why;
static struct gk_wr out;

static struct gk_rd
start(struct gk_slice in)
{
	struct gk_rd rd;

	free(out.buf);
	gk_rd_init(&rd, in.ptr, in.len);
	gk_wr_init(&out, malloc(in.len + 1), in.len);
	return rd;
}

static void
same(struct gk_slice in)
{
	if (gk_wr_done(&out) != GK_OK || out.len != in.len ||
	    (in.len != 0 && memcmp(out.buf, in.ptr, in.len) != 0))
		abort();
}

/* A refusal says why; an acceptance has nothing to say. */
static void
judged(enum gk_err err)
{
	if (err != GK_OK && (why.req == NULL || why.field == NULL))
		abort();
}

ONE(groupid)
{
	struct gsakmp_groupid id;
	char text[64];

	if (in.len == 0)
		return;
	id.type = in.ptr[0];
	id.value = (struct gk_slice){ in.ptr + 1,
		                      in.len > 256 ? 255 : in.len - 1 };
	judged(gsakmp_groupid_check(id, &dialect, 0, &why));
	gsakmp_groupid_text(text, sizeof(text), id);
	for (size_t i = 0; i < strlen(text); i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			abort();
}

ONE(header)
{
	struct gk_rd rd = start(in);
	struct gsakmp_header h;

	if (gsakmp_header_decode(&rd, &h) != GK_OK)
		return;
	gsakmp_header_encode(&out, &h);
	same((struct gk_slice){ in.ptr, h.size });
}

#define PLAIN(name, check)                                    \
	ONE(name)                                             \
	{                                                     \
		struct gk_rd rd = start(in);                  \
		struct gsakmp_##name x;                       \
                                                              \
		if (gsakmp_##name##_decode(&rd, &x) != GK_OK) \
			return;                               \
		judged(check);                                \
		gsakmp_##name##_encode(&out, &x);             \
		same(in);                                     \
	}

PLAIN(policy_token, gsakmp_policy_token_check(&x, &voc, &why))
PLAIN(identification, gsakmp_identification_check(&x, &voc, &why))
PLAIN(certificate, gsakmp_certificate_check(&x, &voc, &why))
PLAIN(signature, gsakmp_signature_check(&x, &voc, &why))
PLAIN(vendor_id, gsakmp_vendor_id_check(&x, &why))
PLAIN(key_creation, gsakmp_key_creation_check(&x, &voc, &why))
PLAIN(nonce, gsakmp_nonce_check(&x, &voc, &why))

ONE(u_name)
{
	struct gk_rd rd = start(in);
	struct gsakmp_u_name x;

	judged(gsakmp_id_data_check(GSAKMP_ID_U_NAME, in, 0, &why));
	if (gsakmp_u_name_decode(&rd, &x) != GK_OK)
		return;
	gsakmp_u_name_encode(&out, &x);
	same(in);
}

ONE(notification)
{
	struct gk_rd rd = start(in);
	struct gsakmp_notification x;
	struct gsakmp_dialect d = { 0 };

	if (gsakmp_notification_decode(&rd, &x) != GK_OK)
		return;
	gsakmp_notification_encode(&out, &x);
	same(in);
	for (d.mech_choice = 0; d.mech_choice < 3; d.mech_choice++)
		judged(gsakmp_notification_check(&x, &d, &voc, &why));
}

/* Decrypted: the first octet chooses place and dialect. */
ONE(keys)
{
	static struct gsakmp_keys keys;
	struct gsakmp_dialect d = { 0 };
	struct gk_rd rd;
	enum gsakmp_keys_place place;
	bool inside;

	if (in.len == 0)
		return;
	place = (in.ptr[0] & 1) != 0 ? GSAKMP_KEYS_DOWNLOAD
	                             : GSAKMP_KEYS_PACKAGES;
	d.keypkg_lkh_body = (in.ptr[0] >> 1) & 1;
	inside = (in.ptr[0] >> 2 & 1) == 0;
	d.aes_ctr_key = (in.ptr[0] >> 3) % 6;
	in.ptr++;
	in.len--;
	rd = start(in);
	if (gsakmp_keys_decode(&rd, &d, place, inside ? -1 : 2, &keys) ==
	    GK_OK) {
		gsakmp_keys_encode(&out, &keys, inside);
		same((struct gk_slice){ in.ptr, gk_rd_offset(&rd) });
		if (gsakmp_keys_size(&keys, inside) != gk_rd_offset(&rd))
			abort();
	}
	judged(gsakmp_key_download_read(in, &d, &voc, 1709208000, &keys, &why));
	judged(gsakmp_packages_read(in, &d, &voc, inside ? -1 : 2, &keys,
	                            &why));
}

/* The first two octets choose the dialect, the third the GroupID's length. */
ONE(rekey_event)
{
	struct gsakmp_rekey_event x;
	struct gsakmp_dialect d = { 0 };
	struct gsakmp_rekey_shape shape = { &d, GSAKMP_KEY_AES_CBC_128 };
	struct gsakmp_groupid id = { .type = 1 };
	struct gk_rd rd;

	if (in.len < 3)
		return;
	d.reh_groupid = in.ptr[0] & 1;
	d.red_scope = in.ptr[0] >> 1 & 1;
	d.wrap_width = in.ptr[0] >> 2 & 1;
	d.rekey_counts = in.ptr[0] >> 3 & 1;
	d.pkt_len = in.ptr[1] % 7;
	d.pad = in.ptr[1] / 7 % 11;
	id.value.len = in.ptr[2];
	in.ptr += 3;
	in.len -= 3;
	rd = start(in);
	if (gsakmp_rekey_event_decode(&rd, &d, id.value.len, &x) != GK_OK)
		return;
	gsakmp_rekey_event_encode(&out, &x);
	same(in);
	/* The right GroupID, so that the check goes on to the end. */
	id.value.ptr = x.groupid.ptr + (d.reh_groupid ? 2 : 0);
	judged(gsakmp_rekey_event_check(&x, &shape, id, &voc, &why));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	PASTE(one_, FUZZ_ONE)((struct gk_slice){ data, len });
	return 0;
}

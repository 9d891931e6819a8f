/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/fuzz/spoilt.h"
#include "gdoi/tests/gm_lab.h"

/*
 * The member engine, and messages that are spoilt, or genuine but of any
 * contents.  An input says with its first octet which:
 *
 *     0  a GROUPKEY-PUSH, spoilt by steps of four octets: operation, offset (2),
 *        value
 *     1  message 2 of a GROUPKEY-PULL, spoilt likewise
 *     2  message 4, spoilt likewise
 *     3  a GROUPKEY-PUSH of these payloads, signed and encrypted
 *     4  message 2 of these payloads, with its HASH, encrypted
 *     5  message 4 of these payloads, likewise
 *     6  any datagram
 *
 * In 3 to 5 the second octet is the type of the first payload.
 *
 * Oracle: what is refused has changed nothing, unless it was an authentic message
 * of a GROUPKEY-PULL: then nothing has been installed.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { PUSH, PULL_2, PULL_4, SEALED_PUSH, SEALED_2, SEALED_4, ANY, KINDS };

static bool is_open;
static int opened_for;

static const struct gdoi_address server = { { 10, 0, 0, 2 }, 4, 848, 0, false };
static const struct gdoi_address own = { { 10, 0, 0, 1 }, 4, 848, 0, false };

/* A member, or one that waits for the message in question. */
static void
open_lab(int kind)
{
	if (!is_open)
		(void)lab_setup(NULL);
	is_open = true;
	opened_for = kind;
	lab_reset();
	lab.cfg.n_groups = 1;
	lab.group[0].legacy_ok = true;
	lab_start();
	lab.hold = kind != PUSH && kind != SEALED_PUSH && kind != ANY;
	lab_join(0);
	if (kind == PULL_4 || kind == SEALED_4) {
		(void)gdoi_gm_receive(lab.gm, gk_buf_slice(&lab.held), &server,
		                      &own, lab.now);
		lab_talk();
	}
}

static struct gk_buf
genuine_push(void)
{
	static struct lab_policy p;

	p = (struct lab_policy){ .seq = 1 };
	lab_add_kek(&p, 0x22, 0x60);
	lab_add_esp(&p, 0x102, 2);
	return lab_push_octets(&p, NULL, 0);
}

/* Payloads that the key server has authenticated. */
static struct gk_buf
sealed(int kind, uint8_t first, struct gk_slice payloads)
{
	struct gdoi_pull pull;
	struct gk_buf out = { 0 };

	if (kind == SEALED_PUSH)
		return lab_push_raw(first, payloads);
	for (size_t i = 0; i < GK_COUNT(lab.server[0].pull); i++)
		if (lab.server[0].pull[i].ni_len != 0)
			pull = lab.server[0].pull[i];
	/* in front of what was kept: its IV is in the ciphertext before */
	memcpy(pull.cbc.iv, lab.server[0].iv_before, sizeof(pull.cbc.iv));
	if (kind == SEALED_2)
		pull.nr_len = 0;
	gk_assert_ok(gdoi_pull_seal(&pull, first, payloads, &out));
	return out;
}

static struct gk_buf
message(int kind, const uint8_t *data, size_t len)
{
	struct gk_buf b = { 0 };

	if (kind == ANY) {
		gk_assert_ok(gk_buf_copy(&b, (struct gk_slice){ data, len }));
		return b;
	}
	if (kind >= SEALED_PUSH)
		return sealed(kind, len == 0 ? 0 : data[0],
		              (struct gk_slice){ data + (len != 0),
		                                 len - (len != 0) });
	if (kind == PUSH)
		b = genuine_push();
	else
		gk_assert_ok(gk_buf_copy(&b, gk_buf_slice(&lab.held)));
	spoil(&b, data, len);
	return b;
}

static void
try(int kind, struct gk_slice dgram)
{
	uint8_t before[32], after[32];
	struct gdoi_gm_status status;
	enum gk_err err;

	gdoi_gm_digest(lab.gm, before);
	err = gdoi_gm_receive(lab.gm, dgram, &server, &own, lab.now);
	gdoi_gm_digest(lab.gm, after);
	gdoi_gm_status(lab.gm, 0, &status);
	if (err != GK_OK) {
		bool authentic = kind == SEALED_2 || kind == SEALED_4;

		if (!authentic && memcmp(before, after, sizeof(after)) != 0)
			abort();
		if (authentic && (status.n_teks != 0 || status.has_kek))
			abort();
	}
	/* what the member answers is not for the key server as it is now */
	lab.server[0].mute_pull = true;
	lab_talk();
	gdoi_gm_digest(lab.gm, after);
	if (memcmp(before, after, sizeof(after)) != 0)
		opened_for = -1; /* the next input finds it as this one did */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct gk_buf b;
	int kind;

	if (len < 1 || len > 30000)
		return 0;
	kind = data[0] % KINDS;
	if (!is_open || opened_for != kind)
		open_lab(kind);
	b = message(kind, data + 1, len - 1);
	try(kind, gk_buf_slice(&b));
	gk_buf_free(&b);
	return 0;
}

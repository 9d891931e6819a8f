/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/group_world.h"

#include <string.h>

/*
 * A group at its key server, as a whole.  An input is a program: two octets say
 * what group it is, then follow commands of two octets, an operation and whom or
 * what it is about; the last may be an acknowledgement, octet for octet.
 *
 * Oracle: who is a member reads what the group sends, who was evicted or has left
 * does not; what is refused has changed nothing; a restart from the store loses
 * nothing that was said.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define MEMBERS 7
#define STEPS 40

static struct gw w;
static bool expected[MEMBERS]; /* to be a member */
static bool unknown[MEMBERS];  /* nothing keeps it from reading on */

static void
configure(uint8_t a, uint8_t b)
{
	const struct gdoi_sat two[] = { gw_esp_cbc, gw_ah };
	struct gdoi_sat iec = gw_iec_gcm;

	gw_init(&w, MEMBERS);
	w.cfg.members_max = 16;
	w.cfg.push_max = (a & 1) != 0 ? 600 : 1400;
	w.cfg.join_window_ms = (a & 2) != 0 ? 5000 : 0;
	w.template.rekey.backward = (a & 4) != 0;
	w.template.rekey.lkh_degree = (a & 8) != 0 ? 3 : 2;
	if ((a & 0x30) == 0x30)
		w.template.rekey.sak.management = 0;
	if ((a & 0x40) != 0)
		gw_set_place(&w, gw_nowhere);
	w.template.rekey.sak.ack = (a & 0x80) != 0 ? GDOI_ACK_KEK_SHA256 : 0;
	w.template.rekey.silent_max = 2;
	w.template.rekey.evict_silent = (b & 1) != 0;
	w.template.rekey.hide_kek = (b & 4) != 0;
	w.template.rekey.evict_at_once = (b & 3) == 3;
	w.template.has_gap = (b & 2) != 0;
	w.template.gap = (struct gdoi_gap){
		.has_atd = true, .atd = 5, .has_dtd = true, .dtd = 12
	};
	iec.iec.has_atd = (b & 4) != 0;
	if ((b & 0x18) == 0x08)
		gw_set_data(&w, 2, two);
	if ((b & 0x18) == 0x10)
		gw_set_data(&w, 1, &iec);
	if ((b & 0x18) == 0x18) /* who comes again brings about new keys */
		w.template.data[0].sat.ipsec.life_kb = 100;
	w.dialect.push_iv = (b >> 5) & 3;
	if ((b & 0x80) != 0)
		w.dialect.push_kek_only_tek = GDOI_PUSH_KEK_ONLY_TEK_REQUIRED;
	gw_open(&w);
}

/* Whoever was told to register again is no member now. */
static void
look(void)
{
	for (size_t i = 0; i < MEMBERS; i++)
		if (w.member[i].deleted_all)
			expected[i] = false;
}

static void
say(char name[64], const struct gw_member *m)
{
	memcpy(name, m->name.ptr, m->name.len);
	name[m->name.len] = '\0';
}

static void
enrol(size_t i)
{
	enum gk_err err = gw_register(&w, &w.member[i]);

	gw_drain(&w);
	if (err == GK_ERR_REPLAY) { /* sender ids */
		gw_after(&w, 1);
		look();
		err = gw_register(&w, &w.member[i]);
	}
	if (err != GK_OK) {
		assert_int_equal(err, GK_ERR_POLICY);
		return;
	}
	expected[i] = true;
	unknown[i] = false;
}

static void
expel(size_t i)
{
	enum gk_err err = gw_evict(&w, &w.member[i]);

	if (err == GK_OK)
		expected[i] = false;
	else
		assert_int_equal(err, GK_ERR_VALUE);
}

static void
leave(size_t i)
{
	const struct gdoi_peer p = { .id = &w.member[i].id };
	uint64_t ticket;

	if (gdoi_group_left(w.group, &p, w.now, &ticket) != GK_OK)
		return;
	assert_true(gw_commit(&w, ticket));
	/* Without LKH it keeps the KEK. */
	expected[i] = false;
	unknown[i] = w.template.rekey.sak.management == 0;
}

/* The store fails, and then the machine: nothing of it has happened. */
static void
fail_and_restart(size_t i)
{
	unsigned pushes = w.count[GDOI_OUT_MULTICAST] + w.count[GDOI_OUT_SEND];

	w.broken = true;
	(void)gw_evict(&w, &w.member[i]);
	(void)gdoi_group_rekey(w.group, GDOI_REKEY_ALL, w.now);
	gw_drain(&w);
	assert_int_equal(pushes,
	                 w.count[GDOI_OUT_MULTICAST] + w.count[GDOI_OUT_SEND]);
	w.broken = false;
	gw_restart(&w);
}

static void
answer(size_t i)
{
	struct gw_member *m = &w.member[i];
	struct gk_buf dgram;

	if (m->n_keks == 0 || m->kek[0].sequence == 0)
		return;
	gw_ack(&w, m, 0, m->kek[0].sequence, GDOI_ACK_KEK_SHA256, &dgram);
	(void)gw_send_ack(&w, m, gk_buf_slice(&dgram));
	gk_buf_free(&dgram);
}

static void
change_policy(uint8_t arg)
{
	switch (arg % 4) {
	case 0:
		w.template.rekey.sak.lifetime = 1000U + arg;
		break;
	case 1:
		w.template.edition = 101;
		for (size_t i = 1; i < MEMBERS; i += 2)
			expected[i] = false;
		break;
	case 2:
		w.template.edition = 102;
		break;
	default:
		gw_set_data(&w, 1, (arg & 4) != 0 ? &gw_ah : &gw_esp_gcm);
		break;
	}
	gk_assert_ok(gw_set_policy(&w));
}

static void
step(uint8_t op, uint8_t arg)
{
	size_t i = arg % MEMBERS;
	char name[64];

	switch (op % 16) {
	case 0:
		expel(i);
		break;
	case 1:
		gk_assert_ok(gdoi_group_rekey(w.group, arg % 8, w.now));
		gw_drain(&w);
		break;
	case 2:
		leave(i);
		break;
	case 3:
		gw_after(&w, arg);
		break;
	case 4:
		gw_after(&w, arg * 30U);
		break;
	case 5:
		gw_restart(&w);
		break;
	case 6:
		fail_and_restart(i);
		break;
	case 7:
		gk_assert_ok(gdoi_group_delete_all(w.group, w.now));
		gw_drain(&w);
		break;
	case 8:
		say(name, &w.member[i]);
		(void)gdoi_group_readmit(w.group, name);
		gw_drain(&w);
		break;
	case 9:
		answer(i);
		break;
	case 10:
		change_policy(arg);
		break;
	default:
		enrol(i);
		break;
	}
	look();
}

/* Those who were evicted for silence, or by a policy, say so by not reading. */
static void
forget_the_silent(void)
{
	if (!w.template.rekey.evict_silent || w.template.rekey.sak.ack == 0)
		return;
	for (size_t i = 0; i < MEMBERS; i++)
		expected[i] = expected[i] && gw_can_read(&w, &w.member[i]);
}

static void
raw_ack(const uint8_t *data, size_t len)
{
	uint8_t before[32], after[32];

	gdoi_group_digest(w.group, before);
	if (gw_send_ack(&w, &w.member[0], (struct gk_slice){ data, len }) ==
	    GK_OK)
		return;
	gdoi_group_digest(w.group, after);
	assert_memory_equal(before, after, 32);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t at = 2;

	if (len < 2 || len > 4000)
		return 0;
	memset(expected, 0, sizeof(expected));
	memset(unknown, 0, sizeof(unknown));
	configure(data[0], data[1]);
	for (int n = 0; n < STEPS && at + 2 <= len; n++, at += 2) {
		if (data[at] == 0xff) {
			raw_ack(data + at + 1, len - at - 1);
			break;
		}
		step(data[at], data[at + 1]);
	}
	gw_after(&w, 30);
	look();
	forget_the_silent();
	for (size_t i = 0; i < MEMBERS; i++)
		if (!unknown[i])
			assert_int_equal(gw_can_read(&w, &w.member[i]),
			                 expected[i]);
	gw_free(&w);
	return 0;
}

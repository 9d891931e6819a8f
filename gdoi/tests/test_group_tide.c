/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/group_world.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "gdoi/engine/group_state.h"

/*
 * Groups of all sizes up to that of their tree, whose members come, come again
 * and go, several within one rekey, while the tree gives back what nobody needs
 * and the key server dies: RFC 6407 sections 5.6.3.2, 7.4.
 */
#define ALL 40

static struct gw w;
static uint64_t state;

static uint32_t
any(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % n;
}

static bool
is_member(const struct gw_member *m)
{
	return gk_group_find(w.group->data, gk_buf_slice(&m->name)) != NULL;
}

static void
evict_some(size_t most, bool luckless)
{
	static char text[ALL][64];
	const char *peer[ALL];
	size_t n = 0;

	for (size_t i = any(ALL); i < ALL && n < most; i += 1 + any(3)) {
		struct gk_slice name = gk_buf_slice(&w.member[i].name);

		if (!is_member(&w.member[i]) ||
		    gk_group_count(w.group->data) - n < 3)
			continue;
		snprintf(text[n], sizeof(text[n]), "%.*s", (int)name.len,
		         (const char *)name.ptr);
		peer[n] = text[n];
		n++;
	}
	if (n == 0)
		return;
	/* What goes wrong is tried again a second later, with those who came
	 * meanwhile. */
	if (luckless)
		gw_random_left = any(24);
	if (gdoi_group_evict(w.group, peer, n, w.now) != GK_OK)
		assert_true(luckless);
	gw_random_left = UINT_MAX;
	gw_drain(&w);
	for (size_t i = 0; i < n; i++)
		if (gdoi_group_readmit(w.group, peer[i]) != GK_OK)
			assert_true(luckless);
	gw_drain(&w);
	if (luckless && any(2) == 0)
		gw_restart(&w); /* before it is tried again */
}

/* What is not in the store has not been sent. */
static void
rekey_and_die(void)
{
	w.broken = true;
	(void)gdoi_group_rekey(w.group, GDOI_REKEY_KEK, w.now);
	gw_drain(&w);
	w.broken = false;
	gw_restart(&w);
}

/* Who is no member takes part again; who is one has lost all it had. */
static void
register_one(void)
{
	gk_assert_ok(gw_register(&w, &w.member[any(ALL)]));
	gw_drain(&w);
}

static void
assert_readers(void)
{
	gw_after(&w, 10);
	for (size_t i = 0; i < ALL; i++)
		assert_int_equal(gw_can_read(&w, &w.member[i]),
		                 is_member(&w.member[i]));
}

static void
step(bool ebb)
{
	switch (any(13)) {
	case 0:
		gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_KEK, w.now));
		gw_drain(&w);
		break;
	case 1:
		gw_restart(&w);
		break;
	case 2:
	case 3:
		assert_readers();
		break;
	case 4:
	case 5:
		register_one();
		break;
	case 6:
		evict_some(3, true);
		break;
	case 7:
		rekey_and_die();
		break;
	default:
		if (ebb)
			evict_some(1 + any(8), false);
		else
			register_one();
		break;
	}
}

static void
history(unsigned seed, unsigned degree, unsigned *ebbs)
{
	struct gdoi_group_status s;
	uint32_t nodes = 0;

	state = seed;
	gw_init(&w, ALL);
	w.cfg.members_max = 64;
	w.cfg.push_max = 9000;
	w.cfg.tree_spare = 1;
	w.cfg.join_window_ms = 3000;
	w.template.rekey.backward = seed % 4 != 3;
	w.template.rekey.lkh_degree = degree;
	w.template.rekey.hide_kek = seed % 3 == 0;
	gw_open_with(&w, 8);
	for (unsigned i = 0; i < 240; i++) {
		step(i / 40 % 2 != 0);
		gdoi_group_status(w.group, &s);
		assert_int_equal(s.tree.bypassed, 0);
		*ebbs += s.tree.nodes < nodes;
		nodes = s.tree.nodes;
	}
	assert_readers();
	gw_free(&w);
}

GK_TEST(rfc6407_5_6_3_2_04, who_is_a_member_has_each_rekey_with_a_whole_path)
{
	static const unsigned degrees[] = { 2, 3, 4 };
	unsigned ebbs = 0;

	for (unsigned seed = 1; seed <= 12; seed++)
		history(seed, degrees[seed % GK_COUNT(degrees)], &ebbs);
	assert_true(ebbs >= 12);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_5_6_3_2_04,
		       who_is_a_member_has_each_rekey_with_a_whole_path),
	};
	int failed = cmocka_run_group_tests_name("gdoi/group_tide", tests, NULL,
	                                         NULL);

	gk_pki_keys_free();
	return failed;
}

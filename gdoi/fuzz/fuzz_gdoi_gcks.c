/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/fuzz/spoilt.h"
#include "gdoi/tests/server.h"

/*
 * The key server engine, and genuine messages spoilt.  An input is a little
 * program: the first octet picks the sender, the second a message that the
 * server has not got yet (0xff: the rest of the input is the datagram), then
 * follow steps of four octets - operation, offset (2), value - that spoil it.
 *
 * Oracle: what the engine refuses has changed nothing, in itself and in its
 * groups, and is not answered.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum {
	MAIN_MODE_1,
	MAIN_MODE_3,
	PULL_1,
	PULL_3,
	PULL_3_AGAIN,
	DELETE_PHASE_1,
	MESSAGES
};

static struct member who[3]; /* a member; another; one that is half in */
static struct request request[3];
static struct gk_buf msg[MESSAGES];
static bool is_open;

static struct gk_buf
begin_phase_1(struct member *m, uint8_t last)
{
	*m = member_at(last, last);
	gk_assert_ok(ike_initiate(&env, &config[0], &m->path, now, &m->ike));
	return say(m->ike);
}

static void
open_lab(void)
{
	static const uint8_t other[4] = { 10, 0, 0, 3 };
	struct member fresh;
	struct gk_buf first;

	open_server();
	who[0] = connect_member();
	who[1] = connect_as(3, other);
	first = begin_phase_1(&who[2], 5);
	gk_assert_ok(tell(&who[2], gk_buf_slice(&first)));
	gk_buf_free(&first);
	gk_assert_ok(ike_receive(who[2].ike, &who[2].path,
	                         gk_buf_slice(&said.sent[0]), now));
	msg[MAIN_MODE_3] = say(who[2].ike);
	msg[MAIN_MODE_1] = begin_phase_1(&fresh, 7);
	disconnect(&fresh);

	request[0] = offered(&who[0], 1, group[0]);
	write_3(&request[0], NULL);
	gk_assert_ok(say_message(&request[0], 1));
	request[1] = offered(&who[0], 2, group[1]);
	write_3(&request[1], NULL);
	request[2] = request_new(&who[0], 3, gdoi_group_dialect(group[0]));
	write_1(&request[2], gdoi_group_id(group[0]));
	gk_assert_ok(
		gk_buf_copy(&msg[PULL_1], gk_buf_slice(&request[2].sent[0])));
	gk_assert_ok(
		gk_buf_copy(&msg[PULL_3], gk_buf_slice(&request[1].sent[1])));
	gk_assert_ok(gk_buf_copy(&msg[PULL_3_AGAIN],
	                         gk_buf_slice(&request[0].sent[1])));
	gk_assert_ok(ike_delete(who[1].ike, now));
	msg[DELETE_PHASE_1] = say(who[1].ike);
	is_open = true;
}

static void
close_lab(void)
{
	for (int i = 0; i < 3; i++) {
		request_free(&request[i]);
		disconnect(&who[i]);
	}
	for (int i = 0; i < MESSAGES; i++)
		gk_buf_free(&msg[i]);
	close_server();
	is_open = false;
}

static void
try(const struct member *from, struct gk_slice dgram)
{
	struct digests before = digests(), after;
	enum gk_err err =
		gdoi_gcks_receive(gcks, dgram, &from->from, &from->local, now);

	after = digests();
	if (err != GK_OK && memcmp(&before, &after, sizeof(after)) != 0)
		abort();
	collect();
	if (err != GK_OK && said.n_sent != 0)
		abort();
	after = digests();
	if (memcmp(&before, &after, sizeof(after)) != 0)
		close_lab(); /* the next input finds it as this one did */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct gk_buf b = { 0 };

	if (len < 2 || len > 60000)
		return 0;
	if (!is_open)
		open_lab();
	if (data[1] == 0xff) {
		gk_assert_ok(gk_buf_copy(
			&b, (struct gk_slice){ data + 2, len - 2 }));
	} else {
		gk_assert_ok(gk_buf_copy(
			&b, gk_buf_slice(&msg[data[1] % MESSAGES])));
		spoil(&b, data + 2, len - 2);
	}
	try(&who[data[0] % 3], gk_buf_slice(&b));
	gk_buf_free(&b);
	return 0;
}

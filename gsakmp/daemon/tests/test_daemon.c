/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/test/gk_folder.h"
#include "common/test/gk_test_pki.h"
#include "gsakmp/daemon/membership.h"
#include "gsakmp/daemon/server.h"
#include "gsakmp/daemon/stream.h"

/* ---- files of a small lab ------------------------------------------------ */

static char dir[GK_FOLDER_MAX];
static const char *const files[] = { "root.pem",  "me.pem",    "me.key",
	                             "other.key", "owner.pem", "junk" };

static void
put(const char *name, struct gk_buf *octets)
{
	char path[GK_FOLDER_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	gk_assert_ok(gkd_file_write(path, 0700, gk_buf_slice(octets)));
	gk_buf_free(octets);
}

static void
put_text(const char *name, const char *text)
{
	struct gk_buf octets = { 0 };

	gk_assert_ok(gk_buf_copy(&octets, gk_slice_str(text)));
	put(name, &octets);
}

static int
make_files(void **state)
{
	const struct gk_pki_spec ca = { .subject = "/O=Lab/CN=Root" };
	struct gk_pki_party root, me, owner;
	struct gk_buf octets = { 0 };

	(void)state;
	if (!gk_folder_make(dir))
		return -1;
	gk_pki_make(&root, &ca);
	gk_pki_make(&me, &(struct gk_pki_spec){ .subject = "/O=Lab/CN=me",
	                                        .slot = 1,
	                                        .issuer = &root,
	                                        .san = "DNS:me.example" });
	gk_pki_make(&owner, &(struct gk_pki_spec){ .subject = "/O=Lab/CN=owner",
	                                           .slot = 2,
	                                           .issuer = &root });
	gk_pki_cert_pem(&root, &octets);
	put("root.pem", &octets);
	gk_pki_cert_pem(&me, &octets);
	put("me.pem", &octets);
	gk_pki_key_pem(&me, NULL, &octets);
	put("me.key", &octets);
	gk_pki_cert_pem(&owner, &octets);
	put("owner.pem", &octets);
	gk_pki_key_pem(&owner, NULL, &octets);
	put("other.key", &octets);
	put_text("junk", "neither a key nor a certificate\n");
	gk_pki_free(&root);
	gk_pki_free(&me);
	gk_pki_free(&owner);
	gk_pki_keys_free();
	return 0;
}

static int
remove_files(void **state)
{
	char path[GK_FOLDER_MAX + 32];

	(void)state;
	for (size_t i = 0; i < GK_COUNT(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	return rmdir(dir);
}

/* ---- configurations ------------------------------------------------------ */

#define WHO                                               \
	"<identity certificate='me.pem' key='me.key'/>\n" \
	"<trust><root file='root.pem'/></trust>\n"        \
	"<group-owner certificate='owner.pem'/>\n"        \
	"<store path='store'/>\n"
#define GROUP_ID "<group-id type='utf8' random='0123456789abcdef' name='g'/>\n"
#define GCKS                                                                  \
	"<gsakmp-gcks>\n" WHO "<listen><udp address='127.0.0.1'/></listen>\n" \
	"<group name='g'>\n" GROUP_ID "<token file='token'/>\n"               \
	"<multicast address='239.1.2.3' port='5'/>\n"                         \
	"<rekey on-join='no' join-window='2s' degree='4'/>\n"                 \
	"<keys traffic-type='12'/>\n"                                         \
	"<registration timeout='7s'/>\n"                                      \
	"<dialect><switch name='pad' value='zero'/>"                          \
	"<switch name='nonce_c' value='data'/></dialect>\n"                   \
	"</group>\n</gsakmp-gcks>"
#define GM                                                           \
	"<gsakmp-gm>\n" WHO "<group>\n" GROUP_ID                     \
	"<key-server address='192.0.2.1' transport='tcp'/>\n"        \
	"<mechanisms suite='p256-gcm'/>\n"                           \
	"<rekey address='239.1.2.3' port='5' source='192.0.2.1'/>\n" \
	"</group>\n"                                                 \
	"<network interface='lo'/>\n"                                \
	"<membership timeout='2s' grace='3s' recovery='no'/>\n"      \
	"</gsakmp-gm>"

/* A daemon as gkd_main makes one for check(). */
static enum gkd_exit
configure(struct gkd_daemon *d, const char *program, const char *xml,
          const char *set, struct gkd_why *why)
{
	char name[GK_FOLDER_MAX + 32], xsd[40];

	*d = (struct gkd_daemon){ 0 };
	snprintf(name, sizeof(name), "%s/c.xml", dir);
	snprintf(xsd, sizeof(xsd), "%s.xsd", program);
	if (gkd_config_parse(&d->config, name, gk_slice_str(xml), xsd, &set,
	                     set != NULL, why) != GK_OK)
		return GKD_EXIT_CONFIG;
	return GKD_EXIT_OK;
}

static enum gkd_exit
configure_server(struct gsakmpd_server *s, struct gkd_daemon *d,
                 const char *xml, const char *set, struct gkd_why *why)
{
	enum gkd_exit rc = configure(d, "gsakmp-gcks", xml, set, why);

	*s = (struct gsakmpd_server){ .d = d };
	return rc == GKD_EXIT_OK ? gsakmpd_server_configure(s, why) : rc;
}

static void
free_server(struct gsakmpd_server *s, struct gkd_daemon *d)
{
	gsakmpd_groups_close(s);
	gsakmpd_party_free(s->party);
	gkd_config_free(d->config);
}

static enum gkd_exit
configure_member(struct gsakmpd_membership *m, struct gkd_daemon *d,
                 const char *xml, const char *set, struct gkd_why *why)
{
	enum gkd_exit rc = configure(d, "gsakmp-gm", xml, set, why);

	*m = (struct gsakmpd_membership){ .d = d };
	return rc == GKD_EXIT_OK ? gsakmpd_membership_configure(m, why) : rc;
}

static void
free_member(struct gsakmpd_membership *m, struct gkd_daemon *d)
{
	gk_buf_free(&m->group_id);
	gk_buf_free(&m->gcks_octets);
	gsakmpd_party_free(m->party);
	gkd_config_free(d->config);
}

GK_TEST(daemon_gcks, a_good_configuration_is_understood)
{
	struct gsakmpd_server s;
	struct gkd_daemon d;
	struct gkd_why why = { "" };

	assert_int_equal(configure_server(&s, &d, GCKS, NULL, &why),
	                 GKD_EXIT_OK);
	assert_int_equal(s.n_groups, 1);
	assert_string_equal(s.groups[0].name, "g");
	assert_true(gk_slice_equal(gk_buf_slice(&s.groups[0].group_id),
	                           gk_slice_str("0123456789abcdefg")));
	assert_true(s.groups[0].cfg.no_join_rekey);
	assert_int_equal(s.groups[0].cfg.join_window_ms, 2000);
	assert_int_equal(s.groups[0].cfg.lkh_degree, 4);
	assert_int_equal(s.groups[0].cfg.gtpk_type, 12);
	assert_int_equal(s.groups[0].cfg.session_timeout_ms, 7000);
	assert_string_equal(gsakmp_dialect_get(&s.groups[0].dialect, "pad"),
	                    "zero");
	assert_int_equal(gkd_addr_port(&s.listen[0].addr), GSAKMPD_PORT);
	assert_true(s.n_workers >= 1);
	assert_string_equal(s.party->own.name, "dn:CN=me,O=Lab");
	free_server(&s, &d);
}

GK_TEST(daemon_gm, a_good_configuration_is_understood)
{
	struct gsakmpd_membership m;
	struct gkd_daemon d;
	struct gkd_why why = { "" };

	assert_int_equal(configure_member(&m, &d, GM, NULL, &why), GKD_EXIT_OK);
	assert_true(m.stream);
	assert_true(m.multicast);
	assert_string_equal(m.name, "g");
	assert_string_equal(m.mcast_cfg.interface, "lo");
	assert_int_equal(m.mcast_cfg.source.sa.sa_family, AF_INET);
	assert_int_equal(m.cfg.suite.signature, 49154);
	assert_int_equal(m.cfg.rtj_timeout_ms, 2000);
	assert_int_equal(m.cfg.grace_ms, 3000);
	assert_true(m.cfg.no_recovery);
	assert_true(m.cfg.suite.terse);
	free_member(&m, &d);
}

/* Each row: one thing set wrong, and what the message has to say. */
struct wrong {
	const char *set;
	const char *says[3];
};

static void
expect(const struct wrong *w, enum gkd_exit rc, const struct gkd_why *why)
{
	if (rc != GKD_EXIT_CONFIG)
		fail_msg("%s: exit status %d", w->set, rc);
	for (size_t i = 0; i < 3 && w->says[i] != NULL; i++)
		if (strstr(why->text, w->says[i]) == NULL)
			fail_msg("%s: \"%s\" not in: %s", w->set, w->says[i],
			         why->text);
}

GK_TEST(daemon_gcks, errors_name_line_element_and_value)
{
	static const struct wrong wrong[] = {
		{ "identity@certificate=none",
		  { ":2: <identity>", "/none", "No such file" } },
		{ "identity@certificate=junk",
		  { ":2: <identity>", "holds no certificate" } },
		{ "identity@key=junk",
		  { ":2: <identity>", "holds no private key" } },
		{ "identity@key=other.key", { ":2: <identity>", "belong" } },
		{ "identity@name-type=ipv4",
		  { ":2: <identity>", "no name of type ipv4" } },
		{ "identity@name-type=nick", { ":2: <identity>" } },
		{ "trust/root@file=none", { ":3: <root>", "No such file" } },
		{ "trust/crl@file=root.pem", { "<crl>", "revocation" } },
		{ "group-owner@name=CN=x",
		  { ":4: <group-owner>", "not both" } },
		{ "group/group-id@random=xyz", { ":8:", "<group-id>" } },
		{ "group/group-id@type=ipv4",
		  { ":8: <group-id>", "not a GroupID" } },
		{ "group/token@owner=192.0.2.1",
		  { ":9: <token>", "not both" } },
		{ "group/multicast@address=192.0.2.1",
		  { ":10: <multicast>", "not a multicast address" } },
		{ "group/multicast@source=::1",
		  { ":10: <multicast>", "families" } },
		{ "group/multicast@ttl=256", { ":10:", "ttl" } },
		{ "group/rekey@degree=1", { ":11:", "degree" } },
		{ "group/rekey@join-window=2", { ":11:", "join-window" } },
		{ "group/dialect/switch@name=none",
		  { ":14: <switch>", "'none' is not an element of the set" } },
		{ "group/dialect/switch@value=lead",
		  { ":14: <switch>", "'lead' is not an element of the set" } },
		{ "group/dialect/switch@value=low_be",
		  { ":14: <switch>", "no value 'low_be'" } },
		{ "group/dialect/switch[2]@name=pad",
		  { ":14: <switch>", "'pad' is set already" } },
		{ "group/keys@traffic-type=77",
		  { ":12: <keys>", "77 is no key type" } },
		{ "listen/udp@port=0", { ":6:", "port" } },
		{ "listen/udp@address=localhost", { ":6:", "address" } },
	};

	for (size_t i = 0; i < GK_COUNT(wrong); i++) {
		struct gsakmpd_server s;
		struct gkd_daemon d;
		struct gkd_why why = { "" };

		expect(&wrong[i],
		       configure_server(&s, &d, GCKS, wrong[i].set, &why),
		       &why);
		free_server(&s, &d);
	}
}

GK_TEST(daemon_gm, errors_name_line_element_and_value)
{
	static const struct wrong wrong[] = {
		{ "group/key-server@address=::1%none",
		  { ":8: <key-server>", "existing interface" } },
		{ "group/key-server@transport=sctp", { ":8:", "transport" } },
		{ "group/key-server@tcp-opener=me", { ":8:", "tcp-opener" } },
		{ "identity@raw-key=yes", { "<identity>", "not both" } },
		{ "identity@name-type=key-id",
		  { "<identity>", "has no name of type key-id" } },
		{ "group/key-server@name=nonsense",
		  { ":8: <key-server>", "not a name of type dn" } },
		{ "group/mechanisms@suite=best",
		  { ":9: <mechanisms>", "'best' is no known suite" } },
		{ "group/rekey@address=192.0.2.1",
		  { ":10: <rekey>", "not a multicast address" } },
		{ "network@address=::1",
		  { ":12: <network>", "key server's family" } },
		{ "membership@timeout=soon", { ":13:", "timeout" } },
		{ "membership@retries=0", { ":13:", "retries" } },
	};

	for (size_t i = 0; i < GK_COUNT(wrong); i++) {
		struct gsakmpd_membership m;
		struct gkd_daemon d;
		struct gkd_why why = { "" };

		expect(&wrong[i],
		       configure_member(&m, &d, GM, wrong[i].set, &why), &why);
		free_member(&m, &d);
	}
}

GK_TEST(daemon_gm, an_announcement_nobody_signed_is_refused)
{
	static const char xml[] =
		"<gsakmp-gm>\n" WHO "<announcement file='junk'/>\n</gsakmp-gm>";
	struct gsakmpd_membership m;
	struct gkd_daemon d;
	struct gkd_why why = { "" };

	assert_int_equal(configure_member(&m, &d, xml, NULL, &why),
	                 GKD_EXIT_POLICY);
	assert_non_null(strstr(why.text, ":6: <announcement>"));
	free_member(&m, &d);
}

GK_TEST(daemon_gcks, two_groups_with_one_group_id_are_refused)
{
	GK_SHOWS("RFC4534-3.1-02");
	struct gsakmpd_server s;
	struct gkd_daemon d;
	struct gkd_why why = { "" };
	static const char xml[] =
		"<gsakmp-gcks>\n" WHO
		"<listen><udp address='127.0.0.1'/></listen>\n"
		"<group name='a'>" GROUP_ID "<token file='t'/>"
		"<multicast address='239.1.2.3' port='5'/></group>\n"
		"<group name='b'>" GROUP_ID "<token file='t'/>"
		"<multicast address='239.1.2.4' port='5'/></group>\n"
		"</gsakmp-gcks>";

	assert_int_equal(configure_server(&s, &d, xml, NULL, &why),
	                 GKD_EXIT_CONFIG);
	assert_non_null(strstr(why.text, "has the GroupID of group 'a'"));
	free_server(&s, &d);
}

/* ---- messages on a stream ------------------------------------------------ */

GK_TEST(rfc4535_7_1_1, the_length_field_frames_a_stream)
{
	/* GroupID of 3 octets; Length is at 2 + 3 + 7. */
	uint8_t message[] = { 2, 3, 'a', 'b', 'c', 1,    1, 8,
		              0, 0, 0,   0,   0,   0x01, 2, 3 };
	size_t total = 77;

	for (size_t n = 0; n < sizeof(message); n++) {
		gk_assert_ok(gsakmpd_stream_need(
			NULL, (struct gk_slice){ message, n }, &total));
		assert_int_equal(total, 0);
	}
	gk_assert_ok(gsakmpd_stream_need(
		NULL, (struct gk_slice){ message, sizeof(message) }, &total));
	assert_int_equal(total, 0x010203);
	/* Shorter than the header itself: a lie. */
	memset(message + 12, 0, 3);
	message[15] = 15;
	gk_assert_err(GK_ERR_VALUE,
	              gsakmpd_stream_need(
			      NULL,
			      (struct gk_slice){ message, sizeof(message) },
			      &total));
}

/* A worker that is closed last still has answers for connections, and those are
 * the first one's, which is closed by then: they are gone, and nothing else. */
GK_TEST(daemon_gcks, an_answer_by_tcp_after_the_end_goes_nowhere)
{
	struct gsakmpd_worker workers[2] = { 0 };
	struct gsakmpd_server s = { .workers = workers, .n_workers = 2 };
	struct gsakmp_endpoint to = { .stream = true, .ip_len = 4 };

	workers[0].server = workers[1].server = &s;
	workers[0].loop = gkd_loop_new();
	assert_non_null(workers[0].loop);
	gsakmpd_worker_send(&workers[1], &to, gk_slice_str("answer"));
	to.open = true;
	gsakmpd_worker_send(&workers[1], &to, gk_slice_str("answer"));
	gkd_loop_free(workers[0].loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(daemon_gcks, a_good_configuration_is_understood),
		GK_RUN(daemon_gcks, errors_name_line_element_and_value),
		GK_RUN(daemon_gcks, two_groups_with_one_group_id_are_refused),
		GK_RUN(daemon_gcks,
		       an_answer_by_tcp_after_the_end_goes_nowhere),
		GK_RUN(daemon_gm, a_good_configuration_is_understood),
		GK_RUN(daemon_gm, errors_name_line_element_and_value),
		GK_RUN(daemon_gm, an_announcement_nobody_signed_is_refused),
		GK_RUN(rfc4535_7_1_1, the_length_field_frames_a_stream),
	};
	const char *top = getenv("top_srcdir");
	char dirs[1024];

	if (top == NULL)
		top = ".";
	snprintf(dirs, sizeof(dirs), "%s/gsakmp/daemon:%s/common/daemon", top,
	         top);
	setenv("MSEC_DATADIR", dirs, 1);
	return cmocka_run_group_tests_name("gsakmp/daemon", tests, make_files,
	                                   remove_files);
}

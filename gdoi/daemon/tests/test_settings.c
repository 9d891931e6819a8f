/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/test/gk_folder.h"
#include "common/test/gk_test.h"
#include "common/test/gk_test_pki.h"
#include "gdoi/daemon/settings.h"

static char dir[GK_FOLDER_MAX];
static const char *const files[] = { "root.pem", "me.pem",    "me.key",
	                             "push.key", "psk",       "open",
	                             "hex",      "empty.psk", "junk" };

static void
put(const char *name, struct gk_buf *octets, unsigned mode)
{
	char path[GK_FOLDER_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	gk_assert_ok(gkd_file_write(path, mode, gk_buf_slice(octets)));
	gk_buf_free(octets);
}

static void
put_text(const char *name, const char *text, unsigned mode)
{
	struct gk_buf octets = { 0 };

	gk_assert_ok(gk_buf_copy(&octets, gk_slice_str(text)));
	put(name, &octets, mode);
}

static int
make_files(void **state)
{
	const struct gk_pki_spec ca = { .subject = "/O=Lab/CN=Root" };
	struct gk_pki_party root, me;
	struct gk_buf octets = { 0 };

	(void)state;
	if (!gk_folder_make(dir))
		return -1;
	gk_pki_make(&root, &ca);
	gk_pki_make(&me, &(struct gk_pki_spec){ .subject = "/O=Lab/CN=me",
	                                        .slot = 1,
	                                        .issuer = &root,
	                                        .san = "DNS:me.example" });
	gk_pki_cert_pem(&root, &octets);
	put("root.pem", &octets, 0600);
	gk_pki_cert_pem(&me, &octets);
	put("me.pem", &octets, 0600);
	gk_pki_key_pem(&me, NULL, &octets);
	put("me.key", &octets, 0600);
	gk_pki_key_pem(&root, NULL, &octets);
	put("push.key", &octets, 0600);
	put_text("psk", "0f3c 9b22 a secret\nand not this\n", 0600);
	put_text("open", "0f3c9b22\n", 0644);
	put_text("hex", "00ff10\n", 0600);
	put_text("empty.psk", "\n", 0600);
	put_text("junk", "neither a key nor a certificate\n", 0600);
	gk_pki_free(&root);
	gk_pki_free(&me);
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

#define REST                                              \
	"<store path='store'/>\n"                         \
	"<listen><udp address='127.0.0.1'/></listen>\n"   \
	"<group name='g'><group-id number='7'/>"          \
	"<policy file='policy'/><signer key='push.key'/>" \
	"</group></gdoi-gcks>"
#define PSK_AND(more)                                                          \
	"<gdoi-gcks>\n<identity name='me.example' name-type='fqdn'/>\n"        \
	"<phase1 lifetime='2h' dpd='30s'>\n"                                   \
	"<pre-shared-key file='psk' address='192.0.2.7'/>\n"                   \
	"<pre-shared-key file='hex' hex='yes' name='*.x' name-type='fqdn'/>\n" \
	"<peer name='*.example' name-type='fqdn'/>\n"                          \
	"<dialect preset='gdoid'><switch name='pad' value='zero-len'/>\n" more \
	"</dialect></phase1>\n" REST
#define PSK PSK_AND("")
#define CERTIFIED                                                          \
	"<gdoi-gcks>\n<identity certificate='me.pem' key='me.key' "        \
	"name-type='fqdn'/>\n<trust><root file='root.pem'/></trust>\n"     \
	"<phase1 nat-traversal='no'>\n<peer name='*' name-type='fqdn'/>\n" \
	"<proposal encryption='aes256-cbc' hash='sha384' "                 \
	"authentication='ecdsa-256' group='modp3072'/>\n</phase1>\n" REST

static enum gk_err
load(const char *xml, const char *set, struct gkd_config **config,
     struct gdoid_phase1 **p, struct gkd_why *why)
{
	char name[GK_FOLDER_MAX + 32];
	enum gk_err err;

	snprintf(name, sizeof(name), "%s/c.xml", dir);
	*config = NULL;
	*p = NULL;
	err = gkd_config_parse(config, name, gk_slice_str(xml), "gdoi-gcks.xsd",
	                       &set, set != NULL, why);
	return err == GK_OK ? gdoid_phase1_load(*config, p, why) : err;
}

GK_TEST(gdoi_settings, pre_shared_keys_and_a_preset)
{
	struct gkd_config *config;
	struct gdoid_phase1 *p;
	struct gkd_why why = { "" };
	const struct ike_config *c;

	gk_assert_ok(load(PSK, NULL, &config, &p, &why));
	c = &p->ike;
	assert_string_equal(p->name, "fqdn:me.example");
	assert_int_equal(c->n_psk, 2);
	/* The first line, blanks and all. */
	assert_true(gk_slice_equal(c->psk[0].key,
	                           gk_slice_str("0f3c 9b22 a secret")));
	assert_memory_equal(c->psk[0].ip, "\xc0\x00\x02\x07", 4);
	assert_int_equal(c->psk[0].peer.kind, GK_ID_NONE);
	assert_true(gk_slice_equal(
		c->psk[1].key,
		(struct gk_slice){ (const uint8_t *)"\x00\xff\x10", 3 }));
	assert_int_equal(c->psk[1].ip_len, 0);
	assert_int_equal(c->psk[1].peer.kind, GK_ID_FQDN);
	assert_int_equal(c->n_peers, 1);
	/* Without proposals: what the means of authentication allow. */
	assert_int_equal(c->n_suites, 2);
	assert_int_equal(c->suite[0].auth, IKE_AUTH_PSK);
	assert_int_equal(c->suite[0].group, IKE_GROUP_ECP256);
	assert_int_equal(c->suite[0].life_s, 7200);
	assert_int_equal(c->dpd_s, 30);
	assert_true(c->natt && !c->aggressive && !c->legacy_ok);
	assert_int_equal(c->dialect->sak_reserved, GDOI_SAK_RESERVED_6);
	assert_int_equal(c->dialect->pad, GDOI_PAD_ZERO_LEN);
	gdoid_phase1_free(p);
	gkd_config_free(config);
}

GK_TEST(gdoi_settings, certificates_and_a_proposal)
{
	struct gkd_config *config;
	struct gdoid_phase1 *p;
	struct gkd_why why = { "" };

	gk_assert_ok(load(CERTIFIED, NULL, &config, &p, &why));
	assert_string_equal(p->name, "fqdn:me.example");
	assert_int_equal(p->ike.n_credentials, 1);
	assert_int_equal(p->ike.n_suites, 1);
	assert_int_equal(p->ike.suite[0].hash, IKE_HASH_SHA384);
	assert_int_equal(p->ike.suite[0].group, IKE_GROUP_MODP3072);
	assert_false(p->ike.natt);
	assert_non_null(p->ike.trust);
	gdoid_phase1_free(p);
	gkd_config_free(config);
}

/* "file:line: <element>: what is wrong" */
static void
refused(const char *xml, const char *set, const char *expected)
{
	struct gkd_config *config;
	struct gdoid_phase1 *p;
	struct gkd_why why = { "" };

	gk_assert_err(GK_ERR_VALUE, load(xml, set, &config, &p, &why));
	if (strstr(why.text, expected) == NULL)
		fail_msg("'%s' is not in '%s'", expected, why.text);
	gkd_config_free(config);
}

GK_TEST(gdoi_settings, errors_name_line_element_and_value)
{
	refused(PSK, "phase1/pre-shared-key@file=open",
	        "c.xml:4: <pre-shared-key>: '@file': file '");
	refused(PSK, "phase1/pre-shared-key@file=open",
	        "has mode 0644: a pre-shared key is its owner's alone");
	refused(PSK, "phase1/pre-shared-key@file=none", "No such file");
	refused(PSK, "phase1/pre-shared-key@file=empty.psk",
	        "holds a key of 0 octets");
	refused(PSK, "phase1/pre-shared-key@hex=yes",
	        "holds no hexadecimal digits");
	refused(PSK, "phase1/peer@name=..", "'..' is not a name of type fqdn");
	refused(PSK, "identity@certificate=me.pem",
	        "c.xml:2: <identity>: either a 'certificate' or a 'name' is "
	        "needed");
	refused(CERTIFIED, "identity@key=push.key",
	        "'@key' does not belong to '@certificate'");
	refused(CERTIFIED, "identity@certificate=junk", "holds no certificate");
	refused(CERTIFIED, "phase1/proposal@authentication=rsa",
	        "there is no certificate with such a key");
	refused(CERTIFIED, "phase1/proposal@authentication=psk",
	        "c.xml:6: <proposal>: '@authentication': there is no "
	        "<pre-shared-key>");
	refused(CERTIFIED, "phase1/proposal@group=modp1024",
	        "allowed with legacy=\"yes\"");
	refused(PSK, "phase1/dialect@preset=other", "c.xml:7");
	refused(PSK, "phase1/dialect/switch@value=4",
	        "switch 'pad' has no value '4'");
	refused(PSK_AND("<switch name='pad' value='tied'/>"), NULL,
	        "c.xml:8: <switch>: switch 'pad' is set already");
	refused(PSK, "phase1@lifetime=forever", "c.xml:3");
}

static enum gk_err
group_id(const char *set, struct gk_buf *body, struct gkd_why *why)
{
	const struct gdoi_dialect strict = { 0 };
	struct gkd_config *config;
	char name[GK_FOLDER_MAX + 32];
	enum gk_err err;

	snprintf(name, sizeof(name), "%s/c.xml", dir);
	gk_assert_ok(gkd_config_parse(&config, name, gk_slice_str(PSK),
	                              "gdoi-gcks.xsd", &set, set != NULL, why));
	err = gdoid_group_id_load(
		config,
		gkd_elem_child(gkd_config_root(config), "group/group-id"),
		&strict, body, why);
	gkd_config_free(config);
	return err;
}

GK_TEST(rfc6407_5_1_03, a_group_is_a_number_or_an_oid)
{
	static const uint8_t number[] = { 11, 0, 0, 0, 0, 0, 0, 7 };
	struct gkd_why why;
	struct gk_buf body;

	gk_assert_ok(group_id(NULL, &body, &why));
	assert_true(
		gk_slice_equal(gk_buf_slice(&body),
	                       (struct gk_slice){ number, sizeof(number) }));
	gk_buf_free(&body);
	gk_assert_err(GK_ERR_VALUE,
	              group_id("group/group-id@oid=1.2.840", &body, &why));
	assert_non_null(strstr(why.text, "either 'number' or 'oid'"));
	gk_assert_err(GK_ERR_VALUE,
	              group_id("group/group-id@payload=0500", &body, &why));
	assert_non_null(strstr(why.text, "'payload' belongs to an 'oid'"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(gdoi_settings, pre_shared_keys_and_a_preset),
		GK_RUN(gdoi_settings, certificates_and_a_proposal),
		GK_RUN(gdoi_settings, errors_name_line_element_and_value),
		GK_RUN(rfc6407_5_1_03, a_group_is_a_number_or_an_oid),
	};
	const char *top = getenv("top_srcdir");
	char dirs[1024];

	if (top == NULL)
		top = ".";
	snprintf(dirs, sizeof(dirs), "%s/gdoi/daemon:%s/common/daemon", top,
	         top);
	setenv("MSEC_DATADIR", dirs, 1);
	return cmocka_run_group_tests_name("gdoi/daemon", tests, make_files,
	                                   remove_files);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "common/test/gk_test.h"
#include "common/test/gk_test_pki.h"
#include "gdoi/tests/policy_xml.h"

static struct gdoi_policy *
made(const struct policy_xml *x)
{
	struct gdoi_policy *policy = NULL;
	char why[256] = "";

	if (policy_xml_new(x, false, NULL, &policy, why) != GK_OK)
		fail_msg("%s", why);
	return policy;
}

/* Refused, with a reason that has @word in it. */
static void
refused(const struct policy_xml *x, const char *word)
{
	struct gdoi_policy *policy = NULL;
	char why[256] = "";

	assert_int_equal(policy_xml_new(x, false, NULL, &policy, why),
	                 GK_ERR_POLICY);
	assert_null(policy);
	if (!strstr(why, word))
		fail_msg("'%s' is not in '%s'", word, why);
}

static struct gk_identity
ipv4(const uint8_t octets[4])
{
	return (struct gk_identity){ GK_ID_IPV4, { octets, 4 } };
}

static bool
admits(const struct gdoi_policy *policy, struct gk_identity id)
{
	const struct gdoi_peer peer = { .id = &id };

	return gdoi_policy_admits(policy, &peer);
}

/* --- the Rekey SA ------------------------------------------------------------------ */

GK_TEST(msec_policy_5, the_rekey_sa_says_what_the_policy_says)
{
	const struct policy_xml x = {
		.group = POLICY_XML_GROUP
		"<rollover activation=\"5s\" deactivation=\"10s\"/>"
		"<members max=\"19683\"/>",
		.rekey = "<push source=\"192.0.2.1\" destination=\"239.1.1.1\" "
			 "destination-port=\"8480\" resend=\"2\" "
			 "spacing-ms=\"300\" backward-secrecy=\"true\"/>"
			 "<kek algorithm=\"aes\" key-length=\"256\" "
			 "lifetime=\"1d\" lkh-degree=\"3\" margin=\"10min\" "
			 "interval=\"2h\"/><signature algorithm=\"ecdsa-256\"/>"
			 "<ack type=\"lkh-sha256\" missed=\"3\" "
			 "evict=\"true\"/>"
			 "<eviction at-once=\"true\" "
			 "hide-kek-policy=\"true\"/>",
	};
	struct gdoi_policy *p = made(&x);
	const struct gdoi_rekey_policy *r = &p->rekey;
	static const uint8_t to[] = { 239, 1, 1, 1 };

	GK_SHOWS("RFC5374-4.2.1-02", "RFC5374-4.2.1-05");
	assert_int_equal(p->id.type, ISAKMP_ID_KEY_ID);
	assert_int_equal(p->id.number, 4660);
	assert_int_equal(p->edition, -1);
	assert_true(p->has_gap && p->gap.has_atd && p->gap.has_dtd);
	assert_int_equal(p->gap.atd, 5);
	assert_int_equal(p->gap.dtd, 10);
	assert_int_equal(p->members_max, 19683);
	assert_true(r->on && r->backward && r->evict_silent);
	assert_true(r->evict_at_once && r->hide_kek);
	assert_int_equal(r->sak.management, GDOI_KEK_MANAGEMENT_LKH);
	assert_int_equal(r->lkh_degree, 3);
	assert_int_equal(r->sak.algorithm, GDOI_KEK_ALG_AES);
	assert_int_equal(r->sak.key_length, 256);
	assert_int_equal(r->sak.lifetime, 86400);
	assert_int_equal(r->sak.sig_algorithm, GDOI_SIG_ALG_ECDSA_256);
	assert_int_equal(r->sak.sig_hash, 0);
	assert_int_equal(r->sak.ack, GDOI_ACK_LKH_SHA256);
	assert_int_equal(r->sak.ep.protocol, 17);
	assert_int_equal(r->sak.ep.src.port, 848);
	assert_int_equal(r->sak.ep.dst.port, 8480);
	assert_int_equal(r->sak.ep.dst.type, ISAKMP_ID_IPV4_ADDR);
	assert_memory_equal(r->sak.ep.dst.data.ptr, to, 4);
	assert_int_equal(r->resend_count, 2);
	assert_int_equal(r->resend_spacing_ms, 300);
	assert_int_equal(r->margin_s, 600);
	assert_int_equal(r->interval_s, 7200);
	assert_int_equal(r->silent_max, 3);
	gdoi_policy_free(p);
}

GK_TEST(msec_policy_5, an_address_that_is_left_out_is_the_key_servers_own)
{
	static const uint8_t own[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	const struct policy_xml x = {
		.rekey = "<push destination=\"ff3e::1\"/>"
			 "<kek algorithm=\"aes\" key-length=\"128\" "
			 "lifetime=\"1d\"/><signature algorithm=\"rsa\" "
			 "hash=\"sha256\"/>",
	};
	struct gdoi_policy *p = made(&x);
	const struct gdoi_endpoint *src = &p->rekey.sak.ep.src;

	assert_int_equal(src->type, ISAKMP_ID_IPV6_ADDR);
	assert_int_equal(p->rekey.sak.management, 0);
	/* The other family is refused and changes nothing. */
	assert_int_equal(gdoi_policy_set_source(p, (struct gk_slice){ own, 4 }),
	                 GK_ERR_VALUE);
	assert_int_equal(src->data.ptr[0], 0);
	assert_int_equal(
		gdoi_policy_set_source(p, (struct gk_slice){ own, 16 }), GK_OK);
	assert_memory_equal(src->data.ptr, own, 16);
	gdoi_policy_free(p);
}

GK_TEST(msec_policy_5, unicast_needs_no_destination)
{
	const struct policy_xml x = {
		.rekey = "<push delivery=\"unicast\" resend=\"1\"/>"
			 "<kek algorithm=\"aes\" key-length=\"128\" "
			 "lifetime=\"1d\"/><signature algorithm=\"rsa\" "
			 "hash=\"sha256\"/>",
	};
	static const uint8_t unspecified[4];
	struct gdoi_policy *p = made(&x);

	assert_int_equal(p->rekey.sak.ep.dst.data.len, 4);
	assert_memory_equal(p->rekey.sak.ep.dst.data.ptr, unspecified, 4);
	gdoi_policy_free(p);
}

GK_TEST(msec_policy_5, a_rekey_policy_that_cannot_be_run_is_refused)
{
	struct policy_xml x = { .rekey =
		                        "<push resend=\"1\"/><kek "
		                        "algorithm=\"aes\" key-length=\"128\""
		                        " lifetime=\"1d\"/><signature "
		                        "algorithm=\"rsa\" hash=\"sha256\"/>" };

	refused(&x, "where do the messages go");
	x.rekey = "<push destination=\"192.0.2.9\"/><kek algorithm=\"aes\" "
		  "key-length=\"128\" lifetime=\"1d\"/><signature "
		  "algorithm=\"rsa\" hash=\"sha256\"/>";
	refused(&x, "multicast, to an address");
	x.rekey = "<push destination=\"239.1.1.1\"/><kek algorithm=\"3des\" "
		  "lifetime=\"1d\"/><signature algorithm=\"rsa\" "
		  "hash=\"sha256\"/>";
	refused(&x, "KEK_ALG_3DES is legacy");
	x.rekey = "<push destination=\"239.1.1.1\"/><kek algorithm=\"aes\" "
		  "key-length=\"128\" lifetime=\"1d\"/><signature "
		  "algorithm=\"rsa\" hash=\"sha1\"/>";
	refused(&x, "SIG_HASH_SHA1 is legacy");
	x.rekey = "<push destination=\"239.1.1.1\"/><kek algorithm=\"9\" "
		  "lifetime=\"1d\"/><signature algorithm=\"rsa\" "
		  "hash=\"sha256\"/>";
	refused(&x, "kek algorithm 9");
	x.rekey = "<push destination=\"239.1.1.1\"/><kek algorithm=\"aes\" "
		  "key-length=\"128\" lifetime=\"1d\"/><signature "
		  "algorithm=\"rsa\" hash=\"sha256\"/><ack "
		  "type=\"lkh-sha256\"/>";
	refused(&x, "there is no LKH");
	x.rekey = NULL;
	x.group = "<group number=\"5000000000\"/>";
	refused(&x, "not between 0 and 4294967295");
	x.group = "<group/>";
	refused(&x, "either a number or an OID");
}

GK_TEST(msec_policy_5, legacy_is_a_matter_of_configuration)
{
	const struct policy_xml x = {
		.rekey = "<push destination=\"239.1.1.1\"/><kek "
			 "algorithm=\"3des\" lifetime=\"1d\"/><signature "
			 "algorithm=\"rsa\" hash=\"sha1\" "
			 "key-length=\"1024\"/>",
		.data = "<data><ipsec><sa transform=\"3des\" "
			"authentication=\"hmac-md5\"><traffic "
			"destination=\"239.192.0.1\"/></sa></ipsec></data>",
	};
	struct gdoi_policy *p = NULL;
	char why[256] = "";

	refused(&x, "legacy");
	assert_int_equal(policy_xml_new(&x, true, NULL, &p, why), GK_OK);
	assert_int_equal(p->rekey.sak.algorithm, GDOI_KEK_ALG_3DES);
	gdoi_policy_free(p);
}

/* --- the Data-Security SAs -------------------------------------------------------------- */

GK_TEST(msec_policy_5, several_sats_each_with_its_traffic)
{
	const struct policy_xml x = {
		.group = POLICY_XML_GROUP "<sender-ids bits=\"16\"/>",
		.data = "<data><ipsec><sa transform=\"aes-gcm-16\" "
			"key-length=\"256\"><traffic protocol=\"udp\" "
			"destination=\"239.192.0.1\" "
			"destination-port=\"5000\"/><lifetime time=\"1h\" "
			"kilobytes=\"1000000\"/><options "
			"address-preservation=\"source-only\" "
			"direction=\"symmetric\"/></sa><sa protocol=\"ah\" "
			"transform=\"sha2-256\" "
			"authentication=\"hmac-sha2-256\" "
			"mode=\"transport\"><traffic source=\"2001:db8::/32\" "
			"destination=\"ff3e::2\"/></sa></ipsec></data>",
	};
	struct gdoi_policy *p = made(&x);
	const struct gdoi_sat *gcm = &p->data[0].sat, *ah = &p->data[1].sat;

	assert_false(p->rekey.on);
	assert_int_equal(p->n_data, 2);
	assert_int_equal(p->sid_bits, 16);
	assert_true(p->data[0].counter_mode);
	assert_int_equal(gcm->protocol, GDOI_PROTOCOL_ESP);
	assert_int_equal(gcm->ipsec.transform, 20);
	assert_int_equal(gcm->ipsec.key_length, 256);
	assert_int_equal(gcm->ipsec.encapsulation, 1);
	assert_int_equal(gcm->ipsec.life_s, 3600);
	assert_int_equal(gcm->ipsec.life_kb, 1000000);
	assert_int_equal(gcm->ipsec.address_preservation, 2);
	assert_int_equal(gcm->ipsec.direction, GDOI_DIRECTION_SYMMETRIC);
	assert_int_equal(gcm->ipsec.ep.protocol, 17);
	assert_int_equal(gcm->ipsec.ep.src.data.len, 0); /* any source */
	assert_int_equal(gcm->ipsec.ep.dst.port, 5000);
	assert_false(p->data[1].counter_mode);
	assert_int_equal(ah->protocol, GDOI_PROTOCOL_AH);
	assert_int_equal(ah->ipsec.transform, 5);
	assert_int_equal(ah->ipsec.authentication, 5);
	assert_int_equal(ah->ipsec.encapsulation, 2);
	assert_int_equal(ah->ipsec.ep.src.type, ISAKMP_ID_IPV6_ADDR_SUBNET);
	assert_int_equal(ah->ipsec.ep.src.data.len, 32);
	gdoi_policy_free(p);
}

/* RFC 5374 appendix A: one sender that everybody hears, or that they answer; or
 * everybody sends.  Each from any source, and from one. */
#define SA_TO(traffic, options)                              \
	"<sa transform=\"aes-cbc\" key-length=\"128\" "      \
	"authentication=\"hmac-sha2-256\"><traffic " traffic \
	"/><lifetime time=\"1h\"/><options " options "/></sa>"
#define ANY "destination=\"239.192.0.1\""
#define ONE "source=\"10.0.0.9\" destination=\"232.1.0.1\""
#define BACK "source=\"10.0.0.0/8\" destination=\"10.0.0.9\""

GK_TEST(rfc5374_a_01, each_service_model_can_be_configured)
{
	static const struct policy_xml x = {
		.data = "<data><ipsec>" SA_TO(ANY,
		                              "direction=\"receiver-only\"")
			SA_TO(ONE, "direction=\"receiver-only\"") SA_TO(
				ONE, "direction=\"sender-only\"")
				SA_TO(ONE, "direction=\"symmetric\"") SA_TO(
					BACK, "direction=\"symmetric\"")
					SA_TO(ANY,
		                              "direction=\"symmetric\"") "</ipsec></data>",
	};
	static const struct {
		uint16_t direction;
		size_t source; /* octets */
	} want[] = {
		{ 2, 0 }, { 2, 4 }, { 1, 4 }, { 3, 4 }, { 3, 8 }, { 3, 0 }
	};
	struct gdoi_policy *p = made(&x);

	GK_SHOWS("RFC5374-1.1-01", "RFC5374-A-02", "RFC5374-A.1-02",
	         "RFC5374-A.2-09", "RFC5374-A.3-01", "RFC5374-A.3-03");
	assert_int_equal(p->n_data, GK_COUNT(want));
	for (size_t i = 0; i < GK_COUNT(want); i++) {
		const struct gdoi_sat_ipsec *sa = &p->data[i].sat.ipsec;

		assert_int_equal(sa->direction, want[i].direction);
		assert_int_equal(sa->ep.src.data.len, want[i].source);
		assert_int_equal(sa->ep.dst.data.len, 4);
	}
	gdoi_policy_free(p);
}

GK_TEST(rfc5374_3_1_03, source_and_destination_are_preserved_each_by_itself)
{
	static const struct policy_xml x = {
		.data = "<data><ipsec>" SA_TO(ONE,
		                              "address-preservation=\"none\"")
			SA_TO(ONE, "address-preservation=\"source-only\"") SA_TO(
				ONE,
				"address-preservation=\"destination-only\"")
				SA_TO(ONE,
		                      "address-preservation="
		                      "\"source-and-destination\"") "</ipsec></data>",
	};
	struct gdoi_policy *p = made(&x);

	GK_SHOWS("RFC5374-4.1.2-03");
	assert_int_equal(p->n_data, 4);
	for (uint16_t i = 0; i < 4; i++)
		assert_int_equal(p->data[i].sat.ipsec.address_preservation,
		                 i + 1);
	gdoi_policy_free(p);
}

/* An SA for each: who receives has a window for each. */
GK_TEST(rfc5374_a_2_10, sixteen_senders_have_an_sa_each)
{
	char data[6000] = "<data><ipsec>";
	struct policy_xml x = { .data = data };
	struct gdoi_policy *p;

	for (int i = 0; i < 16; i++) {
		size_t at = strlen(data);

		snprintf(data + at, sizeof(data) - at,
		         "<sa transform=\"aes-cbc\" key-length=\"128\" "
		         "authentication=\"hmac-sha2-256\"><traffic "
		         "source=\"10.0.0.%d\" destination=\"232.1.0.1\"/>"
		         "<lifetime time=\"1h\"/></sa>",
		         i + 1);
	}
	strcat(data, "</ipsec></data>");
	p = made(&x);
	assert_int_equal(p->n_data, 16);
	for (uint8_t i = 0; i < 16; i++)
		assert_int_equal(p->data[i].sat.ipsec.ep.src.data.ptr[3],
		                 i + 1);
	gdoi_policy_free(p);
}

GK_TEST(msec_policy_5, a_data_sa_that_cannot_be_run_is_refused)
{
	struct policy_xml x = { .data = "" };

	refused(&x, "no data SA");
	x.data = "<data><generic><encryption key-id=\"00000001\"/></generic>"
		 "</data>";
	refused(&x, "no such data protocol");
	x.data = "<data><ipsec><sa transform=\"aes-gcm-16\" "
		 "key-length=\"128\"><traffic destination=\"239.192.0.1\"/>"
		 "</sa></ipsec></data>";
	refused(&x, "sender ids");
	x.data = "<data><ipsec><sa transform=\"aes-cbc\" key-length=\"129\" "
		 "authentication=\"hmac-sha2-256\"><traffic "
		 "destination=\"239.192.0.1\"/></sa></ipsec></data>";
	refused(&x, "Key Length");
	x.data = "<data><ipsec><sa transform=\"aes-cbc\" key-length=\"128\" "
		 "authentication=\"hmac-sha2-256\"/></ipsec></data>";
	refused(&x, "destination is missing");
	x.data = "<data><ipsec><sa transform=\"aes-cbc\" key-length=\"128\">"
		 "<traffic destination=\"239.192.0.1\"/></sa></ipsec></data>";
	refused(&x, "no authentication");
	x.data = "<data><ipsec><sa transform=\"aes-cbc\" key-length=\"128\" "
		 "authentication=\"hmac-sha2-256\"><traffic "
		 "source=\"239.1.1.1\" destination=\"239.192.0.1\"/>"
		 "</sa></ipsec></data>";
	GK_SHOWS("RFC5374-4.1.1-05");
	refused(&x, "nothing comes from a multicast address");
	/* as the token of another tool may have it: a range from its end */
	x.data = "<data><ipsec><sa transform=\"aes-cbc\" key-length=\"128\" "
		 "authentication=\"hmac-sha2-256\"><traffic "
		 "destination=\"7:ef010109ef010101\"/></sa></ipsec></data>";
	refused(&x, "bad DST Identification Data");
}

GK_TEST(msec_policy_5, the_sa_of_a_substation)
{
	static const uint8_t oid[] = {
		0x06, 0x05, 0x28, 0x83, 0xe7, 0x0f, 0x09
	};
	const struct policy_xml x = {
		.group = "<group oid=\"1.0.62351.9\" payload=\"0500\"/>",
		.data = "<data><iec-61850><sa oid=\"1.0.62351.9\" "
			"payload=\"010100\" authentication=\"none\" "
			"encryption=\"aes-gcm-128\" lifetime=\"1d\" "
			"activation=\"0s\" delivery-assurance=\"80\"/>"
			"</iec-61850></data>",
	};
	struct gdoi_policy *p = made(&x);
	const struct gdoi_sat_iec *sa = &p->data[0].sat.iec;

	assert_int_equal(p->id.type, ISAKMP_ID_OID);
	assert_int_equal(p->id.payload.len, 2);
	assert_int_equal(p->data[0].sat.protocol, GDOI_PROTOCOL_IEC_61850);
	assert_int_equal(sa->oid.ptr[0], oid[0]);
	assert_int_equal(sa->oid.len, (size_t)sa->oid.ptr[1] + 2);
	assert_true(gk_slice_equal(sa->oid, p->id.oid));
	assert_int_equal(sa->payload.len, 3);
	assert_int_equal(sa->payload.ptr[0], 1);
	assert_int_equal(sa->auth, GDOI_IEC_AUTH_NONE);
	assert_int_equal(sa->enc, GDOI_IEC_ENC_AES_GCM_128);
	assert_int_equal(sa->lifetime, 86400);
	assert_true(sa->has_atd && sa->has_kda);
	assert_int_equal(sa->kda, 80);
	/* Switch sid_for_iec61850: no sender ids unless told so. */
	assert_false(p->data[0].counter_mode);
	gdoi_policy_free(p);
}

/* Every member would refuse what it is sent. */
GK_TEST(msec_policy_5, an_oid_specific_payload_that_is_no_der_is_refused)
{
	const struct policy_xml group = {
		.group = "<group oid=\"1.0.62351.9\" payload=\"0a0b\"/>",
	};
	const struct policy_xml data = {
		.data = "<data><iec-61850><sa oid=\"1.0.62351.9\" "
			"payload=\"01\" authentication=\"none\" "
			"encryption=\"aes-gcm-128\" lifetime=\"1d\"/>"
			"</iec-61850></data>",
	};

	refused(&group, "no DER");
	refused(&data, "no DER");
}

GK_TEST(msec_policy_5, the_oid_is_written_as_the_dialect_has_it)
{
	const struct policy_xml x = { .group = "<group oid=\"1.0.62351\"/>" };
	struct gdoi_dialect dialect = {
		.oid_encoding = GDOI_OID_ENCODING_CONTENT,
	};
	struct gdoi_policy *p = NULL;
	char why[256] = "";

	assert_int_equal(policy_xml_new(&x, false, &dialect, &p, why), GK_OK);
	assert_int_equal(p->id.oid.ptr[0], 0x28);
	gdoi_policy_free(p);
}

/* --- who is admitted ---------------------------------------------------------------------- */

GK_TEST(rfc4534_b_1_2_01, a_pre_shared_key_satisfies_rules_without_authority)
{
	static const uint8_t in[] = { 192, 0, 2, 7 }, out[] = { 192, 0, 2, 8 },
			     other[] = { 198, 51, 100, 1 };
	const struct policy_xml x = {
		.access = "<rule type=\"ipv4\" ca=\"\">192.0.2.*</rule>"
			  "<rule type=\"ipv4\" ca=\"00112233\">198.51.100.1"
			  "</rule><exclusions><exclusion type=\"ipv4\" "
			  "ca=\"\">192.0.2.8</exclusion></exclusions>",
		.senders = "<entity type=\"ipv4\" ca=\"\">192.0.2.9</entity>",
	};
	struct gdoi_policy *p = made(&x);
	struct gk_identity id = ipv4(in);
	const struct gdoi_peer peer = { .id = &id };
	char why[256];

	assert_true(admits(p, ipv4(in)));
	assert_false(admits(p, ipv4(out)));
	/* That rule asks for an authority, and a shared key has none. */
	assert_false(admits(p, ipv4(other)));
	assert_false(gdoi_policy_key_server(p, &peer));
	assert_false(gdoi_policy_sender(p, &peer));
	id = ipv4(out);
	assert_false(gdoi_policy_explain(p, &peer, why));
	assert_non_null(strstr(why, "RFC4534-B.1.2-02"));
	gdoi_policy_free(p);
}

GK_TEST(rfc4534_b_1_1_02, the_key_server_is_named)
{
	const struct policy_xml x = { 0 };
	struct gdoi_policy *p = made(&x);
	struct gk_identity id = { GK_ID_FQDN,
		                  gk_slice_str("gcks.example.org") };
	const struct gdoi_peer peer = { .id = &id };

	assert_true(gdoi_policy_key_server(p, &peer));
	assert_false(gdoi_policy_admits(p, &peer));
	assert_true(gdoi_policy_sender(p, &peer));
	gdoi_policy_free(p);
}

GK_TEST(msec_policy_5, authorities_that_are_remembered_count)
{
	static const uint8_t address[] = { 192, 0, 2, 7 },
			     ca[] = { 0, 0x11, 0x22, 0x33 };
	const struct gk_slice ids[] = { { ca, sizeof(ca) } };
	const struct policy_xml x = {
		.access = "<rule type=\"ipv4\" ca=\"00112233\">192.0.2.7"
			  "</rule>",
	};
	struct gdoi_policy *p = made(&x);
	struct gk_identity id = ipv4(address);
	struct gdoi_peer peer = { .id = &id };

	assert_false(gdoi_policy_admits(p, &peer));
	peer.ca_key_ids = ids;
	peer.n_ca_key_ids = 1;
	assert_true(gdoi_policy_admits(p, &peer));
	gdoi_policy_free(p);
}

GK_TEST(msec_policy_5, phase_1_is_one_that_the_policy_lists)
{
	static const uint8_t address[] = { 192, 0, 2, 7 };
	const struct policy_xml x = {
		.phase1 = "<phase1 authentication=\"psk\" encryption=\"aes\" "
			  "key-length=\"256\" hash=\"sha256\" "
			  "group=\"modp2048\"/>",
	};
	struct gdoi_policy *p = made(&x);
	struct gk_identity id = ipv4(address);
	struct ike_suite suite = {
		.encryption = IKE_ENCRYPTION_AES_CBC,
		.key_bits = 256,
		.hash = IKE_HASH_SHA256,
		.auth = IKE_AUTH_PSK,
		.group = IKE_GROUP_MODP2048,
	};
	struct gdoi_peer peer = { .id = &id, .suite = &suite };
	char why[256];

	assert_true(gdoi_policy_admits(p, &peer));
	peer.aggressive = true;
	assert_false(gdoi_policy_admits(p, &peer));
	peer.aggressive = false;
	suite.key_bits = 128;
	assert_false(gdoi_policy_explain(p, &peer, why));
	assert_non_null(strstr(why, "phase 1"));
	gdoi_policy_free(p);
}

/* A member is judged again by later policies, which may name it by any name of the
 * certificate that it showed once. */
GK_TEST(rfc4534_b_1_2_02, who_was_remembered_is_judged_by_all_its_names)
{
	struct gk_pki_party root, alice;
	struct gk_identity id = { GK_ID_FQDN,
		                  gk_slice_str("alice.example.org") };
	const struct gk_cert *path[2];
	struct gdoi_peer peer = { .id = &id, .certs = path, .n_certs = 2 };
	struct gk_buf memory = { 0 }, bare = { 0 };
	char ca[2 * 64 + 1], in[400], out[600];
	struct gdoi_policy *p, *later;

	gk_pki_make(&root,
	            &(struct gk_pki_spec){ .subject = "/O=ACME/CN=root" });
	gk_pki_make(&alice,
	            &(struct gk_pki_spec){ .subject = "/O=ACME/CN=alice",
	                                   .issuer = &root,
	                                   .san = "DNS:alice.example.org,"
	                                          "IP:192.0.2.9" });
	path[0] = alice.cert;
	path[1] = root.cert;
	(void)gk_hex(ca, sizeof(ca), gk_cert_key_id(root.cert));
	(void)snprintf(in, sizeof(in), "<rule ca=\"%s\">CN=*,O=ACME</rule>",
	               ca);
	(void)snprintf(out, sizeof(out),
	               "%s<exclusions><exclusion type=\"ipv4\" ca=\"\">"
	               "192.0.2.9</exclusion></exclusions>",
	               in);
	p = made(&(struct policy_xml){ .access = in });
	later = made(&(struct policy_xml){ .access = out });

	/* The rule is about the subject, phase 1 named the host. */
	assert_true(gdoi_policy_admits(p, &peer));
	assert_false(gdoi_policy_admits(later, &peer));
	gk_assert_ok(gdoi_peer_remember(&peer, &memory));
	assert_true(gdoi_policy_admits_again(p, gk_buf_slice(&memory)));
	assert_false(gdoi_policy_admits_again(later, gk_buf_slice(&memory)));
	/* By a shared key under that name: another party. */
	peer.n_certs = 0;
	gk_assert_ok(gdoi_peer_remember(&peer, &bare));
	assert_false(gdoi_policy_admits_again(p, gk_buf_slice(&bare)));
	/* A memory that is cut short is none. */
	for (size_t n = 0; n < memory.len; n++)
		assert_false(gdoi_policy_admits_again(
			p, (struct gk_slice){ memory.ptr, n }));
	gdoi_policy_free(p);
	gdoi_policy_free(later);
	gk_buf_free(&memory);
	gk_buf_free(&bare);
	gk_pki_free(&alice);
	gk_pki_free(&root);
	gk_pki_keys_free();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(msec_policy_5, the_rekey_sa_says_what_the_policy_says),
		GK_RUN(msec_policy_5,
		       an_address_that_is_left_out_is_the_key_servers_own),
		GK_RUN(msec_policy_5, unicast_needs_no_destination),
		GK_RUN(msec_policy_5,
		       a_rekey_policy_that_cannot_be_run_is_refused),
		GK_RUN(msec_policy_5, legacy_is_a_matter_of_configuration),
		GK_RUN(msec_policy_5, several_sats_each_with_its_traffic),
		GK_RUN(rfc5374_a_01, each_service_model_can_be_configured),
		GK_RUN(rfc5374_3_1_03,
		       source_and_destination_are_preserved_each_by_itself),
		GK_RUN(rfc5374_a_2_10, sixteen_senders_have_an_sa_each),
		GK_RUN(msec_policy_5, a_data_sa_that_cannot_be_run_is_refused),
		GK_RUN(msec_policy_5, the_sa_of_a_substation),
		GK_RUN(msec_policy_5,
		       an_oid_specific_payload_that_is_no_der_is_refused),
		GK_RUN(msec_policy_5, the_oid_is_written_as_the_dialect_has_it),
		GK_RUN(rfc4534_b_1_2_01,
		       a_pre_shared_key_satisfies_rules_without_authority),
		GK_RUN(rfc4534_b_1_1_02, the_key_server_is_named),
		GK_RUN(msec_policy_5, authorities_that_are_remembered_count),
		GK_RUN(msec_policy_5, phase_1_is_one_that_the_policy_lists),
		GK_RUN(rfc4534_b_1_2_02,
		       who_was_remembered_is_judged_by_all_its_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/token/gpt_name.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_time.h"

static const struct {
	enum gpt_registry registry;
	int64_t value;
	const char *name;
	bool weak;
} names[] = {
	{ GPT_REGISTRY_SIGNATURE, 0, "dss-sha1", true },
	{ GPT_REGISTRY_SIGNATURE, 1, "rsa1024-md5", true },
	{ GPT_REGISTRY_SIGNATURE, 2, "ecdsa-p384-sha3", false },
	{ GPT_REGISTRY_SIGNATURE, 49153, "rsa-sha256", false },
	{ GPT_REGISTRY_SIGNATURE, 49154, "ecdsa-p256-sha256", false },
	{ GPT_REGISTRY_SIGNATURE, 49155, "ecdsa-p384-sha384", false },
	{ GPT_REGISTRY_SIGNATURE, 49156, "ed25519", false },
	{ GPT_REGISTRY_HASH, 1, "sha1", true },
	{ GPT_REGISTRY_HASH, 49153, "sha256", false },
	{ GPT_REGISTRY_HASH, 49154, "sha384", false },
	{ GPT_REGISTRY_KEX, 2, "modp1024", true },
	{ GPT_REGISTRY_KEX, 14, "modp2048", false },
	{ GPT_REGISTRY_KEX, 49153, "p256", false },
	{ GPT_REGISTRY_KEX, 49154, "x25519", false },
	{ GPT_REGISTRY_KEX, 49155, "modp2048-hkdf", false },
	{ GPT_REGISTRY_KEY, 3, "3des-cbc", true },
	{ GPT_REGISTRY_KEY, 12, "aes128-cbc", false },
	{ GPT_REGISTRY_KEY, 13, "aes-ctr", false },
	{ GPT_REGISTRY_KEY, 49153, "aes256-cbc", false },
	{ GPT_REGISTRY_KEY, 49154, "aes128-gcm", false },
	{ GPT_REGISTRY_KEY, 49155, "aes256-gcm", false },
	{ GPT_REGISTRY_BOOLEAN, 0, "false", false },
	{ GPT_REGISTRY_BOOLEAN, 1, "true", false },
	{ GPT_REGISTRY_P1_MODE, 2, "main", false },
	{ GPT_REGISTRY_P1_MODE, 4, "aggressive", false },
	{ GPT_REGISTRY_P1_AUTH, 1, "psk", false },
	{ GPT_REGISTRY_P1_AUTH, 3, "rsa", false },
	{ GPT_REGISTRY_P1_AUTH, 9, "ecdsa-256", false },
	{ GPT_REGISTRY_P1_AUTH, 10, "ecdsa-384", false },
	{ GPT_REGISTRY_P1_AUTH, 11, "ecdsa-521", false },
	{ GPT_REGISTRY_P1_CIPHER, 1, "des", true },
	{ GPT_REGISTRY_P1_CIPHER, 5, "3des", true },
	{ GPT_REGISTRY_P1_CIPHER, 7, "aes", false },
	{ GPT_REGISTRY_P1_HASH, 1, "md5", true },
	{ GPT_REGISTRY_P1_HASH, 2, "sha1", false },
	{ GPT_REGISTRY_P1_HASH, 4, "sha256", false },
	{ GPT_REGISTRY_P1_HASH, 5, "sha384", false },
	{ GPT_REGISTRY_P1_HASH, 6, "sha512", false },
	{ GPT_REGISTRY_P1_GROUP, 1, "modp768", true },
	{ GPT_REGISTRY_P1_GROUP, 2, "modp1024", true },
	{ GPT_REGISTRY_P1_GROUP, 5, "modp1536", true },
	{ GPT_REGISTRY_P1_GROUP, 14, "modp2048", false },
	{ GPT_REGISTRY_P1_GROUP, 15, "modp3072", false },
	{ GPT_REGISTRY_P1_GROUP, 16, "modp4096", false },
	{ GPT_REGISTRY_P1_GROUP, 17, "modp6144", false },
	{ GPT_REGISTRY_P1_GROUP, 18, "modp8192", false },
	{ GPT_REGISTRY_P1_GROUP, 19, "p256", false },
	{ GPT_REGISTRY_P1_GROUP, 20, "p384", false },
	{ GPT_REGISTRY_P1_GROUP, 21, "p521", false },
	{ GPT_REGISTRY_DELIVERY, 0, "multicast", false },
	{ GPT_REGISTRY_DELIVERY, 1, "unicast", false },
	{ GPT_REGISTRY_KEK_ALG, 1, "des", true },
	{ GPT_REGISTRY_KEK_ALG, 2, "3des", true },
	{ GPT_REGISTRY_KEK_ALG, 3, "aes", false },
	{ GPT_REGISTRY_SIG_ALG, 1, "rsa", false },
	{ GPT_REGISTRY_SIG_ALG, 2, "dss", true },
	{ GPT_REGISTRY_SIG_ALG, 3, "ecdss", true },
	{ GPT_REGISTRY_SIG_ALG, 4, "ecdsa-256", false },
	{ GPT_REGISTRY_SIG_ALG, 5, "ecdsa-384", false },
	{ GPT_REGISTRY_SIG_ALG, 6, "ecdsa-521", false },
	{ GPT_REGISTRY_SIG_HASH, 1, "md5", true },
	{ GPT_REGISTRY_SIG_HASH, 2, "sha1", true },
	{ GPT_REGISTRY_SIG_HASH, 3, "sha256", false },
	{ GPT_REGISTRY_SIG_HASH, 4, "sha384", false },
	{ GPT_REGISTRY_SIG_HASH, 5, "sha512", false },
	{ GPT_REGISTRY_ACK, 1, "kek-sha256", false },
	{ GPT_REGISTRY_ACK, 2, "lkh-sha256", false },
	{ GPT_REGISTRY_ACK, 3, "kek-sha512", false },
	{ GPT_REGISTRY_ACK, 4, "lkh-sha512", false },
	{ GPT_REGISTRY_SA_PROTOCOL, 1, "esp", false },
	{ GPT_REGISTRY_SA_PROTOCOL, 2, "ah", false },
	{ GPT_REGISTRY_PRESERVATION, 1, "none", false },
	{ GPT_REGISTRY_PRESERVATION, 2, "source-only", false },
	{ GPT_REGISTRY_PRESERVATION, 3, "destination-only", false },
	{ GPT_REGISTRY_PRESERVATION, 4, "source-and-destination", false },
	{ GPT_REGISTRY_DIRECTION, 1, "sender-only", false },
	{ GPT_REGISTRY_DIRECTION, 2, "receiver-only", false },
	{ GPT_REGISTRY_DIRECTION, 3, "symmetric", false },
	{ GPT_REGISTRY_ESP, 2, "des", true },
	{ GPT_REGISTRY_ESP, 3, "3des", true },
	{ GPT_REGISTRY_ESP, 11, "null", false },
	{ GPT_REGISTRY_ESP, 12, "aes-cbc", false },
	{ GPT_REGISTRY_ESP, 13, "aes-ctr", false },
	{ GPT_REGISTRY_ESP, 14, "aes-ccm-8", false },
	{ GPT_REGISTRY_ESP, 15, "aes-ccm-12", false },
	{ GPT_REGISTRY_ESP, 16, "aes-ccm-16", false },
	{ GPT_REGISTRY_ESP, 18, "aes-gcm-8", false },
	{ GPT_REGISTRY_ESP, 19, "aes-gcm-12", false },
	{ GPT_REGISTRY_ESP, 20, "aes-gcm-16", false },
	{ GPT_REGISTRY_ESP, 22, "camellia-cbc", false },
	{ GPT_REGISTRY_ESP, 23, "aes-gmac", false },
	{ GPT_REGISTRY_AH, 2, "md5", true },
	{ GPT_REGISTRY_AH, 3, "sha1", false },
	{ GPT_REGISTRY_AH, 5, "sha2-256", false },
	{ GPT_REGISTRY_AH, 6, "sha2-384", false },
	{ GPT_REGISTRY_AH, 7, "sha2-512", false },
	{ GPT_REGISTRY_AH, 9, "aes-xcbc-mac", false },
	{ GPT_REGISTRY_AH, 10, "rsa", false },
	{ GPT_REGISTRY_AH, 11, "aes-128-gmac", false },
	{ GPT_REGISTRY_AH, 12, "aes-192-gmac", false },
	{ GPT_REGISTRY_AH, 13, "aes-256-gmac", false },
	{ GPT_REGISTRY_SA_AUTH, 1, "hmac-md5", true },
	{ GPT_REGISTRY_SA_AUTH, 2, "hmac-sha1", false },
	{ GPT_REGISTRY_SA_AUTH, 3, "des-mac", true },
	{ GPT_REGISTRY_SA_AUTH, 4, "kpdk", true },
	{ GPT_REGISTRY_SA_AUTH, 5, "hmac-sha2-256", false },
	{ GPT_REGISTRY_SA_AUTH, 6, "hmac-sha2-384", false },
	{ GPT_REGISTRY_SA_AUTH, 7, "hmac-sha2-512", false },
	{ GPT_REGISTRY_SA_AUTH, 9, "aes-xcbc-mac", false },
	{ GPT_REGISTRY_SA_AUTH, 10, "sig-rsa", false },
	{ GPT_REGISTRY_SA_AUTH, 11, "aes-128-gmac", false },
	{ GPT_REGISTRY_SA_AUTH, 12, "aes-192-gmac", false },
	{ GPT_REGISTRY_SA_AUTH, 13, "aes-256-gmac", false },
	{ GPT_REGISTRY_SA_MODE, 1, "tunnel", false },
	{ GPT_REGISTRY_SA_MODE, 2, "transport", false },
	{ GPT_REGISTRY_SEQUENCE, 1, "extended", false },
	{ GPT_REGISTRY_ECN, 1, "allowed", false },
	{ GPT_REGISTRY_ECN, 2, "forbidden", false },
	{ GPT_REGISTRY_SIG_ENCODING, 1, "rsassa-pkcs1-v1-5", false },
	{ GPT_REGISTRY_SIG_ENCODING, 2, "rsassa-pss", false },
	{ GPT_REGISTRY_IP_PROTOCOL, 0, "any", false },
	{ GPT_REGISTRY_IP_PROTOCOL, 1, "icmp", false },
	{ GPT_REGISTRY_IP_PROTOCOL, 2, "igmp", false },
	{ GPT_REGISTRY_IP_PROTOCOL, 6, "tcp", false },
	{ GPT_REGISTRY_IP_PROTOCOL, 17, "udp", false },
	{ GPT_REGISTRY_IP_PROTOCOL, 47, "gre", false },
	{ GPT_REGISTRY_IP_PROTOCOL, 58, "icmpv6", false },
	{ GPT_REGISTRY_IP_PROTOCOL, 132, "sctp", false },
	{ GPT_REGISTRY_IEC_AUTH, 1, "none", false },
	{ GPT_REGISTRY_IEC_AUTH, 2, "hmac-sha256-128", false },
	{ GPT_REGISTRY_IEC_AUTH, 3, "hmac-sha256", false },
	{ GPT_REGISTRY_IEC_AUTH, 4, "aes-gmac-128", false },
	{ GPT_REGISTRY_IEC_AUTH, 5, "aes-gmac-256", false },
	{ GPT_REGISTRY_IEC_ENC, 1, "none", false },
	{ GPT_REGISTRY_IEC_ENC, 2, "aes-cbc-128", false },
	{ GPT_REGISTRY_IEC_ENC, 3, "aes-cbc-256", false },
	{ GPT_REGISTRY_IEC_ENC, 4, "aes-gcm-128", false },
	{ GPT_REGISTRY_IEC_ENC, 5, "aes-gcm-256", false },
};

const char *
gpt_name_of(enum gpt_registry registry, int64_t value)
{
	for (size_t i = 0; i < GK_COUNT(names); i++)
		if (names[i].registry == registry && names[i].value == value)
			return names[i].name;
	return NULL;
}

char *
gpt_name_text(char out[GPT_NAME_LEN], enum gpt_registry registry, int64_t value)
{
	const char *name = gpt_name_of(registry, value);

	if (name)
		(void)snprintf(out, GPT_NAME_LEN, "%s", name);
	else
		(void)snprintf(out, GPT_NAME_LEN, "%" PRId64, value);
	return out;
}

bool
gpt_name_is_weak(enum gpt_registry registry, int64_t value)
{
	for (size_t i = 0; i < GK_COUNT(names); i++)
		if (names[i].registry == registry && names[i].value == value)
			return names[i].weak;
	return false;
}

enum gk_err
gpt_number_parse(const char *text, int64_t *value)
{
	const char *digit = text + (*text == '-' ? 1 : 0);
	long long got;

	if (*digit == '\0' || digit[strspn(digit, "0123456789")] != '\0')
		return GK_ERR_VALUE;
	errno = 0;
	got = strtoll(text, NULL, 10);
	if (errno != 0)
		return GK_ERR_VALUE;
	*value = got;
	return GK_OK;
}

enum gk_err
gpt_name_value(enum gpt_registry registry, const char *text, int64_t *value)
{
	for (size_t i = 0; i < GK_COUNT(names); i++)
		if (names[i].registry == registry &&
		    strcmp(names[i].name, text) == 0) {
			*value = names[i].value;
			return GK_OK;
		}
	return gpt_number_parse(text, value);
}

/* --- dates --------------------------------------------------------------------- */

static const struct {
	const char *name;
	int64_t seconds;
} units[] = { { "d", 86400 }, { "h", 3600 }, { "min", 60 }, { "s", 1 } };

char *
gpt_date_text(char out[GPT_LIFEDATE_LEN], int64_t utc)
{
	int f[6];

	if (utc < GK_UTC_MIN)
		utc = GK_UTC_MIN;
	if (utc > GK_UTC_MAX)
		utc = GK_UTC_MAX;
	gk_utc_to_civil(utc, &f[0], &f[1], &f[2], &f[3], &f[4], &f[5]);
	(void)snprintf(out, GPT_LIFEDATE_LEN, "%04u-%02u-%02uT%02u:%02u:%02uZ",
	               (unsigned)f[0] % 10000, (unsigned)f[1] % 100,
	               (unsigned)f[2] % 100, (unsigned)f[3] % 100,
	               (unsigned)f[4] % 100, (unsigned)f[5] % 100);
	return out;
}

char *
gpt_lifedate_text(char out[GPT_LIFEDATE_LEN], struct gpt_lifedate date)
{
	char text[GPT_LIFEDATE_LEN];
	size_t i = 0;

	if (date.kind != GPT_LIFEDATE_INTERVAL) {
		(void)gpt_date_text(text, date.value);
		(void)snprintf(out, GPT_LIFEDATE_LEN, "%s%.20s",
		               date.kind == GPT_LIFEDATE_UTC ? "utc:" : "",
		               text);
		return out;
	}
	while (i < GK_COUNT(units) - 1 &&
	       (date.value == 0 || date.value % units[i].seconds != 0))
		i++;
	(void)snprintf(out, GPT_LIFEDATE_LEN, "%" PRId64 "%s",
	               date.value / units[i].seconds, units[i].name);
	return out;
}

static enum gk_err
interval_parse(const char *text, int64_t *seconds)
{
	size_t n = strspn(text, "-0123456789");
	char number[24];
	int64_t count;

	if (n >= sizeof(number))
		return GK_ERR_VALUE;
	memcpy(number, text, n);
	number[n] = '\0';
	GK_TRY(gpt_number_parse(number, &count));
	for (size_t i = 0; i < GK_COUNT(units); i++)
		if (strcmp(units[i].name, text + n) == 0)
			return __builtin_mul_overflow(count, units[i].seconds,
			                              seconds)
			               ? GK_ERR_VALUE
			               : GK_OK;
	return GK_ERR_VALUE;
}

enum gk_err
gpt_lifedate_parse(const char *text, struct gpt_lifedate *date)
{
	struct gpt_lifedate got = { .kind = GPT_LIFEDATE_GT };
	char form[] = "####-##-##T##:##:##Z", again[GPT_LIFEDATE_LEN];
	const char *p = text;
	int f[6], at = 0;

	if (strncmp(p, "utc:", 4) == 0) {
		got.kind = GPT_LIFEDATE_UTC;
		p += 4;
	} else if (!strchr(p, 'T')) {
		got.kind = GPT_LIFEDATE_INTERVAL;
		GK_TRY(interval_parse(p, &got.value));
		*date = got;
		return GK_OK;
	}
	if (strlen(p) != sizeof(form) - 1)
		return GK_ERR_VALUE;
	for (size_t i = 0; form[i]; i++)
		if (form[i] == '#' ? p[i] < '0' || p[i] > '9' : p[i] != form[i])
			return GK_ERR_VALUE;
	if (sscanf(p, "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &f[0], &f[1], &f[2], &f[3],
	           &f[4], &f[5], &at) != 6 ||
	    !gk_utc_from_civil(f[0], f[1], f[2], f[3], f[4], f[5], &got.value))
		return GK_ERR_VALUE;
	if (got.kind == GPT_LIFEDATE_UTC && (f[0] < 1950 || f[0] > 2049))
		return GK_ERR_VALUE;
	/* What does not come back as it went in was not a date. */
	if (strcmp(gpt_date_text(again, got.value), p) != 0)
		return GK_ERR_VALUE;
	*date = got;
	return GK_OK;
}

/* --- transports ---------------------------------------------------------------- */

static const char *const transports[] = {
	[GPT_TRANSPORT_TCP] = "tcp",
	[GPT_TRANSPORT_UDP] = "udp",
	[GPT_TRANSPORT_UDP_RTJ_TCP_OTHER] = "udp-rtj-tcp-other",
};

const char *
gpt_transport_name(enum gpt_transport transport)
{
	return (size_t)transport < GK_COUNT(transports) ? transports[transport]
	                                                : "unknown";
}

enum gk_err
gpt_transport_value(const char *name, enum gpt_transport *transport)
{
	for (size_t i = 0; i < GK_COUNT(transports); i++)
		if (strcmp(transports[i], name) == 0) {
			*transport = (enum gpt_transport)i;
			return GK_OK;
		}
	return GK_ERR_VALUE;
}

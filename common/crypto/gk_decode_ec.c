/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys on the NIST curves as they stand in certificates.  The provider's decoder
 * makes the curve anew for each key, arithmetic and all, which takes a fifth of
 * the time of a verification.  This one has each curve once, and for a key copies
 * it and puts the point in; that the point is on the curve, the provider checks
 * as it does the point.  Whatever is not exactly such a key is left to others.
 */
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "common/crypto/gk_decode.h"

#define POINT_MAX 133    /* P-521, uncompressed */
#define HEADER_MAX 26    /* of a SubjectPublicKeyInfo, before the point */
#define FUNCTIONS_MAX 64 /* of a key manager */

struct curve {
	const char *name;
	uint8_t header[HEADER_MAX];
	size_t header_len, point_len;
	void *key; /* the provider's, without a point */
};

#define EC_KEY_OID 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1

/* RFC 5480 section 2: a named curve, an uncompressed point. */
static struct curve curves[] = {
	{ .name = "P-256",
	  .header = { 0x30, 0x59, 0x30, 0x13, EC_KEY_OID, 6, 8, 0x2a, 0x86,
	              0x48, 0xce, 0x3d, 3, 1, 7, 3, 0x42, 0 },
	  .header_len = 26,
	  .point_len = 65 },
	{ .name = "P-384",
	  .header = { 0x30, 0x76, 0x30, 0x10, EC_KEY_OID, 6, 5, 0x2b, 0x81, 4,
	              0, 0x22, 3, 0x62, 0 },
	  .header_len = 23,
	  .point_len = 97 },
	{ .name = "P-521",
	  .header = { 0x30, 0x81, 0x9b, 0x30, 0x10, EC_KEY_OID, 6, 5, 0x2b,
	              0x81, 4, 0, 0x23, 3, 0x81, 0x86, 0 },
	  .header_len = 25,
	  .point_len = 133 },
};

/* Of the provider's key manager, and of the core. */
static void *provider;
static OSSL_FUNC_keymgmt_new_fn *key_new;
static OSSL_FUNC_keymgmt_free_fn *key_free;
static OSSL_FUNC_keymgmt_import_fn *key_import;
static OSSL_FUNC_keymgmt_dup_fn *key_dup;
static OSSL_FUNC_keymgmt_set_params_fn *key_set;
static OSSL_FUNC_BIO_read_ex_fn *bio_read;

static OSSL_DISPATCH manager[FUNCTIONS_MAX + 1];

/* ---- reading ------------------------------------------------------------ */

static const struct curve *
curve_of(const uint8_t *spki, size_t n)
{
	for (size_t i = 0; i < GK_COUNT(curves); i++) {
		const struct curve *c = &curves[i];

		if (n == c->header_len + c->point_len &&
		    memcmp(spki, c->header, c->header_len) == 0 &&
		    spki[c->header_len] == POINT_CONVERSION_UNCOMPRESSED)
			return c;
	}
	return NULL;
}

static void *
key_with(const struct curve *c, const uint8_t *point)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(
			OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
			(void *)(uintptr_t)point, c->point_len),
		OSSL_PARAM_construct_end(),
	};
	void *key = key_dup(c->key, OSSL_KEYMGMT_SELECT_ALL);

	if (key != NULL && key_set(key, params) != 1) {
		key_free(key);
		key = NULL;
	}
	return key;
}

/* Hand the key over; whoever takes it leaves NULL. */
static int
offer(void *key, OSSL_CALLBACK *take, void *arg)
{
	int type = OSSL_OBJECT_PKEY;
	char name[] = "EC";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
		OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE,
		                                 name, 0),
		OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE,
		                                  &key, sizeof(key)),
		OSSL_PARAM_construct_end(),
	};
	int ok = take(params, arg);

	if (key != NULL)
		key_free(key);
	return ok;
}

static int
decode(void *ctx, OSSL_CORE_BIO *in, int selection, OSSL_CALLBACK *take,
       void *arg, OSSL_PASSPHRASE_CALLBACK *pass, void *pass_arg)
{
	uint8_t spki[HEADER_MAX + POINT_MAX + 1];
	const struct curve *c;
	size_t n = 0, got;
	void *key;

	(void)ctx;
	(void)selection;
	(void)pass;
	(void)pass_arg;
	while (n < sizeof(spki) &&
	       bio_read(in, spki + n, sizeof(spki) - n, &got) == 1 && got != 0)
		n += got;
	c = curve_of(spki, n);
	key = c == NULL ? NULL : key_with(c, spki + c->header_len);
	/* What is nothing for this decoder may be something for another. */
	return key == NULL ? 1 : offer(key, take, arg);
}

static void *
load(const void *reference, size_t len)
{
	void *key;

	if (len != sizeof(key))
		return NULL;
	memcpy(&key, reference, sizeof(key));
	memset((void *)(uintptr_t)reference, 0, sizeof(key));
	return key;
}

static void *
newctx(void *ctx)
{
	return ctx;
}

static void
freectx(void *ctx)
{
	(void)ctx;
}

static int
does_selection(void *ctx, int selection)
{
	(void)ctx;
	return selection == 0 ||
	       (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0;
}

static const OSSL_DISPATCH decoder[] = {
	{ OSSL_FUNC_DECODER_NEWCTX, (void (*)(void))newctx },
	{ OSSL_FUNC_DECODER_FREECTX, (void (*)(void))freectx },
	{ OSSL_FUNC_DECODER_DOES_SELECTION, (void (*)(void))does_selection },
	{ OSSL_FUNC_DECODER_DECODE, (void (*)(void))decode },
	{ 0, NULL },
};

/* ---- setting up --------------------------------------------------------- */

/* copy_manager - the provider's, but for how a key of ours is taken over. */
static bool
copy_manager(const OSSL_DISPATCH *from)
{
	size_t n = 0;

	for (; from->function_id != 0 && n < FUNCTIONS_MAX; from++, n++) {
		manager[n] = *from;
		if (from->function_id == OSSL_FUNC_KEYMGMT_NEW)
			key_new = OSSL_FUNC_keymgmt_new(from);
		else if (from->function_id == OSSL_FUNC_KEYMGMT_FREE)
			key_free = OSSL_FUNC_keymgmt_free(from);
		else if (from->function_id == OSSL_FUNC_KEYMGMT_IMPORT)
			key_import = OSSL_FUNC_keymgmt_import(from);
		else if (from->function_id == OSSL_FUNC_KEYMGMT_DUP)
			key_dup = OSSL_FUNC_keymgmt_dup(from);
		else if (from->function_id == OSSL_FUNC_KEYMGMT_SET_PARAMS)
			key_set = OSSL_FUNC_keymgmt_set_params(from);
		else if (from->function_id == OSSL_FUNC_KEYMGMT_LOAD)
			manager[n].function = (void (*)(void))load;
	}
	return from->function_id == 0 && key_new != NULL && key_free != NULL &&
	       key_import != NULL && key_dup != NULL && key_set != NULL;
}

static bool
make_curve(struct curve *c)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
		                                 (char *)(uintptr_t)c->name, 0),
		OSSL_PARAM_construct_end(),
	};

	c->key = key_new(provider);
	return c->key != NULL &&
	       key_import(c->key, OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS,
	                  params) == 1;
}

void
gk_decode_ec_core(const OSSL_DISPATCH *in)
{
	for (; in->function_id != 0; in++)
		if (in->function_id == OSSL_FUNC_BIO_READ_EX)
			bio_read = OSSL_FUNC_BIO_read_ex(in);
}

bool
gk_decode_ec(void *provider_ctx, OSSL_ALGORITHM *decoders,
             OSSL_ALGORITHM *managers)
{
	provider = provider_ctx;
	if (!copy_manager(managers->implementation))
		return false;
	for (size_t i = 0; i < GK_COUNT(curves); i++)
		if (!make_curve(&curves[i]))
			return false;
	decoders->implementation = decoder;
	managers->implementation = manager;
	return true;
}

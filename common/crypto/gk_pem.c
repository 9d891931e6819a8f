/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/crypto/gk_pem.h"

#include <limits.h>
#include <string.h>

#include <openssl/pem.h>

#include "common/crypto/gk_ossl.h"

static enum gk_err
next_block(BIO *bio, const char *label, struct gk_buf *der)
{
	char *name = NULL, *header = NULL;
	enum gk_err err = GK_OK;
	uint8_t *data = NULL;
	long n = 0;

	while (err == GK_OK && der->len == 0 &&
	       PEM_read_bio(bio, &name, &header, &data, &n) == 1) {
		if (strcmp(name, label) == 0)
			err = gk_buf_copy(der,
			                  (struct gk_slice){ data, (size_t)n });
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(data, (size_t)n);
	}
	return err;
}

enum gk_err
gk_pem_next(struct gk_slice in, const char *label, size_t *at,
            struct gk_buf *der)
{
	enum gk_err err;
	BIO *bio;

	*der = (struct gk_buf){ 0 };
	if (*at >= in.len || in.len > INT_MAX)
		return GK_OK;
	if (*at == 0 && in.ptr[0] == 0x30) {
		*at = in.len;
		return gk_buf_copy(der, in);
	}
	bio = BIO_new_mem_buf(in.ptr + *at, (int)(in.len - *at));
	if (bio == NULL)
		return gk_ossl_fail(GK_ERR_NOMEM);
	err = next_block(bio, label, der);
	*at = in.len - (size_t)BIO_ctrl_pending(bio);
	BIO_free(bio);
	return gk_ossl_fail(err);
}

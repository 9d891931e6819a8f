/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/daemon/gkd_log.h"
#include "gdoi/daemon/settings.h"
#include "gdoi/phase1/psk.h"

/* A key that others can read is nobody's secret. */
static enum gk_err
check_mode(const struct gkd_config *config, const struct gkd_elem *elem,
           const char *file, struct gkd_why *why)
{
	struct stat st;

	if (stat(file, &st) != 0)
		return gkd_config_fail(config, elem, why,
		                       "'@file': file '%s': %s", file,
		                       strerror(errno));
	if ((st.st_mode & 077) != 0)
		return gkd_config_fail(config, elem, why,
		                       "'@file': file '%s' has mode %04o: a "
		                       "pre-shared key is its owner's alone "
		                       "(chmod 600)",
		                       file, (unsigned)(st.st_mode & 07777));
	return GK_OK;
}

/* The first line; or all of it as hexadecimal digits. */
static enum gk_err
read_key(struct gkd_config *config, const struct gkd_elem *elem,
         struct gk_buf *key, struct gkd_why *why)
{
	const char *file = gkd_elem_path(config, elem, "@file");
	struct gk_buf octets = { 0 }, text = { 0 };
	enum gk_err err;
	size_t n = 0;
	bool hex;

	if (file == NULL)
		return GK_ERR_NOMEM;
	GK_TRY(check_mode(config, elem, file, why));
	GK_TRY(gkd_elem_bool(config, elem, "@hex", false, &hex, why));
	GK_TRY(gkd_elem_file(config, elem, "@file", 2 * GDOID_PSK_MAX + 2,
	                     &octets, why));
	while (n < octets.len && octets.ptr[n] != '\n' && octets.ptr[n] != '\r')
		n++;
	err = gk_buf_alloc(&text, n + 1);
	if (err == GK_OK && n > 0)
		memcpy(text.ptr, octets.ptr, n);
	gk_buf_free(&octets);
	GK_TRY(err);
	text.ptr[n] = '\0';
	if (hex)
		err = gk_unhex(key, (const char *)text.ptr);
	else
		err = gk_buf_copy(key, (struct gk_slice){ text.ptr, n });
	gk_buf_free(&text);
	if (err == GK_ERR_VALUE)
		return gkd_config_fail(config, elem, why,
		                       "'@file': file '%s' holds no "
		                       "hexadecimal digits",
		                       file);
	GK_TRY(err);
	if (key->len == 0 || key->len > GDOID_PSK_MAX)
		return gkd_config_fail(config, elem, why,
		                       "'@file': file '%s' holds a key of %zu "
		                       "octets: 1 to %d are wanted",
		                       file, key->len, GDOID_PSK_MAX);
	return GK_OK;
}

static enum gk_err
load_one(struct gkd_config *config, const struct gkd_elem *elem,
         struct gdoid_psk *psk, struct ike_psk *view, struct gkd_why *why)
{
	struct gkd_addr addr;
	struct gk_slice octets;

	psk->file = gkd_elem_path(config, elem, "@file");
	if (!gkd_elem_has(elem, "@address") && !gkd_elem_has(elem, "@name"))
		return gkd_config_fail(config, elem, why,
		                       "whose key is it? 'address', 'name' or "
		                       "both are needed");
	if (gkd_elem_has(elem, "@address")) {
		GK_TRY(gkd_elem_addr(config, elem, "@address", 0, &addr, why));
		octets = gkd_addr_octets(&addr);
		memcpy(view->ip, octets.ptr, octets.len);
		view->ip_len = (uint8_t)octets.len;
	}
	if (gkd_elem_has(elem, "@name")) {
		GK_TRY(gkd_identity_load(config, elem, &psk->peer, &view->peer,
		                         why));
		if (gk_identity_check_pattern(view->peer) != GK_OK)
			return gkd_config_fail(config, elem, why,
			                       "'@name' is no name and no "
			                       "pattern of one");
	}
	GK_TRY(read_key(config, elem, &psk->key, why));
	view->key = gk_buf_slice(&psk->key);
	return GK_OK;
}

/* Main Mode goes by the address alone (RFC 2409 section 5.4), and takes the
 * first key that fits: one behind it is nobody's. */
static enum gk_err
check_found(const struct gkd_config *config, const struct gkd_elem *elem,
            const struct gdoid_phase1 *p, size_t last, struct gkd_why *why)
{
	const struct ike_psk *b = &p->psk_view[last];

	for (size_t i = 0; i < last && !p->ike.aggressive; i++) {
		const struct ike_psk *a = &p->psk_view[i];

		if (a->ip_len == 0 || (a->ip_len == b->ip_len &&
		                       memcmp(a->ip, b->ip, a->ip_len) == 0))
			return gkd_config_fail(
				config, elem, why,
				"is never used: Main Mode knows a peer by its "
				"address alone, and the one with file '%s', "
				"which stands before it, fits the same "
				"addresses; give each its own 'address'",
				p->psk[i].file);
	}
	return GK_OK;
}

enum gk_err
gdoid_psk_load(struct gkd_config *config, struct gdoid_phase1 *p,
               struct gkd_why *why)
{
	const struct gkd_elem *first = gkd_elem_child(gkd_config_root(config),
	                                              "phase1/pre-shared-key");
	size_t n = 0;

	for (const struct gkd_elem *e = first; e != NULL; e = gkd_elem_next(e))
		n++;
	if (n == 0)
		return GK_OK;
	p->psk = calloc(n, sizeof(*p->psk));
	p->psk_view = calloc(n, sizeof(*p->psk_view));
	if (p->psk == NULL || p->psk_view == NULL)
		return GK_ERR_NOMEM;
	for (const struct gkd_elem *e = first; e != NULL;
	     e = gkd_elem_next(e)) {
		size_t i = p->n_psk++;

		GK_TRY(load_one(config, e, &p->psk[i], &p->psk_view[i], why));
		GK_TRY(check_found(config, e, p, i, why));
	}
	p->ike.psk = p->psk_view;
	p->ike.n_psk = p->n_psk;
	return GK_OK;
}

void
gdoid_phase1_warn(const struct gdoid_phase1 *phase1)
{
	for (size_t i = 0; i < phase1->n_psk; i++) {
		unsigned bits;
		enum ike_psk_fault fault =
			ike_psk_judge(gk_buf_slice(&phase1->psk[i].key), &bits);

		if (fault != IKE_PSK_OK)
			gkd_log(LOG_WARNING, "key",
			        "pre-shared key '%s' can be guessed: %s (at "
			        "most %u bits)",
			        phase1->psk[i].file, ike_psk_fault_text(fault),
			        bits);
	}
	if (phase1->ike.aggressive && phase1->n_psk != 0)
		gkd_log(LOG_WARNING, "key",
		        "Aggressive Mode is on: whoever listens can try "
		        "pre-shared keys off line, and reads our name");
	for (size_t i = 0; i < phase1->ike.n_suites; i++)
		if (ike_suite_is_legacy(&phase1->ike.suite[i]))
			gkd_log(LOG_WARNING, "key",
			        "proposal %zu protects nothing any more "
			        "(legacy)",
			        i + 1);
}

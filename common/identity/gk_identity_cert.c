/* SPDX-License-Identifier: BSD-2-Clause */
/* What a certificate says about who its subject is - RFC 4535 Table 19. */
#include <string.h>

#include "common/identity/gk_identity_impl.h"

/* san_kind - which subjectAltName holds identities of a kind. */
static bool
is_entry(enum gk_id_kind kind, const struct gk_san *san)
{
	switch (kind) {
	case GK_ID_FQDN:
		return san->kind == GK_SAN_DNS;
	case GK_ID_RFC822:
		return san->kind == GK_SAN_RFC822;
	case GK_ID_IPV4:
		return san->kind == GK_SAN_IP && san->value.len == 4;
	case GK_ID_IPV6:
		return san->kind == GK_SAN_IP && san->value.len == 16;
	default:
		return false;
	}
}

/* u_name_of - serial number and slash name of the subject. */
static enum gk_err
u_name_of(const struct gk_cert *cert, struct gk_buf *out)
{
	struct gk_slice serial = gk_cert_serial(cert);
	struct gk_buf name;
	struct gk_dn *dn;
	struct gk_wr wr;
	enum gk_err err;

	if (serial.len == 0 || serial.len > GK_U_NAME_SERIAL_LEN)
		return GK_ERR_VALUE;
	GK_TRY(gk_dn_from_der(gk_cert_subject(cert), &dn));
	err = gk_dn_to_slash(dn, &name);
	gk_dn_free(dn);
	GK_TRY(err);
	err = gk_buf_alloc(out, GK_U_NAME_SERIAL_LEN + 4 + name.len);
	if (err == GK_OK) {
		gk_wr_init(&wr, out->ptr, out->len);
		for (size_t i = serial.len; i < GK_U_NAME_SERIAL_LEN; i++)
			gk_wr_u8(&wr, 0);
		gk_wr_bytes(&wr, serial);
		gk_wr_u32(&wr, (uint32_t)name.len);
		gk_wr_bytes(&wr, gk_buf_slice(&name));
		err = gk_wr_done(&wr);
	}
	gk_buf_free(&name);
	return err;
}

static enum gk_err
dn_string_of(const struct gk_cert *cert, enum gk_dn_compare how,
             struct gk_buf *out)
{
	enum gk_dn_style style =
		how == GK_DN_COMPARE_FORWARD ? GK_DN_FORWARD : GK_DN_RFC4514;
	struct gk_dn *dn;
	enum gk_err err;

	GK_TRY(gk_dn_from_der(gk_cert_subject(cert), &dn));
	err = gk_dn_rdns(dn) == 0 ? GK_ERR_VALUE
	                          : gk_dn_to_string(dn, style, out);
	gk_dn_free(dn);
	return err;
}

/* nth - identity number @i of a kind, GK_ERR_VALUE past the last. */
static enum gk_err
nth(const struct gk_cert *cert, enum gk_id_kind kind, enum gk_dn_compare how,
    size_t i, struct gk_buf *out)
{
	struct gk_san san;

	*out = (struct gk_buf){ 0 };
	if (kind == GK_ID_DN_STRING || kind == GK_ID_DER_DN ||
	    kind == GK_ID_U_NAME) {
		if (i > 0)
			return GK_ERR_VALUE;
		if (kind == GK_ID_DN_STRING)
			return dn_string_of(cert, how, out);
		if (kind == GK_ID_U_NAME)
			return u_name_of(cert, out);
		return gk_buf_copy(out, gk_cert_subject(cert));
	}
	for (size_t k = 0; gk_cert_san(cert, k, &san); k++)
		if (is_entry(kind, &san) && i-- == 0)
			return gk_buf_copy(out, san.value);
	return GK_ERR_VALUE;
}

enum gk_err
gk_identity_of_cert(const struct gk_cert *cert, enum gk_id_kind kind,
                    enum gk_dn_compare how, struct gk_buf *octets,
                    struct gk_identity *id)
{
	*id = (struct gk_identity){ .kind = GK_ID_NONE };
	/* An entry that is ill-formed (a wildcard, a name with a zero octet)
	 * binds nothing, so it is passed over. */
	for (size_t i = 0;; i++) {
		GK_TRY(nth(cert, kind, how, i, octets));
		*id = (struct gk_identity){ kind, gk_buf_slice(octets) };
		if (gk_identity_check(*id) == GK_OK)
			return GK_OK;
		gk_buf_free(octets);
		*id = (struct gk_identity){ .kind = GK_ID_NONE };
	}
}

/* Can all of it be found by names alone? */
static enum gk_err
check_subject(const struct gk_cert *cert, enum gk_dn_compare how)
{
	struct gk_buf octets;
	enum gk_err err;
	struct gk_dn *dn;

	/* Octets of text against a name with a wildcard are parsed. */
	if (how == GK_DN_COMPARE_OCTETS)
		return GK_ERR_VALUE;
	GK_TRY(gk_dn_from_der(gk_cert_subject(cert), &dn));
	err = gk_dn_rdns(dn) == 0 ? GK_OK
	                          : gk_dn_to_string(dn, GK_DN_RFC4514, &octets);
	if (err == GK_OK && gk_dn_rdns(dn) != 0)
		gk_buf_free(&octets);
	gk_dn_free(dn);
	return err;
}

enum gk_err
gk_identity_each_of_cert(const struct gk_cert *cert, enum gk_dn_compare how,
                         bool (*each)(void *ctx, struct gk_identity id),
                         void *ctx)
{
	static const enum gk_id_kind kinds[] = {
		GK_ID_DN_STRING, GK_ID_DER_DN, GK_ID_U_NAME, GK_ID_FQDN,
		GK_ID_RFC822,    GK_ID_IPV4,   GK_ID_IPV6,
	};
	bool more = true;

	GK_TRY(check_subject(cert, how));
	for (size_t k = 0; k < GK_COUNT(kinds) && more; k++)
		for (size_t i = 0; more; i++) {
			struct gk_buf octets;
			enum gk_err err = nth(cert, kinds[k], how, i, &octets);

			if (err == GK_ERR_NOMEM)
				return err;
			if (err != GK_OK)
				break;
			more = each(ctx,
			            (struct gk_identity){
					    kinds[k], gk_buf_slice(&octets) });
			gk_buf_free(&octets);
		}
	return GK_OK;
}

/* subject_equal - the subject against a DN_STRING or the name in a U_NAME, both
 * parsed, so that what cannot be written as text compares too. */
static bool
subject_matches(struct gk_identity id, const struct gk_cert *cert,
                enum gk_dn_compare how, bool wild)
{
	struct gk_dn *name = NULL, *subject = NULL;
	bool ok;

	ok = gk_id_parse_dn(id, how, wild, &name) == GK_OK &&
	     gk_dn_from_der(gk_cert_subject(cert), &subject) == GK_OK &&
	     gk_dn_rdns(name) != 0 && gk_dn_match(name, subject);
	gk_dn_free(name);
	gk_dn_free(subject);
	return ok;
}

static bool
serial_matches(struct gk_identity id, const struct gk_cert *cert, bool wild)
{
	struct gk_slice serial, name;

	if (!gk_id_split_u_name(id.octets, &serial, &name))
		return false;
	if (wild && gk_id_any_serial(serial))
		return true;
	serial = gk_id_trim_serial(serial);
	return serial.len != 0 && gk_slice_equal(serial, gk_cert_serial(cert));
}

/* any_matches - one of the identities that the certificate binds. */
static bool
any_matches(struct gk_identity id, const struct gk_cert *cert,
            enum gk_dn_compare how, bool wild)
{
	bool found = false;

	for (size_t i = 0; !found; i++) {
		struct gk_identity bound = { .kind = id.kind };
		struct gk_buf octets;

		if (nth(cert, id.kind, how, i, &octets) != GK_OK)
			break;
		bound.octets = gk_buf_slice(&octets);
		found = wild ? gk_identity_match(id, bound, how)
		             : gk_identity_equal(id, bound, how);
		gk_buf_free(&octets);
	}
	return found;
}

bool
gk_identity_binds(struct gk_identity id, const struct gk_cert *cert,
                  enum gk_dn_compare how)
{
	if (gk_identity_check(id) != GK_OK)
		return false;
	if (id.kind == GK_ID_DN_STRING && how != GK_DN_COMPARE_OCTETS)
		return subject_matches(id, cert, how, false);
	if (id.kind == GK_ID_U_NAME)
		return serial_matches(id, cert, false) &&
		       subject_matches(id, cert, how, false);
	return any_matches(id, cert, how, false);
}

bool
gk_identity_match_cert(struct gk_identity pattern, const struct gk_cert *cert,
                       enum gk_dn_compare how)
{
	if (gk_identity_check_pattern(pattern) != GK_OK)
		return false;
	if (gk_id_is_star(pattern))
		return any_matches(pattern, cert, how, true);
	if (pattern.kind == GK_ID_DN_STRING &&
	    (how != GK_DN_COMPARE_OCTETS || gk_identity_has_wildcard(pattern)))
		return subject_matches(pattern, cert, how, true);
	if (pattern.kind == GK_ID_U_NAME)
		return serial_matches(pattern, cert, true) &&
		       subject_matches(pattern, cert, how, true);
	return any_matches(pattern, cert, how, true);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/identity/gk_patterns.h"

#include <stdlib.h>
#include <string.h>

#include "common/identity/gk_dn_impl.h"
#include "common/identity/gk_identity_impl.h"
#include "common/wire/gk_rd.h"

/*
 * A key is what is equal when two identities are: the kind, then
 *
 *   names     for a U_NAME its serial number, and for each RDN the number of its
 *             attributes, and of each the type, whether it is text, and the
 *             folded text or the DER
 *   others    the octets, in small letters where those are equal
 *
 * A pattern with wildcards in a name has a key, too, with GK_DN_WILD in it.
 */
enum how { EXACT, GLOB, ASK };

struct pattern {
	enum how how;
	struct gk_identity id; /* ASK */
	struct gk_buf key;     /* EXACT, GLOB */
	size_t number;
};

struct gk_patterns {
	enum gk_dn_compare how;
	size_t n;
	/* By key and then number; by number. */
	struct pattern *exact, *other;
	size_t n_exact, n_other, cap_exact, cap_other;
};

/* ---- keys --------------------------------------------------------------- */

static enum gk_err
add_dn(struct gk_wr *wr, const struct gk_dn *dn)
{
	for (size_t r = 0; r < dn->n_rdn; r++) {
		gk_wr_u8(wr, (uint8_t)(dn->rdn[r + 1] - dn->rdn[r]));
		for (size_t i = dn->rdn[r]; i < dn->rdn[r + 1]; i++) {
			const struct gk_dn_ava *a = &dn->ava[i];

			gk_wr_vec16(wr,
			            (struct gk_slice){ a->oid, a->oid_len });
			gk_wr_u8(wr, a->is_text);
			gk_wr_vec16(wr, gk_buf_slice(a->is_text ? &a->canon
			                                        : &a->der));
		}
	}
	return gk_wr_done(wr);
}

static size_t
dn_room(const struct gk_dn *dn)
{
	size_t room = dn->n_rdn;

	for (size_t i = 0; i < dn->n_ava; i++)
		room += 5 + dn->ava[i].oid_len + dn->ava[i].canon.len +
		        dn->ava[i].der.len;
	return room;
}

static enum gk_err
key_of_dn(struct gk_identity id, const struct gk_dn *dn, struct gk_buf *key)
{
	struct gk_slice serial = { 0 }, name;
	struct gk_buf room = { 0 };
	struct gk_wr wr;
	enum gk_err err;

	if (id.kind == GK_ID_U_NAME &&
	    !gk_id_split_u_name(id.octets, &serial, &name))
		return GK_ERR_VALUE;
	GK_TRY(gk_buf_alloc(&room, 1 + serial.len + dn_room(dn)));
	gk_wr_init(&wr, room.ptr, room.len);
	gk_wr_u8(&wr, (uint8_t)id.kind);
	gk_wr_bytes(&wr, serial);
	err = add_dn(&wr, dn);
	if (err == GK_OK)
		err = gk_buf_copy(key, (struct gk_slice){ room.ptr, wr.len });
	gk_buf_free(&room);
	return err;
}

/* @from: from where on letters are small ones. */
static enum gk_err
key_of_octets(struct gk_identity id, size_t from, struct gk_buf *key)
{
	GK_TRY(gk_buf_alloc(key, 1 + id.octets.len));
	key->ptr[0] = (uint8_t)id.kind;
	for (size_t i = 0; i < id.octets.len; i++) {
		uint8_t c = id.octets.ptr[i];

		key->ptr[1 + i] =
			(uint8_t)(i >= from && c >= 'A' && c <= 'Z' ? c | 0x20
		                                                    : c);
	}
	return GK_OK;
}

static bool
has_name(struct gk_identity id, enum gk_dn_compare how)
{
	return id.kind == GK_ID_U_NAME ||
	       (id.kind == GK_ID_DN_STRING && how != GK_DN_COMPARE_OCTETS);
}

/* Of what has no wildcard, and is well-formed. */
static enum gk_err
key_of(struct gk_identity id, enum gk_dn_compare how, struct gk_buf *key)
{
	struct gk_slice local, domain;
	struct gk_dn *dn = NULL;
	size_t from = SIZE_MAX;
	enum gk_err err;

	if (has_name(id, how)) {
		err = gk_id_parse_dn(id, how, false, &dn);
		if (err == GK_OK)
			err = key_of_dn(id, dn, key);
		gk_dn_free(dn);
		return err;
	}
	if (id.kind == GK_ID_FQDN)
		from = 0;
	if (id.kind == GK_ID_RFC822 &&
	    gk_id_split_mail(id.octets, &local, &domain))
		from = local.len;
	return key_of_octets(id, from, key);
}

/* ---- matching ------------------------------------------------------------ */

static int
compare_keys(struct gk_slice a, struct gk_slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int d = n != 0 ? memcmp(a.ptr, b.ptr, n) : 0;

	return d != 0 ? d : (a.len > b.len) - (a.len < b.len);
}

static int
by_key(const void *one, const void *other)
{
	const struct pattern *a = one, *b = other;
	int d = compare_keys(gk_buf_slice(&a->key), gk_buf_slice(&b->key));

	return d != 0 ? d : (a->number > b->number) - (a->number < b->number);
}

static bool
ava_glob(struct gk_rd *p, struct gk_rd *s)
{
	bool p_text, s_text, same;
	struct gk_slice a, b;

	same = gk_slice_equal(gk_rd_vec16(p, "type"), gk_rd_vec16(s, "type"));
	p_text = gk_rd_u8(p, "text") != 0;
	s_text = gk_rd_u8(s, "text") != 0;
	a = gk_rd_vec16(p, "value");
	b = gk_rd_vec16(s, "value");
	if (!same || p_text != s_text)
		return false;
	return p_text ? gk_glob(a, b, GK_DN_WILD) : gk_slice_equal(a, b);
}

/* Two keys of the same kind, the first of a pattern. */
static bool
key_glob(struct gk_slice pattern, struct gk_slice name)
{
	struct gk_slice any = { 0 };
	struct gk_rd p, s;

	gk_rd_init(&p, pattern.ptr, pattern.len);
	gk_rd_init(&s, name.ptr, name.len);
	if (gk_rd_u8(&p, "kind") != gk_rd_u8(&s, "kind"))
		return false;
	if (pattern.ptr[0] == GK_ID_U_NAME) {
		any = gk_rd_bytes(&p, GK_U_NAME_SERIAL_LEN, "serial");
		if (!gk_slice_equal(any, gk_rd_bytes(&s, GK_U_NAME_SERIAL_LEN,
		                                     "serial")) &&
		    !gk_id_any_serial(any))
			return false;
	}
	while (gk_rd_left(&p) != 0 && gk_rd_left(&s) != 0) {
		unsigned n = gk_rd_u8(&p, "attributes");

		if (gk_rd_u8(&s, "attributes") != n)
			return false;
		while (n-- > 0)
			if (!ava_glob(&p, &s))
				return false;
	}
	return gk_rd_left(&p) == 0 && gk_rd_left(&s) == 0;
}

static bool
matches(const struct gk_patterns *l, const struct pattern *p,
        const struct gk_patterns_name *name)
{
	if (p->how == GLOB)
		return key_glob(gk_buf_slice(&p->key),
		                gk_buf_slice(&name->key));
	return gk_identity_match(p->id, name->id, l->how);
}

/* The first place at which @key is, with a number of at least @from. */
static size_t
find_exact(const struct gk_patterns *l, struct gk_slice key, size_t from)
{
	size_t lo = 0, hi = l->n_exact;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct pattern *p = &l->exact[mid];
		int d = compare_keys(gk_buf_slice(&p->key), key);

		if (d < 0 || (d == 0 && p->number < from))
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == l->n_exact ||
	    compare_keys(gk_buf_slice(&l->exact[lo].key), key) != 0)
		return GK_PATTERNS_NONE;
	return l->exact[lo].number;
}

size_t
gk_patterns_next(const struct gk_patterns *l,
                 const struct gk_patterns_name *name, size_t from)
{
	size_t best, lo = 0, hi = l->n_other;

	if (name->key.len == 0)
		return GK_PATTERNS_NONE;
	best = find_exact(l, gk_buf_slice(&name->key), from);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->other[mid].number < from)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < l->n_other && l->other[lo].number < best; lo++)
		if (matches(l, &l->other[lo], name))
			return l->other[lo].number;
	return best;
}

/* ---- lists ---------------------------------------------------------------- */

enum gk_err
gk_patterns_new(enum gk_dn_compare how, struct gk_patterns **out)
{
	*out = calloc(1, sizeof(**out));
	if (*out == NULL)
		return GK_ERR_NOMEM;
	(*out)->how = how;
	return GK_OK;
}

static enum gk_err
put(struct pattern **list, size_t *n, size_t *cap, struct pattern *p)
{
	if (*n == *cap) {
		size_t more = *cap == 0 ? 8 : *cap * 2;
		struct pattern *grown =
			reallocarray(*list, more, sizeof(*grown));

		if (grown == NULL)
			return GK_ERR_NOMEM;
		*list = grown;
		*cap = more;
	}
	(*list)[(*n)++] = *p;
	return GK_OK;
}

/* Names with wildcards are compared as keys; what a list says of itself with '*'
 * alone, addresses and domains are asked as they are: that reads no name. */
static enum gk_err
compile(const struct gk_patterns *l, struct pattern *p)
{
	bool dn = has_name(p->id, l->how) || p->id.kind == GK_ID_DER_DN ||
	          p->id.kind == GK_ID_DN_STRING;
	struct gk_dn *name = NULL;
	enum gk_err err;

	if (!gk_identity_has_wildcard(p->id)) {
		p->how = EXACT;
		return key_of(p->id, l->how, &p->key);
	}
	p->how = ASK;
	/* Otherwise its key is no name, and what it is asked is. */
	if (gk_id_is_star(p->id) || !dn || !has_name(p->id, l->how))
		return GK_OK;
	p->how = GLOB;
	err = gk_id_parse_dn(p->id, l->how, true, &name);
	if (err == GK_OK)
		err = key_of_dn(p->id, name, &p->key);
	gk_dn_free(name);
	return err;
}

enum gk_err
gk_patterns_add(struct gk_patterns *l, struct gk_identity pattern)
{
	struct pattern p = { .id = pattern, .number = l->n };
	enum gk_err err;

	l->n++;
	if (gk_identity_check_pattern(pattern) != GK_OK)
		return GK_OK;
	err = compile(l, &p);
	if (err == GK_OK)
		err = p.how == EXACT
		              ? put(&l->exact, &l->n_exact, &l->cap_exact, &p)
		              : put(&l->other, &l->n_other, &l->cap_other, &p);
	if (err != GK_OK)
		gk_buf_free(&p.key);
	return err;
}

void
gk_patterns_done(struct gk_patterns *l)
{
	if (l->n_exact > 1)
		qsort(l->exact, l->n_exact, sizeof(*l->exact), by_key);
}

void
gk_patterns_free(struct gk_patterns *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->n_exact; i++)
		gk_buf_free(&l->exact[i].key);
	for (size_t i = 0; i < l->n_other; i++)
		gk_buf_free(&l->other[i].key);
	free(l->exact);
	free(l->other);
	free(l);
}

/* key_of_name - of a DN as a string.  gk_identity_check() would read it once more: an
 * ill-formed one, or one of no RDN, has no key. */
static enum gk_err
key_of_name(struct gk_identity id, struct gk_buf *key)
{
	struct gk_dn *dn = NULL;
	enum gk_err err;

	err = gk_id_parse_dn(id, GK_DN_COMPARE_RFC4514, false, &dn);
	if (err != GK_OK)
		return err == GK_ERR_VALUE ? GK_OK : err;
	if (gk_dn_rdns(dn) != 0)
		err = key_of_dn(id, dn, key);
	gk_dn_free(dn);
	return err;
}

enum gk_err
gk_patterns_name(const struct gk_patterns *l, struct gk_identity id,
                 struct gk_patterns_name *name)
{
	name->id = id;
	gk_buf_free(&name->key);
	if (id.kind == GK_ID_DN_STRING && l->how == GK_DN_COMPARE_RFC4514)
		return key_of_name(id, &name->key);
	if (gk_identity_check(id) != GK_OK)
		return GK_OK;
	return key_of(id, l->how, &name->key);
}

void
gk_patterns_name_free(struct gk_patterns_name *name)
{
	gk_buf_free(&name->key);
}

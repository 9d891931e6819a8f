/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/crypto/gk_proof.h"

#include <pthread.h>
#include <string.h>

/*
 * Each room is a number of small sets; a fact's own first octets say which one it
 * belongs to, and within a set the oldest goes.  A place that was never used is
 * all zero octets, which no kind is.
 */
#define WAYS 4

struct set {
	struct gk_proof way[WAYS];
	unsigned next; /* to be written */
};

struct room {
	pthread_mutex_t lock;
	struct set *set;
	uint32_t n_sets;
};

static struct set authorities[GK_PROOF_AUTHORITIES_MAX / WAYS];
static struct set parties[GK_PROOF_PARTIES_MAX / WAYS];
static struct room rooms[] = {
	[GK_PROOF_AUTHORITIES] = { PTHREAD_MUTEX_INITIALIZER, authorities,
	                           GK_COUNT(authorities) },
	[GK_PROOF_PARTIES] = { PTHREAD_MUTEX_INITIALIZER, parties,
	                       GK_COUNT(parties) },
};

struct gk_proof
gk_proof_of(enum gk_proof_kind kind, const uint8_t object[GK_CERT_ID_LEN],
            const uint8_t issuer[GK_CERT_ID_LEN])
{
	struct gk_proof proof;

	memcpy(proof.fact, object, GK_CERT_ID_LEN);
	memcpy(proof.fact + GK_CERT_ID_LEN, issuer, GK_CERT_ID_LEN);
	proof.fact[GK_PROOF_LEN - 1] = (uint8_t)kind;
	return proof;
}

static struct set *
set_of(const struct room *r, const struct gk_proof *proof)
{
	uint32_t n;

	memcpy(&n, proof->fact, sizeof(n));
	return &r->set[n % r->n_sets];
}

/* Public values: nothing is given away by how long it takes. */
static bool
in_set(const struct set *set, const struct gk_proof *proof)
{
	for (size_t i = 0; i < WAYS; i++)
		if (memcmp(set->way[i].fact, proof->fact,
		           sizeof(proof->fact)) == 0)
			return true;
	return false;
}

bool
gk_proof_known(enum gk_proof_room room, const struct gk_proof *proof)
{
	struct room *r = &rooms[room];
	bool known;

	pthread_mutex_lock(&r->lock);
	known = in_set(set_of(r, proof), proof);
	pthread_mutex_unlock(&r->lock);
	return known;
}

void
gk_proof_keep(enum gk_proof_room room, const struct gk_proof *proof)
{
	struct room *r = &rooms[room];
	struct set *set = set_of(r, proof);

	pthread_mutex_lock(&r->lock);
	if (!in_set(set, proof)) {
		set->way[set->next] = *proof;
		set->next = (set->next + 1) % WAYS;
	}
	pthread_mutex_unlock(&r->lock);
}

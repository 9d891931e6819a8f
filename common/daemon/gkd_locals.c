/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_locals.h"

void
gkd_locals_init(struct gkd_locals *locals)
{
	pthread_rwlock_init(&locals->lock, NULL);
	locals->n = 1;
}

unsigned
gkd_locals_number(struct gkd_locals *locals, const struct gkd_dgram *dgram)
{
	unsigned i, n;

	pthread_rwlock_rdlock(&locals->lock);
	n = locals->n;
	for (i = 1; i < n; i++)
		if (locals->at[i].ifindex == dgram->ifindex &&
		    gkd_addr_equal(&locals->at[i].addr, &dgram->local))
			break;
	pthread_rwlock_unlock(&locals->lock);
	if (i < n)
		return i;
	/* Two threads may both add it; the second entry does no harm. */
	pthread_rwlock_wrlock(&locals->lock);
	i = 0;
	if (locals->n < GKD_LOCALS_MAX) {
		i = locals->n++;
		locals->at[i].addr = dgram->local;
		locals->at[i].ifindex = dgram->ifindex;
	}
	pthread_rwlock_unlock(&locals->lock);
	return i;
}

struct gkd_local
gkd_locals_get(struct gkd_locals *locals, unsigned number)
{
	struct gkd_local local = { 0 };

	pthread_rwlock_rdlock(&locals->lock);
	if (number != 0 && number < locals->n)
		local = locals->at[number];
	pthread_rwlock_unlock(&locals->lock);
	return local;
}

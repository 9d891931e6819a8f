/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/engine/gm_state.h"
#include "gdoi/engine/secret.h"
#include "gdoi/message/sig_key.h"

/*
 * Data-Security SAs: RFC 6407 sections 5.4.1, 5.5.1.1.2, 5.6.1, 5.6.4.3; RFC
 * 5374 section 4.2.1; RFC 8052 section 2.2.
 *
 * A new SA waits for ATD, receiving meanwhile (or, with SA_ATD, not at all), and
 * then takes the place of the older ones for the same traffic; they receive on
 * until DTD or their lifetime is over.
 */
#define DIRECTION_RECEIVER_ONLY 2

static bool
same_endpoint(const struct gdoi_endpoint *a, const struct gdoi_endpoint *b)
{
	return a->type == b->type && a->port == b->port &&
	       gk_slice_equal(a->data, b->data);
}

/* Is it the same traffic? */
static bool
same_traffic(const struct gdoi_sat *a, const struct gdoi_sat *b)
{
	if (a->protocol != b->protocol)
		return false;
	if (a->protocol == GDOI_PROTOCOL_IEC_61850)
		return gk_slice_equal(a->iec.oid, b->iec.oid) &&
		       gk_slice_equal(a->iec.payload, b->iec.payload);
	return a->ipsec.ep.protocol == b->ipsec.ep.protocol &&
	       same_endpoint(&a->ipsec.ep.src, &b->ipsec.ep.src) &&
	       same_endpoint(&a->ipsec.ep.dst, &b->ipsec.ep.dst);
}

static struct gm_slot *
find(struct gm_keys *keys, const struct gdoi_sat *sat)
{
	for (size_t i = 0; i < keys->n; i++) {
		const struct gdoi_sat *held = &keys->slot[i].tek->sat;

		if (held->protocol == sat->protocol &&
		    memcmp(held->spi, sat->spi, GDOI_TEK_SPI_LEN) == 0)
			return &keys->slot[i];
	}
	return NULL;
}

void
gm_tek_forget(struct gm_keys *keys, size_t i)
{
	gm_tek_unref(keys->slot[i].tek);
	keys->n--;
	memmove(&keys->slot[i], &keys->slot[i + 1],
	        (keys->n - i) * sizeof(keys->slot[0]));
}

/* ---- taking one --------------------------------------------------------- */

static enum gk_err
bad_key(struct gm_change *c, const char *req, const char *field, size_t at)
{
	return gm_change_refuse(c, GK_ERR_VALUE,
	                        ISAKMP_NOTIFY_INVALID_KEY_INFORMATION, req,
	                        field, at);
}

/* The packet of SAT @i.  ESP and AH may have the same SPI: then the packets
 * stand in the order of the SATs. */
static const struct gdoi_kd_packet *
packet_of(const struct gm_change *c, uint16_t i)
{
	const uint8_t *spi = c->sa->sat[i].spi;
	unsigned before = 0;

	for (uint16_t j = 0; j < i; j++)
		if (memcmp(c->sa->sat[j].spi, spi, GDOI_TEK_SPI_LEN) == 0)
			before++;
	for (uint16_t j = 0; j < c->kd->n_packets; j++) {
		const struct gdoi_kd_packet *p = &c->kd->packet[j];

		if (p->type == GDOI_KD_TEK && p->spi.len == GDOI_TEK_SPI_LEN &&
		    memcmp(p->spi.ptr, spi, GDOI_TEK_SPI_LEN) == 0 &&
		    before-- == 0)
			return p;
	}
	return NULL;
}

static unsigned
count_packets(const struct gdoi_kd *kd)
{
	unsigned n = 0;

	for (uint16_t i = 0; i < kd->n_packets; i++)
		n += kd->packet[i].type == GDOI_KD_TEK;
	return n;
}

/* Do we want to send with it, as far as policy goes? */
static bool
is_sender(const struct gm_group *group, const struct gdoi_sat *sat)
{
	if (group->cfg.receive_only)
		return false;
	return sat->protocol == GDOI_PROTOCOL_IEC_61850 ||
	       sat->ipsec.direction != DIRECTION_RECEIVER_ONLY;
}

/* RFC6407-5.6.4.4-01; decision sid_for_iec61850. */
static bool
needs_sid(const struct gm_group *group, const struct gdoi_sat *sat,
          bool counter_mode)
{
	if (!counter_mode)
		return false;
	return sat->protocol != GDOI_PROTOCOL_IEC_61850 ||
	       group->dialect.sid_for_iec61850 == GDOI_SID_FOR_IEC61850_INCLUDE;
}

/* Seconds; 0: no end. */
static uint32_t
lifetime_of(const struct gdoi_sat *sat)
{
	if (sat->protocol == GDOI_PROTOCOL_IEC_61850)
		return sat->iec.lifetime;
	return sat->ipsec.life_s != 0 ? sat->ipsec.life_s : GM_LIFE_DEFAULT_S;
}

static void
set_lifetime(const struct gm_change *c, struct gm_slot *slot,
             const struct gdoi_sat *sat)
{
	slot->lifetime_s = lifetime_of(sat);
	slot->expires_at = GK_NEVER;
	slot->expires_utc = 0;
	slot->kept = false;
	if (slot->lifetime_s == 0)
		return;
	slot->expires_at = c->now.mono_ms + 1000 * (uint64_t)slot->lifetime_s;
	slot->expires_utc = c->now.utc_s + slot->lifetime_s;
}

static bool
delivered(const struct gm_change *c, const struct gdoi_sat *sat)
{
	return sat->protocol != GDOI_PROTOCOL_IEC_61850 || !sat->iec.has_kda ||
	       sat->iec.kda >= c->group->cfg.kda_min ||
	       !is_sender(c->group, sat);
}

/* RFC6407-5.4.1-01; RFC8052-2.2.4.1-01, -03: SA_ATD is the SA's own, and then it
 * is not even installed for receiving; decision atd_in_pull. */
static void
set_activation(const struct gm_change *c, struct gm_slot *slot,
               const struct gdoi_sat *sat)
{
	const struct gdoi_gap *gap = c->sa->has_gap ? &c->sa->gap : NULL;
	bool iec = sat->protocol == GDOI_PROTOCOL_IEC_61850;

	slot->state = GDOI_TEK_RECEIVE;
	slot->activate_at = c->now.mono_ms;
	slot->kda = iec ? sat->iec.kda : 0;
	/* RFC8052-2.2.4.2-02: too few subscribers have it. */
	slot->undelivered = !delivered(c, sat);
	if (iec && sat->iec.has_atd) {
		slot->state = GDOI_TEK_NEXT;
		slot->activate_at += 1000 * (uint64_t)sat->iec.atd;
	} else if (gap != NULL && gap->has_atd &&
	           (!c->pull ||
	            c->group->dialect.atd_in_pull == GDOI_ATD_IN_PULL_APPLY)) {
		slot->activate_at += 1000 * (uint64_t)gap->atd;
	}
}

static bool
lacks_sid(const struct gm_change *c, const struct gdoi_sat *sat,
          bool counter_mode)
{
	return c->keys->n_sids == 0 && is_sender(c->group, sat) &&
	       needs_sid(c->group, sat, counter_mode);
}

static enum gk_err
install(struct gm_change *c, const struct gdoi_sat *sat,
        const struct gdoi_sat_keys *need, const struct gdoi_kd_packet *packet)
{
	struct gm_keys *keys = c->keys;
	struct gm_slot *slot = &keys->slot[keys->n];
	bool no_sid = lacks_sid(c, sat, need->counter_mode);

	/* RFC6407-4.4-08: it may be that one is to be had. */
	if (no_sid && !keys->no_sender && GK_CHECKED("RFC6407-4.4-08")) {
		c->no_sid = true;
		return GK_OK;
	}
	if (keys->n == GM_TEKS_MAX)
		return gm_change_refuse(c, GK_ERR_SPACE,
		                        ISAKMP_NOTIFY_NO_PROPOSAL_CHOSEN,
		                        "RFC6407-4.4-05", "SAT", sat->at);
	*slot = (struct gm_slot){ .installed_utc = c->now.utc_s,
		                  .deactivate_at = GK_NEVER,
		                  .dtd_ms = GK_NEVER,
		                  .may_send =
		                          is_sender(c->group, sat) && !no_sid,
		                  .no_sid = no_sid,
		                  .order = ++keys->order };
	GK_TRY(gm_tek_new(sat, need, packet, &slot->tek));
	gdoi_secret_tek(c->gm->env, c->group->cfg.id, sat, packet);
	keys->n++;
	set_lifetime(c, slot, sat);
	set_activation(c, slot, sat);
	return GK_OK;
}

static bool
same_octets(const struct gk_buf *held, struct gk_slice key)
{
	return held->len == key.len &&
	       gk_equal_secret(held->ptr, key.ptr, key.len);
}

/* An SA that we hold, announced again. */
static enum gk_err
renew(struct gm_change *c, struct gm_slot *slot, const struct gdoi_sat *sat,
      const struct gdoi_kd_packet *packet)
{
	const struct gm_tek *tek = slot->tek;

	/* RFC8052-2.2.5-02: a live SPI is not given to another key. */
	if ((!same_octets(&tek->key, packet->algorithm_key) ||
	     !same_octets(&tek->integrity, packet->integrity_key) ||
	     !same_octets(&tek->source_auth, packet->source_auth_key)) &&
	    GK_CHECKED("RFC8052-2.2.5-02"))
		return bad_key(c, "RFC8052-2.2.5-02", "SPI", sat->at);
	slot->no_sid = lacks_sid(c, sat, tek->counter_mode);
	slot->may_send = is_sender(c->group, sat) && !slot->no_sid;
	set_lifetime(c, slot, sat);
	if (slot->state == GDOI_TEK_NEXT || slot->undelivered) {
		bool received = slot->state == GDOI_TEK_RECEIVE;

		set_activation(c, slot, sat);
		if (received)
			slot->state = GDOI_TEK_RECEIVE;
	} else if (sat->protocol == GDOI_PROTOCOL_IEC_61850) {
		slot->kda = sat->iec.kda;
	}
	/* A registration names them all, the newest last (order_by_life): what
	 * it brings anew may be older than this one. */
	if (c->pull && !c->stale)
		slot->order = ++c->keys->order;
	return GK_OK;
}

static enum gk_err
add(struct gm_change *c, uint16_t i, bool some)
{
	const struct gdoi_sat *sat = &c->sa->sat[i];
	const struct gdoi_kd_packet *packet = packet_of(c, i);
	struct gdoi_sat_keys need;
	struct gm_slot *held;

	if (!gm_flow_permits(c->gm, c->group, sat, c->pull)) {
		c->unauthorised |= UINT64_C(1) << i;
		return GK_OK;
	}
	if (packet == NULL) {
		/* RFC6407-5.6.1-04: a registration may leave TEKs to a PUSH;
		 * all of them, or none. */
		if ((c->pull && !some) ||
		    !GK_CHECKED(c->pull ? "RFC6407-3.2-21" : "RFC6407-4.3-04"))
			return GK_OK;
		return bad_key(c, c->pull ? "RFC6407-3.2-21" : "RFC6407-4.3-04",
		               "TEK", sat->at);
	}
	GK_TRY(gdoi_sat_keys(&c->group->dialect, sat, &need, &c->why));
	GK_TRY(gdoi_sat_keys_fit(sat, &need, packet, &c->why));
	if (need.source_auth &&
	    gdoi_source_key_check(sat, packet->source_auth_key) != GK_OK &&
	    GK_CHECKED("RFC6407-5.6.1.3-01"))
		return bad_key(c, "RFC6407-5.6.1.3-01", "TEK_SOURCE_AUTH_KEY",
		               packet->at);
	held = find(c->keys, sat);
	if (held == NULL && gm_is_used(c->group, sat)) {
		c->used = true;
		return GK_OK;
	}
	return held != NULL ? renew(c, held, sat, packet)
	                    : install(c, sat, &need, packet);
}

/* Of several SAs for the same traffic in one message the one that lives longest
 * is the newest: so they are taken in the order of their lifetimes. */
static void
order_by_life(const struct gdoi_sa *sa, uint16_t order[GDOI_SATS_MAX])
{
	for (uint16_t i = 0; i < sa->n_sats; i++) {
		uint16_t j = i;
		/* no end, as 0 says, is the latest of all */
		uint32_t life = lifetime_of(&sa->sat[i]) - 1;

		for (; j > 0 && lifetime_of(&sa->sat[order[j - 1]]) - 1 > life;
		     j--)
			order[j] = order[j - 1];
		order[j] = i;
	}
}

/* What is left out, for want of a flow that it is within, is not. */
static bool
announced(const struct gm_change *c, const struct gm_slot *slot)
{
	for (uint16_t i = 0; i < c->sa->n_sats; i++)
		if ((c->unauthorised & UINT64_C(1) << i) == 0 &&
		    c->sa->sat[i].protocol == slot->tek->sat.protocol &&
		    memcmp(c->sa->sat[i].spi, slot->tek->sat.spi,
		           GDOI_TEK_SPI_LEN) == 0)
			return true;
	return false;
}

static uint64_t
deactivation(const struct gm_change *c)
{
	return c->sa != NULL && c->sa->has_gap && c->sa->gap.has_dtd
	               ? c->now.mono_ms + 1000 * (uint64_t)c->sa->gap.dtd
	               : GK_NEVER;
}

/* ATD is of SAs that take over by themselves: SA_ATD and SA_KDA are an SA's own. */
static bool
has_own_time(const struct gm_slot *slot)
{
	return slot->state == GDOI_TEK_NEXT || slot->undelivered;
}

/* RFC6407-5.4.1-02: DTD counts from now on, for what this message supersedes; for
 * what a next key will supersede (RFC 8052), from then on: what is in use until then
 * is not given up before. */
static void
schedule_deactivation(struct gm_change *c, size_t n_before)
{
	uint64_t at = deactivation(c);
	struct gm_keys *keys = c->keys;

	for (size_t j = n_before; at != GK_NEVER && j < keys->n; j++)
		if (has_own_time(&keys->slot[j]))
			keys->slot[j].dtd_ms = at - c->now.mono_ms;
	for (size_t i = 0; at != GK_NEVER && i < n_before; i++)
		for (size_t j = n_before; j < keys->n; j++)
			if (!has_own_time(&keys->slot[j]) &&
			    same_traffic(&keys->slot[i].tek->sat,
			                 &keys->slot[j].tek->sat) &&
			    !announced(c, &keys->slot[i]) &&
			    at < keys->slot[i].deactivate_at)
				keys->slot[i].deactivate_at = at;
}

/* Not all change over at the same moment: RFC 8052 has no DTD of its own. */
void
gm_tek_linger(const struct gm_keys *keys, struct gm_slot *slot, uint64_t now_ms)
{
	uint64_t at =
		now_ms + (keys->grace_ms != 0 ? keys->grace_ms : GM_GRACE_MS);

	slot->expires_at = GK_NEVER;
	slot->kept = false;
	if (at < slot->deactivate_at)
		slot->deactivate_at = at;
}

bool
gm_tek_has_successor(const struct gm_keys *keys, const struct gm_slot *slot)
{
	for (size_t i = 0; i < keys->n; i++) {
		const struct gm_slot *other = &keys->slot[i];

		if (other->order > slot->order &&
		    other->state != GDOI_TEK_OLD &&
		    same_traffic(&other->tek->sat, &slot->tek->sat))
			return true;
	}
	return false;
}

/* The DTD of its successor may have been in a PUSH that did not come. */
static uint64_t
unnamed_until(const struct gm_change *c)
{
	uint64_t ms = c->keys->grace_ms;

	return c->now.mono_ms + (ms > GM_UNNAMED_MS ? ms : GM_UNNAMED_MS);
}

/* What a registration does not name is no policy any more, and it may be that
 * somebody was evicted meanwhile: it is not sent with, and not heard for longer
 * than others need to change over. */
static void
retire_unnamed(struct gm_change *c)
{
	struct gm_keys *keys = c->keys;

	for (size_t i = keys->n; i-- > 0;) {
		struct gm_slot *slot = &keys->slot[i];

		if (announced(c, slot))
			continue;
		if (slot->state == GDOI_TEK_NEXT) {
			gm_tek_forget(keys, i);
			continue;
		}
		if (slot->expires_at == GK_NEVER)
			gm_tek_linger(keys, slot, c->now.mono_ms);
		if (unnamed_until(c) < slot->deactivate_at)
			slot->deactivate_at = unnamed_until(c);
		slot->state = GDOI_TEK_OLD;
		slot->activate_at = GK_NEVER;
		slot->undelivered = false;
	}
}

/* Of what it names something has to be in use. */
static void
revive(struct gm_change *c)
{
	struct gm_keys *keys = c->keys;

	for (size_t i = 0; i < keys->n; i++) {
		struct gm_slot *slot = &keys->slot[i];

		if (slot->state != GDOI_TEK_OLD || !announced(c, slot) ||
		    gm_tek_has_successor(keys, slot))
			continue;
		slot->state = GDOI_TEK_RECEIVE;
		slot->activate_at = c->now.mono_ms;
		slot->deactivate_at = GK_NEVER;
	}
}

/* The newest one for its traffic; those before it receive on. */
static void
supersede(struct gm_keys *keys, const struct gm_slot *by, uint64_t now_ms)
{
	const struct gdoi_sat *sat = &by->tek->sat;
	uint64_t order = by->order;

	for (size_t i = keys->n; i-- > 0;) {
		struct gm_slot *slot = &keys->slot[i];

		if (slot->order >= order || slot->state != GDOI_TEK_CURRENT ||
		    !same_traffic(&slot->tek->sat, sat))
			continue;
		slot->state = GDOI_TEK_OLD;
		if (by->dtd_ms != GK_NEVER &&
		    now_ms + by->dtd_ms < slot->deactivate_at)
			slot->deactivate_at = now_ms + by->dtd_ms;
		if (slot->kept) /* nothing has to keep it now */
			gm_tek_linger(keys, slot, now_ms);
	}
}

void
gm_tek_activate(struct gm_keys *keys, uint64_t now_ms)
{
	for (size_t i = 0; i < keys->n; i++) {
		struct gm_slot *slot = &keys->slot[i];

		if (slot->activate_at > now_ms)
			continue;
		slot->activate_at = GK_NEVER;
		slot->state =
			slot->undelivered ? GDOI_TEK_RECEIVE : GDOI_TEK_CURRENT;
	}
	for (size_t i = 0; i < keys->n; i++)
		if (keys->slot[i].state == GDOI_TEK_CURRENT)
			supersede(keys, &keys->slot[i], now_ms);
}

/*
 * RFC 6407 section 3.5: every sender gets a sender id, unasked.  Who registers
 * in a group with a counter mode and gets none is no sender, as the key server
 * sees it, and a receiver needs none: asking again would change nothing.
 */
static void
learn_role(struct gm_change *c, unsigned packets)
{
	struct gdoi_sat_keys need;
	struct isakmp_reject why;
	bool counter_mode = false;

	for (uint16_t i = 0; i < c->sa->n_sats && !counter_mode; i++) {
		const struct gdoi_sat *sat = &c->sa->sat[i];

		counter_mode = gdoi_sat_keys(&c->group->dialect, sat, &need,
		                             &why) == GK_OK &&
		               lacks_sid(c, sat, need.counter_mode);
	}
	c->keys->no_sender = packets != 0 && counter_mode;
}

/* RFC 5374 section 4.2.1: who comes during a rollover gets the SA that is in use, too,
 * and ATD is that of its successor. */
static void
begin_trailing(struct gm_change *c, size_t n_before)
{
	struct gm_keys *keys = c->keys;

	for (size_t i = n_before; i < keys->n; i++) {
		struct gm_slot *slot = &keys->slot[i];

		if (slot->state == GDOI_TEK_RECEIVE &&
		    slot->activate_at != GK_NEVER &&
		    gm_tek_has_successor(keys, slot))
			slot->activate_at = c->now.mono_ms;
	}
}

void
gm_teks_go_on(struct gm_keys *keys, const struct gdoi_sat *used,
              uint64_t now_ms)
{
	struct gm_slot *next = NULL;

	for (size_t i = 0; i < keys->n; i++) {
		struct gm_slot *slot = &keys->slot[i];

		if (!same_traffic(&slot->tek->sat, used))
			continue;
		if (slot->state == GDOI_TEK_CURRENT)
			return;
		if (slot->state == GDOI_TEK_RECEIVE &&
		    slot->activate_at != GK_NEVER &&
		    (next == NULL || slot->order < next->order))
			next = slot;
	}
	if (next == NULL)
		return;
	next->activate_at = now_ms;
	gm_tek_activate(keys, now_ms);
}

enum gk_err
gm_teks_add(struct gm_change *c)
{
	size_t n_before = c->keys->n;
	uint16_t order[GDOI_SATS_MAX];
	unsigned packets = count_packets(c->kd);

	if (packets == 0 && !c->pull &&
	    c->group->dialect.push_kek_only_tek ==
	            GDOI_PUSH_KEK_ONLY_TEK_REQUIRED &&
	    GK_CHECKED("RFC6407-5.6.1-03"))
		return bad_key(c, "RFC6407-5.6.1-03", "TEK", c->kd->at);
	/* RFC6407-5.6.1-01: one packet for each SA. */
	if (packets > c->sa->n_sats && GK_CHECKED("RFC6407-5.6.1-01"))
		return bad_key(c, "RFC6407-5.6.1-01", "Number of Key Packets",
		               c->kd->at);
	if (c->pull)
		learn_role(c, packets);
	order_by_life(c->sa, order);
	for (uint16_t i = 0; i < c->sa->n_sats; i++)
		GK_TRY(add(c, order[i], packets != 0));
	schedule_deactivation(c, n_before);
	if (c->pull)
		begin_trailing(c, n_before);
	if (c->sa->has_gap && c->sa->gap.has_dtd)
		c->keys->grace_ms = 1000U * c->sa->gap.dtd;
	if (c->pull && !c->stale) {
		retire_unnamed(c);
		revive(c);
	}
	gm_tek_activate(c->keys, c->now.mono_ms);
	for (uint16_t i = 0; i < c->sa->n_sats; i++)
		if (gm_is_used(c->group, &c->sa->sat[i]))
			gm_teks_go_on(c->keys, &c->sa->sat[i], c->now.mono_ms);
	return GK_OK;
}

/* RFC6407-5.9-01, -08; with a DTD in the same message not before that.  Zero is
 * what was there: what the same message brings, SA and KD stand behind D, stays. */
void
gm_teks_delete(struct gm_change *c, uint8_t protocol,
               const struct gk_slice *spi)
{
	struct gm_keys *keys = c->keys;
	uint64_t at = deactivation(c);

	for (size_t i = keys->n; i-- > 0;) {
		struct gm_slot *slot = &keys->slot[i];
		const struct gdoi_sat *sat = &slot->tek->sat;

		if (sat->protocol != protocol ||
		    (spi != NULL &&
		     !gk_slice_equal(
			     *spi,
			     (struct gk_slice){ sat->spi, GDOI_TEK_SPI_LEN })))
			continue;
		if (spi == NULL && c->sa != NULL && announced(c, slot))
			continue;
		c->deleted = true;
		if (at == GK_NEVER || slot->state == GDOI_TEK_NEXT)
			gm_tek_forget(keys, i);
		else if (at < slot->deactivate_at)
			slot->deactivate_at = at;
	}
}

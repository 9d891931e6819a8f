/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/base/gk_check.h"
#include "gdoi/engine/gm_state.h"

/*
 * Which traffic a key server may make SAs for: RFC 5374 sections 4.1.3.4 and
 * 4.1.3.5.  An SA is compared with one flow after the other, not with what several
 * of them make up together.
 *
 * SAs of IEC 61850 are for no addresses, and the flows say nothing about them.
 */
static bool
is_within_end(const struct gdoi_endpoint *e, const struct gdoi_span *span,
              const struct gdoi_flow_end *end)
{
	bool any_port = end->port_first == 0 && end->port_last == UINT16_MAX;

	if (!any_port && (e->port < end->port_first ||
	                  e->port > end->port_last || e->port == 0))
		return false;
	return end->span.len == 0 || gdoi_span_covers(&end->span, span);
}

static bool
is_within_some(const struct gdoi_endpoint *e, const struct gdoi_flow_end *ends,
               size_t n)
{
	const struct gdoi_span span = gdoi_endpoint_span(e);

	for (size_t i = 0; i < n; i++)
		if (is_within_end(e, &span, &ends[i]))
			return true;
	return n == 0;
}

/* A key server without a name - that cannot be - is within no flow that has one. */
static bool
is_of(const struct gdoi_flow *flow, struct gk_identity server)
{
	return flow->server.kind == GK_ID_NONE ||
	       (server.kind != GK_ID_NONE &&
	        gk_identity_match(flow->server, server, GK_DN_COMPARE_RFC4514));
}

static bool
is_within(const struct gdoi_flow *flow, const struct gdoi_endpoints *ep)
{
	return (flow->protocol == 0 || flow->protocol == ep->protocol) &&
	       is_within_some(&ep->src, flow->src, flow->n_src) &&
	       is_within_some(&ep->dst, flow->dst, flow->n_dst);
}

/* Whose policy it is: the peer of phase 1; of a PUSH, the one we registered with. */
static struct gk_identity
authority(const struct gdoi_gm *gm, const struct gm_group *group, bool pull)
{
	if (pull && gm->ike != NULL)
		return ike_peer(gm->ike);
	return (struct gk_identity){ group->registrar_kind,
		                     gk_buf_slice(&group->registrar) };
}

bool
gm_flow_permits(const struct gdoi_gm *gm, const struct gm_group *group,
                const struct gdoi_sat *sat, bool pull)
{
	const struct gdoi_gm_group_config *cfg = &group->cfg;

	if (cfg->n_flows == 0 || sat->protocol == GDOI_PROTOCOL_IEC_61850)
		return true;
	for (size_t i = 0; i < cfg->n_flows; i++)
		if (is_of(&cfg->flows[i], authority(gm, group, pull)) &&
		    is_within(&cfg->flows[i], &sat->ipsec.ep))
			return true;
	return !GK_CHECKED("RFC5374-4.1.3-02", "RFC5374-4.1.3.4-01",
	                   "RFC5374-4.1.3.5-04", "RFC5374-4.1.3.5-06");
}

bool
gm_flow_permits_any(const struct gdoi_gm *gm, const struct gm_group *group,
                    const struct gdoi_sa *sa, bool pull)
{
	for (uint16_t i = 0; i < sa->n_sats; i++)
		if (gm_flow_permits(gm, group, &sa->sat[i], pull))
			return true;
	return sa->n_sats == 0;
}

static enum gk_err
tell(const struct gm_change *c, const struct gdoi_sat *sat)
{
	struct gdoi_output *out = gm_say(c->gm, c->group, GDOI_OUT_UNAUTHORISED,
	                                 "within no authorised flow");

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->peer = gk_slice_str(c->gm->peer);
	out->to = c->group->registrar_at;
	out->tek.sat = sat;
	out->why = (struct isakmp_reject){
		.req = c->pull ? "RFC5374-4.1.3.5-04" : "RFC5374-4.1.3.5-06",
		.field = "SAT",
		.offset = sat->at,
	};
	return gdoi_outputs_own(&c->gm->out);
}

/* RFC5374-4.1.3.5-04, -05: the reason is told. */
enum gk_err
gm_flow_tell(const struct gm_change *c)
{
	for (uint16_t i = 0; c->sa != NULL && i < c->sa->n_sats; i++) {
		if ((c->unauthorised & UINT64_C(1) << i) == 0)
			continue;
		c->group->unauthorised++;
		GK_TRY(tell(c, &c->sa->sat[i]));
	}
	return GK_OK;
}

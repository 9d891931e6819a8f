/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/isakmp/reject.h"

#include "common/base/gk_check.h"

enum gk_err
isakmp_refuse(struct isakmp_reject *why, enum gk_err err,
              enum isakmp_notify notify, const char *req, const char *field,
              size_t offset)
{
	*why = (struct isakmp_reject){ notify, req, field, offset };
	return err;
}

enum gk_err
isakmp_refuse_attribute(struct isakmp_reject *why, const char *req,
                        const char *field, size_t offset)
{
	return isakmp_refuse(why, GK_ERR_VALUE,
	                     ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED, req, field,
	                     offset);
}

enum gk_err
isakmp_refuse_fault(struct isakmp_reject *why, const struct gk_fault *fault,
                    enum isakmp_notify notify, const char *req)
{
	/* The bound of what is read holds in every build; without the check of
	 * a row it is all that is left, and RFC2408-3.2-01 is its row. */
	return isakmp_refuse(why, fault->err, notify,
	                     GK_CHECKED(req) ? req : "RFC2408-3.2-01",
	                     fault->field, fault->offset);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/isakmp/reject.h"

enum gk_err
isakmp_refuse(struct isakmp_reject *why, enum gk_err err,
              enum isakmp_notify notify, const char *req, const char *field,
              size_t offset)
{
	*why = (struct isakmp_reject){ notify, req, field, offset };
	return err;
}

enum gk_err
isakmp_refuse_fault(struct isakmp_reject *why, const struct gk_fault *fault,
                    enum isakmp_notify notify, const char *req)
{
	return isakmp_refuse(why, fault->err, notify, req, fault->field,
	                     fault->offset);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/gsakmp_reject.h"

#include <stdarg.h>
#include <stdio.h>

enum gk_err
gsakmp_refuse(struct gsakmp_reject *why, enum gk_err err,
              enum gsakmp_notify notify, const char *req, const char *field,
              size_t offset)
{
	*why = (struct gsakmp_reject){ notify, req, field, offset, "" };
	return err;
}

enum gk_err
gsakmp_refuse_fault(struct gsakmp_reject *why, const struct gk_fault *fault,
                    enum gsakmp_notify notify, const char *req)
{
	return gsakmp_refuse(why, fault->err, notify, req, fault->field,
	                     fault->offset);
}

void
gsakmp_reject_detail(struct gsakmp_reject *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why->detail, sizeof(why->detail), fmt, ap);
	va_end(ap);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/token/gpt_fault.h"

#include <stdarg.h>
#include <stdio.h>

enum gk_err
gpt_fault_set(struct gpt_fault *why, enum gk_err err, const char *req,
              const char *field, const char *fmt, ...)
{
	va_list ap;

	if (!why)
		return err;
	*why = (struct gpt_fault){ .err = err,
		                   .req = req,
		                   .offset = GPT_NO_OFFSET };
	if (field)
		(void)snprintf(why->field, sizeof(why->field), "%s", field);
	va_start(ap, fmt);
	(void)vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return err;
}

char *
gpt_fault_format(const struct gpt_fault *why, char *out, size_t cap)
{
	char place[48] = "";

	if (why->line > 0)
		(void)snprintf(place, sizeof(place), "line %d", why->line);
	else if (why->offset != GPT_NO_OFFSET)
		(void)snprintf(place, sizeof(place), "octet %zu", why->offset);

	(void)snprintf(out, cap, "%s%s%s%s%s%s%s%s", place,
	               place[0] && why->field[0] ? ", " : "", why->field,
	               place[0] || why->field[0] ? ": " : "", why->text,
	               why->req ? " [" : "", why->req ? why->req : "",
	               why->req ? "]" : "");
	return out;
}

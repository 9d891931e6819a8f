/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_FOLDER_H
#define GK_FOLDER_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* DOC: a folder of a test's own, and what stands in files */

/* A control socket in it fits into a sockaddr_un. */
#define GK_FOLDER_MAX 96

/* gk_folder_make - a new one in TMPDIR, or where temporary files are otherwise;
 * false: there is none to be had. */
static inline bool
gk_folder_make(char folder[GK_FOLDER_MAX])
{
	const char *in = getenv("TMPDIR");
	int n = snprintf(folder, GK_FOLDER_MAX, "%s/gk-test.XXXXXX",
	                 in != NULL && in[0] != '\0' ? in : P_tmpdir);

	return n > 0 && n < GK_FOLDER_MAX && mkdtemp(folder) != NULL;
}

/* gk_file_has - do these octets stand in the first megabyte of the file? */
static inline bool
gk_file_has(const char *name, const char *text)
{
	static char all[1 << 20];
	FILE *f = fopen(name, "rb");
	size_t n = f == NULL ? 0 : fread(all, 1, sizeof(all), f);

	if (f != NULL)
		fclose(f);
	return memmem(all, n, text, strlen(text)) != NULL;
}

#endif /* GK_FOLDER_H */

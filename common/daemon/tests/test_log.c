/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/daemon/gkd_log.h"

/* What is written to a stderr that JOURNAL_STREAM names, or is @off by. */
#define ROOM 4096

static void
written(char text[ROOM], unsigned long off, const char *word)
{
	FILE *f = tmpfile();
	int old = dup(STDERR_FILENO);
	char stream[64];
	struct stat st;
	size_t n;

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu",
	         (unsigned long long)st.st_dev,
	         (unsigned long long)st.st_ino + off);
	setenv("JOURNAL_STREAM", stream, 1);
	assert_int_not_equal(dup2(fileno(f), STDERR_FILENO), -1);
	gkd_log_open("test", GKD_LOG_STDERR, LOG_INFO);
	gkd_log(LOG_WARNING, "io", "the disk is\n%s", word);
	gkd_log(LOG_DEBUG, "io", "nobody wants to know");
	fflush(stderr);
	assert_int_not_equal(dup2(old, STDERR_FILENO), -1);
	close(old);
	unsetenv("JOURNAL_STREAM");
	rewind(f);
	n = fread(text, 1, ROOM - 1, f);
	text[n] = '\0';
	fclose(f);
}

GK_TEST(daemon, the_journal_is_told_the_level_in_its_own_form)
{
	char text[ROOM];

	written(text, 0, "full");
	assert_string_equal(text, "<4>[io] the disk is\\u000afull\n");
}

GK_TEST(daemon, who_has_inherited_its_name_alone_writes_for_people)
{
	char text[ROOM];

	written(text, 1, "full");
	assert_non_null(
		strstr(text, "Z test warning: [io] the disk is\\u000afull\n"));
	assert_int_equal(text[0], '2');
}

GK_TEST(daemon, a_line_that_is_too_long_ends_with_a_whole_character)
{
	char text[ROOM], word[2000] = "x";

	for (size_t i = 1; i + 2 < sizeof(word); i += 2)
		memcpy(word + i, "\xc3\xab", 2);
	for (size_t skip = 0; skip < 2;
	     skip++) { /* with one of both it is cut */
		written(text, 0, word + skip);
		assert_true(strlen(text) > 1000);
		assert_string_equal(text + strlen(text) - 3, "\xc3\xab\n");
		assert_null(strstr(text, "\\xc3"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(daemon, the_journal_is_told_the_level_in_its_own_form),
		GK_RUN(daemon,
		       who_has_inherited_its_name_alone_writes_for_people),
		GK_RUN(daemon,
		       a_line_that_is_too_long_ends_with_a_whole_character),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}

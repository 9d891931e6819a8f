/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/daemon/gkd_config.h"
#include "common/test/gk_folder.h"

static enum gk_err
parse(struct gkd_config **config, const char *xml, const char *const *set,
      size_t n_set, struct gkd_why *why)
{
	return gkd_config_parse(config, "dir/t.xml", gk_slice_str(xml),
	                        "msec-test.xsd", set, n_set, why);
}

GK_TEST(daemon_config, values_arrive_with_their_types)
{
	static const char *const names[] = { "red", "green", NULL };
	struct gkd_config *config;
	const struct gkd_elem *root, *second;
	struct gkd_addr addr;
	struct gkd_why why;
	uint64_t n;
	unsigned colour;
	bool flag;

	gk_assert_ok(parse(&config,
	                   "<test>\n"
	                   " <listen address='192.0.2.1' port='7'/>\n"
	                   " <listen idle='2min' wait=' green '/>\n"
	                   " <file> a/b </file>\n"
	                   "</test>",
	                   NULL, 0, &why));
	root = gkd_config_root(config);
	gk_assert_ok(
		gkd_elem_uint(config, root, "listen@port", 1, 9, 5, &n, &why));
	assert_int_equal(n, 7);
	gk_assert_ok(
		gkd_elem_addr(config, root, "listen@address", 9, &addr, &why));
	assert_int_equal(gkd_addr_port(&addr), 9);
	second = gkd_elem_next(gkd_elem_child(root, "listen"));
	assert_int_equal(gkd_elem_line(second), 3);
	assert_null(gkd_elem_next(second));
	gk_assert_ok(
		gkd_elem_ms(config, second, "@idle", 0, 1000000, 1, &n, &why));
	assert_int_equal(n, 120000);
	gk_assert_ok(gkd_elem_enum(config, root, "listen[2]@wait", names, 0,
	                           &colour, &why));
	assert_int_equal(colour, 1);
	gk_assert_ok(gkd_elem_bool(config, root, "@x", true, &flag, &why));
	assert_true(flag);
	assert_string_equal(gkd_elem_text(root, "file", NULL), "a/b");
	assert_string_equal(gkd_elem_path(config, root, "file"), "dir/a/b");
	assert_string_equal(gkd_elem_name(gkd_elem_sibling(second)), "file");
	assert_null(gkd_elem_child(root, "control"));
	gkd_config_free(config);
}

GK_TEST(daemon_config, errors_name_file_line_element_and_expectation)
{
	static const struct {
		const char *xml;
		const char *says[3];
	} wrong[] = {
		{ "<test>\n<listen port='0'/></test>",
		  { "dir/t.xml:2:", "<listen>", "port" } },
		{ "<test>\n\n<lisen/></test>",
		  { "dir/t.xml:3:", "<lisen>", "Expected is" } },
		{ "<test>\n<file>a</file><listen/></test>",
		  { "dir/t.xml:2:", "<listen>", "Expected is" } },
		{ "<test>\n<control/></test>",
		  { "dir/t.xml:2:", "<control>", "socket" } },
		{ "<test>\n<listen idle='5'/></test>",
		  { "dir/t.xml:2:", "<listen>", "idle" } },
		{ "<test>\n<log level='loud'/></test>",
		  { "dir/t.xml:2:", "<log>", "debug" } },
		{ "<test>\n<listen></test>", { "dir/t.xml:2:", "listen", "" } },
		{ "<other/>", { "dir/t.xml:1:", "<other>", "" } },
		{ "", { "dir/t.xml", "", "" } },
		{ "<!DOCTYPE test [<!ENTITY e 'x'>]><test/>",
		  { "dir/t.xml", "document type", "" } },
		{ "<!DOCTYPE test SYSTEM 'http://192.0.2.1/x.dtd'><test/>",
		  { "dir/t.xml", "document type", "" } },
	};

	for (size_t i = 0; i < GK_COUNT(wrong); i++) {
		struct gkd_config *config = NULL;
		struct gkd_why why;

		gk_assert_err(GK_ERR_VALUE,
		              parse(&config, wrong[i].xml, NULL, 0, &why));
		assert_null(config);
		for (size_t k = 0; k < 3; k++)
			if (strstr(why.text, wrong[i].says[k]) == NULL)
				fail_msg("\"%s\" not in: %s", wrong[i].says[k],
				         why.text);
	}
}

GK_TEST(daemon_config, semantic_errors_have_the_same_form)
{
	struct gkd_config *config;
	const struct gkd_elem *listen;
	struct gkd_addr addr;
	struct gkd_why why;
	struct gk_buf octets;
	uint64_t n;

	gk_assert_ok(parse(&config,
	                   "<test>\n <listen address='1.2.3.4.5' port='99' "
	                   "idle='3s'/>\n<file>no/such</file></test>",
	                   NULL, 0, &why));
	listen = gkd_elem_child(gkd_config_root(config), "listen");
	gk_assert_err(GK_ERR_VALUE, gkd_elem_addr(config, listen, "@address", 1,
	                                          &addr, &why));
	assert_non_null(strstr(why.text, "dir/t.xml:2: <listen>: '@address'"));
	gk_assert_err(GK_ERR_VALUE, gkd_elem_uint(config, listen, "@port", 1,
	                                          98, 1, &n, &why));
	assert_non_null(strstr(why.text, "from 1 to 98"));
	gk_assert_err(GK_ERR_VALUE, gkd_elem_ms(config, listen, "@idle", 1,
	                                        2999, 1, &n, &why));
	/* Wherever the path begins, the line is that of the element. */
	gk_assert_err(GK_ERR_VALUE,
	              gkd_elem_ms(config, gkd_config_root(config),
	                          "listen@idle", 1, 2999, 1, &n, &why));
	assert_non_null(strstr(why.text, "dir/t.xml:2: <listen>: 'listen@"));
	gk_assert_err(GK_ERR_IO, gkd_elem_file(config, gkd_config_root(config),
	                                       "file", 10, &octets, &why));
	assert_non_null(strstr(why.text, "dir/no/such"));
	assert_non_null(strstr(why.text, "No such file"));
	gkd_config_free(config);
}

GK_TEST(daemon_config, set_overrides_before_the_schema_looks)
{
	static const char *const good[] = { "listen[2]@port=9", "file=x&y",
		                            "listen@idle=1s" };
	static const char *const bad[] = {
		"listen@port=0", "listen[3]@port=1", "nothing", "listen@=1",
		"[1]=2",         "listen[0]@port=1",
	};
	static const char xml[] =
		"<test><listen port='1'/><listen/><file>a</file></test>";
	struct gkd_config *config;
	struct gkd_why why;
	uint64_t n;

	gk_assert_ok(parse(&config, xml, good, GK_COUNT(good), &why));
	gk_assert_ok(gkd_elem_uint(config, gkd_config_root(config),
	                           "listen[2]@port", 1, 9, 5, &n, &why));
	assert_int_equal(n, 9);
	assert_string_equal(gkd_elem_text(gkd_config_root(config), "file", ""),
	                    "x&y");
	gkd_config_free(config);
	for (size_t i = 0; i < GK_COUNT(bad); i++)
		gk_assert_err(GK_ERR_VALUE,
		              parse(&config, xml, &bad[i], 1, &why));
}

GK_TEST(daemon_config, a_missing_schema_or_file_is_named)
{
	struct gkd_config *config;
	struct gkd_why why;

	gk_assert_err(GK_ERR_IO, gkd_config_parse(&config, "t.xml",
	                                          gk_slice_str("<test/>"),
	                                          "none.xsd", NULL, 0, &why));
	assert_non_null(strstr(why.text, "none.xsd"));
	gk_assert_err(GK_ERR_IO,
	              gkd_config_load(&config, "no/such.xml", "msec-test.xsd",
	                              NULL, 0, &why));
	assert_non_null(strstr(why.text, "no/such.xml: No such file"));
}

GK_TEST(daemon_config, an_oversized_file_is_refused)
{
	struct gk_buf big;
	struct gkd_config *config;
	struct gkd_why why;

	gk_assert_ok(gk_buf_alloc(&big, GKD_CONFIG_MAX + 1));
	memset(big.ptr, ' ', big.len);
	gk_assert_err(GK_ERR_VALUE,
	              gkd_config_parse(&config, "t.xml", gk_buf_slice(&big),
	                               "msec-test.xsd", NULL, 0, &why));
	gk_buf_free(&big);
}

GK_TEST(daemon_file, write_replaces_and_leaves_nothing_behind)
{
	char dir[GK_FOLDER_MAX], path[GK_FOLDER_MAX + 8];
	char grows[GK_FOLDER_MAX + 40], victim[GK_FOLDER_MAX + 8];
	struct gk_buf octets;
	struct stat st;

	assert_true(gk_folder_make(dir));
	snprintf(path, sizeof(path), "%s/f", dir);
	gk_assert_ok(gkd_file_write(path, 0600, gk_slice_str("one")));
	gk_assert_ok(gkd_file_write(path, 0600, gk_slice_str("two")));
	gk_assert_ok(gkd_file_read(path, 3, &octets));
	assert_true(gk_slice_equal(gk_buf_slice(&octets), gk_slice_str("two")));
	gk_buf_free(&octets);
	gk_assert_err(GK_ERR_SPACE, gkd_file_read(path, 2, &octets));
	/* What somebody put where the new file grows is not written to. */
	snprintf(grows, sizeof(grows), "%s.new.%ld", path, (long)getpid());
	snprintf(victim, sizeof(victim), "%s/victim", dir);
	gk_assert_ok(gkd_file_write(victim, 0644, gk_slice_str("his")));
	assert_int_equal(symlink(victim, grows), 0);
	gk_assert_ok(gkd_file_write(path, 0600, gk_slice_str("mine")));
	gk_assert_ok(gkd_file_read(victim, 9, &octets));
	assert_true(gk_slice_equal(gk_buf_slice(&octets), gk_slice_str("his")));
	gk_buf_free(&octets);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(unlink(victim), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0); /* and nothing else was in it */
	gk_assert_err(GK_ERR_IO, gkd_file_write(path, 0600, gk_slice_str("")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(daemon_config, values_arrive_with_their_types),
		GK_RUN(daemon_config,
		       errors_name_file_line_element_and_expectation),
		GK_RUN(daemon_config, semantic_errors_have_the_same_form),
		GK_RUN(daemon_config, set_overrides_before_the_schema_looks),
		GK_RUN(daemon_config, a_missing_schema_or_file_is_named),
		GK_RUN(daemon_config, an_oversized_file_is_refused),
		GK_RUN(daemon_file, write_replaces_and_leaves_nothing_behind),
	};
	const char *top = getenv("top_srcdir");
	char dirs[1024];

	snprintf(dirs, sizeof(dirs), "%s/common/daemon/tests:%s/common/daemon",
	         top != NULL ? top : ".", top != NULL ? top : ".");
	setenv("MSEC_DATADIR", dirs, 1);
	return cmocka_run_group_tests_name("common/daemon/config", tests, NULL,
	                                   NULL);
}

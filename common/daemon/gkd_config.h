/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_CONFIG_H
#define GKD_CONFIG_H

#include <stdbool.h>

#include "common/base/gk_base.h"
#include "common/daemon/gkd_addr.h"

/*
 * DOC: gkd_config - one XML file per daemon
 *
 * The file is checked against an installed XSD before anything looks at it, so
 * the getters below only meet what the schema lets through; what a schema cannot
 * say (a file that is missing, two settings that contradict each other) is
 * reported by the daemon with gkd_config_fail(), in the same form:
 *
 *   gcks.xml:17: <udp>: attribute 'port': '0' is not a valid ...
 *
 * Parsing resolves no entity, loads no DTD and asks no network.
 *
 * Elements are named by paths of names separated by '/', an attribute by '@' at
 * the end: "listen/udp@port".  In --set, "group[2]/rekey@ttl=8" takes the second
 * <group>; an attribute or a last element that is not there is added.
 *
 * XSDs are looked for in the directories of the environment variable
 * MSEC_DATADIR (separated by ':'), else in the installed one.
 */
#define GKD_CONFIG_MAX (1u << 20) /* octets of a configuration file */

struct gkd_config;
struct gkd_elem; /* an element; lives as long as its config */

struct gkd_why {
	char text[1024]; /* complete message: file, line, element, expected */
};

/* gkd_config_load - @set: "path=value" texts, @n_set of them.
 * GK_ERR_IO: the file cannot be read; GK_ERR_VALUE: it is wrong. */
GK_MUST_CHECK enum gk_err gkd_config_load(struct gkd_config **config,
                                          const char *path, const char *xsd,
                                          const char *const *set, size_t n_set,
                                          struct gkd_why *why);
/* The same from memory; @name stands for the file in messages, and paths are
 * relative to its directory. */
GK_MUST_CHECK enum gk_err gkd_config_parse(struct gkd_config **config,
                                           const char *name,
                                           struct gk_slice xml, const char *xsd,
                                           const char *const *set, size_t n_set,
                                           struct gkd_why *why);
void gkd_config_free(struct gkd_config *config);

const struct gkd_elem *gkd_config_root(const struct gkd_config *config);
/* gkd_elem_child - the first element at @path below @elem, or NULL. */
const struct gkd_elem *gkd_elem_child(const struct gkd_elem *elem,
                                      const char *path);
/* gkd_elem_next - the next sibling of the same name, or NULL. */
const struct gkd_elem *gkd_elem_next(const struct gkd_elem *elem);
/* gkd_elem_first, gkd_elem_sibling - all children, whatever their names. */
const struct gkd_elem *gkd_elem_first(const struct gkd_elem *elem);
const struct gkd_elem *gkd_elem_sibling(const struct gkd_elem *elem);
const char *gkd_elem_name(const struct gkd_elem *elem);
unsigned gkd_elem_line(const struct gkd_elem *elem);

/*
 * The value at @path ("", "a/b", "@x" or "a/b@x") below @elem.  Absent: the
 * default (a copy).  Present but wrong: GK_ERR_VALUE with @why.
 * White space around a value is removed.
 */
/* gkd_elem_text - owned by the config; @def when absent. */
const char *gkd_elem_text(const struct gkd_elem *elem, const char *path,
                          const char *def);
/* gkd_elem_has - there is such an element or attribute. */
bool gkd_elem_has(const struct gkd_elem *elem, const char *path);
/* gkd_elem_path - a file name; relative ones are taken from the directory of
 * the configuration file.  Owned by the config; NULL when absent. */
const char *gkd_elem_path(struct gkd_config *config,
                          const struct gkd_elem *elem, const char *path);
GK_MUST_CHECK enum gk_err gkd_elem_uint(const struct gkd_config *config,
                                        const struct gkd_elem *elem,
                                        const char *path, uint64_t min,
                                        uint64_t max, uint64_t def,
                                        uint64_t *value, struct gkd_why *why);
/* gkd_elem_bool - true, false, 1, 0, yes, no. */
GK_MUST_CHECK enum gk_err gkd_elem_bool(const struct gkd_config *config,
                                        const struct gkd_elem *elem,
                                        const char *path, bool def, bool *value,
                                        struct gkd_why *why);
/* gkd_elem_ms - a duration with its unit: 200ms, 5s, 10min, 2h, 7d. */
GK_MUST_CHECK enum gk_err gkd_elem_ms(const struct gkd_config *config,
                                      const struct gkd_elem *elem,
                                      const char *path, uint64_t min,
                                      uint64_t max, uint64_t def,
                                      uint64_t *value, struct gkd_why *why);
/* gkd_elem_addr - numeric address text; @port when it has none.  Absent:
 * GK_ERR_VALUE (test with gkd_elem_has()). */
GK_MUST_CHECK enum gk_err gkd_elem_addr(const struct gkd_config *config,
                                        const struct gkd_elem *elem,
                                        const char *path, uint16_t port,
                                        struct gkd_addr *value,
                                        struct gkd_why *why);
/* gkd_elem_enum - the index of the text in @names (NULL-terminated). */
GK_MUST_CHECK enum gk_err gkd_elem_enum(const struct gkd_config *config,
                                        const struct gkd_elem *elem,
                                        const char *path,
                                        const char *const *names, unsigned def,
                                        unsigned *value, struct gkd_why *why);
/* gkd_elem_file - the octets of the file named at @path, at most @max.
 * GK_ERR_IO with @why (file and line of the reference, name, strerror);
 * GK_ERR_UNEXPECTED when the value is absent. */
GK_MUST_CHECK enum gk_err gkd_elem_file(struct gkd_config *config,
                                        const struct gkd_elem *elem,
                                        const char *path, size_t max,
                                        struct gk_buf *octets,
                                        struct gkd_why *why);

/* gkd_config_fail - "file:line: <element>: text"; returns GK_ERR_VALUE. */
enum gk_err gkd_config_fail(const struct gkd_config *config,
                            const struct gkd_elem *elem, struct gkd_why *why,
                            const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* gkd_file_read - a whole file into @octets; GK_ERR_SPACE above @max,
 * GK_ERR_IO with errno. */
GK_MUST_CHECK enum gk_err gkd_file_read(const char *path, size_t max,
                                        struct gk_buf *octets);
/* gkd_file_write - to a temporary file beside it, synced, then renamed. */
GK_MUST_CHECK enum gk_err gkd_file_write(const char *path, unsigned mode,
                                         struct gk_slice octets);

#endif /* GKD_CONFIG_H */

/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_CONFIG_PRIVATE_H
#define GKD_CONFIG_PRIVATE_H

#include "common/daemon/gkd_config.h"

/* Between gkd_config.c, which knows libxml, and gkd_value.c, which does not. */

/* The text at @path, a fresh string without surrounding space, or NULL. */
char *gkd_config_content(const struct gkd_elem *elem, const char *path);
/* A copy of @text that lives as long as the config of @elem. */
char *gkd_config_keep(const struct gkd_elem *elem, const char *text);
const char *gkd_config_name(const struct gkd_config *config);

#endif /* GKD_CONFIG_PRIVATE_H */

/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_MEMORY_H
#define GKD_MEMORY_H

/*
 * gkd_memory_keep - for a key server, before it has threads: memory that a large
 * rekey has freed is kept for the next one, up to GKD_MEMORY_KEEP octets of each
 * arena.  Else malloc gives it back to the kernel, page by page, and the next
 * rekey waits for each page again, which may take as long as its wraps.
 *
 * Does nothing where the C library cannot be asked for it.
 */
#define GKD_MEMORY_KEEP (64 << 20)

void gkd_memory_keep(void);

#endif /* GKD_MEMORY_H */

/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_CONTROL_H
#define GKD_CONTROL_H

#include <jansson.h>

#include "common/daemon/gkd_loop.h"

/*
 * DOC: gkd_control - the operator's socket
 *
 * A UNIX stream socket, mode 0600; root and the daemon's own user are let in
 * (SO_PEERCRED).  One JSON object per line goes in,
 *
 *   {"cmd":"evict","args":["CN=gm3"]}
 *
 * and one comes out: {"ok":true,"result":...} or {"ok":false,"error":"..."}.
 * "args" are the words after the command on the msec-ctl command line, as
 * strings; a command may also look at further members of the request.
 *
 *   {"cmd":"subscribe","args":["events"]}
 *
 * turns the connection into a stream: the ok reply, then what
 * gkd_control_publish() says, one object per line.  Every daemon has the
 * commands "help" and "subscribe".  A request is at most
 * GKD_CONTROL_REQUEST octets; a subscriber that does not read loses its
 * connection.
 */
#define GKD_CONTROL_REQUEST 65536
#define GKD_CONTROL_CONNS 64
#define GKD_CONTROL_UNSENT (1u << 20)
#define GKD_CONTROL_WAITING (1u << 22) /* lines of other threads, all in all */

struct gkd_control;

struct gkd_command {
	const char *name;
	const char *args; /* for people, e.g. "NAME [GROUP]"; NULL: none */
	const char *help;
	/*
	 * run - in the loop's thread.  Returns the result, a new reference, or
	 * NULL with a text for the operator in @why (256 octets, prefilled
	 * with "failed").
	 */
	json_t *(*run)(void *state, const json_t *request, char why[256]);
};

/*
 * A result that is an array too long to be held: its items are made while the
 * reader takes them, and the line on the wire is the same.  Requests that follow
 * on the connection wait, and so does what is published to it.  Between two
 * calls other things happen in the daemon: the array is no snapshot.
 */
struct gkd_pieces {
	/* Appends items to @list, as many as are quickly made; false: that was
	 * all. */
	bool (*next)(void *ctx, json_t *list);
	void (*done)(void *ctx); /* the last call, also when nobody reads on */
	void *ctx;
};

/* gkd_control_pieces - inside a command's run(), which returns the result; NULL: no
 * memory, and done() has been called. */
GK_MUST_CHECK json_t *gkd_control_pieces(struct gkd_control *control,
                                         const struct gkd_pieces *pieces);

/* gkd_control_open - @commands ends with a zero row and outlives the socket.
 * An existing socket that nobody answers on is replaced; GK_ERR_IO with
 * EADDRINUSE when a daemon lives there. */
GK_MUST_CHECK enum gk_err gkd_control_open(struct gkd_control **control,
                                           struct gkd_loop *loop,
                                           const char *path,
                                           const struct gkd_command *commands,
                                           void *state);
void gkd_control_close(struct gkd_control *control);

/*
 * gkd_control_stream - name a stream.  @first (may be NULL) is asked at each
 * subscription for an array of objects that describe the state so far; they
 * precede everything that is published later.
 */
GK_MUST_CHECK enum gk_err gkd_control_stream(
	struct gkd_control *control, const char *name,
	json_t *(*first)(void *state, const json_t *request), void *state);
/* gkd_control_publish - @object is stolen.  In the loop's thread. */
void gkd_control_publish(struct gkd_control *control, const char *stream,
                         json_t *object);
/* gkd_control_followed - does anybody follow the stream?  From any thread. */
bool gkd_control_followed(struct gkd_control *control, const char *stream);
/* gkd_control_publish_line - text that is one JSON object.  From any thread. */
void gkd_control_publish_line(struct gkd_control *control, const char *stream,
                              const char *line);
/*
 * What a request says of itself besides its arguments.  "uid" is the user at
 * the other end of the socket, put there by this side whatever was sent; the
 * member "operator" is a name that msec-ctl gives and nobody has checked;
 * "message" is why.
 */
#define GKD_CONTROL_UID "uid"
#define GKD_CONTROL_OPERATOR "operator"
#define GKD_CONTROL_MESSAGE "message"

/* gkd_control_arg - the @i-th of "args" as text, or NULL. */
const char *gkd_control_arg(const json_t *request, size_t i);

#endif /* GKD_CONTROL_H */

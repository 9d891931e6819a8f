/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/daemon/gkd_accept.h"
#include "common/daemon/gkd_control_socket.h"
#include "common/daemon/gkd_events.h"
#include "common/daemon/gkd_log.h"

#define STREAMS_MAX 8

struct stream {
	char name[32];
	json_t *(*first)(void *state, const json_t *request);
	void *state;
};

struct conn {
	TAILQ_ENTRY(conn) entry;
	struct gkd_control *control;
	struct bufferevent *bev;
	uid_t uid;        /* of the peer */
	unsigned streams; /* bit i: subscribed to stream i */
	bool busy;        /* a request of it is being handled ... */
	bool dead;        /* ... and it is to go afterwards */
	bool leaving;     /* the peer says no more, and waits for its answer */
	struct gkd_pieces pieces; /* of the answer under way; next NULL: none */
	bool began;               /* an item of it has been sent */
	struct evbuffer *held;    /* published meanwhile */
};

struct gkd_control {
	struct gkd_loop *loop;
	struct gkd_accept *listener;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	const struct gkd_command *commands;
	void *state;
	TAILQ_HEAD(, conn) conns;
	unsigned n_conns;
	struct stream stream[STREAMS_MAX];
	unsigned n_streams;
	struct gkd_pieces pieces; /* of the command that is running */
	/* Lines of other threads on their way to the loop; they may arrive
	 * after the socket is gone. */
	struct mailbox *mailbox;
};

struct mailbox {
	pthread_mutex_t lock;
	unsigned refs;
	atomic_uint streams; /* bits: those that somebody follows */
	unsigned lost;       /* bits: those with lines that had no room */
	size_t waiting;      /* octets of letters that are not delivered */
	struct gkd_control *control; /* NULL: closed */
};

struct letter {
	struct mailbox *mailbox;
	size_t len;
	char stream[32];
	char line[];
};

/* Other threads look here before they write a letter. */
static void
count_followers(struct gkd_control *control)
{
	unsigned streams = 0;
	struct conn *conn;

	TAILQ_FOREACH (conn, &control->conns, entry)
		streams |= conn->streams;
	atomic_store(&control->mailbox->streams, streams);
}

/* ---- connections ------------------------------------------------------- */

static void
conn_free(struct conn *conn)
{
	/* A command may publish to the very connection that it came from. */
	if (conn->busy) {
		conn->dead = true;
		return;
	}
	TAILQ_REMOVE(&conn->control->conns, conn, entry);
	conn->control->n_conns--;
	if (conn->streams != 0)
		count_followers(conn->control);
	if (conn->pieces.next != NULL && conn->pieces.done != NULL)
		conn->pieces.done(conn->pieces.ctx);
	if (conn->held != NULL)
		evbuffer_free(conn->held);
	bufferevent_free(conn->bev);
	free(conn);
}

/* What the socket takes at once; the connection is about to go.  A bufferevent
 * keeps others from writing its output, so that has to be allowed first. */
static void
flush(struct conn *conn)
{
	struct evbuffer *out = bufferevent_get_output(conn->bev);

	(void)evbuffer_unfreeze(out, 1);
	(void)evbuffer_write(out, bufferevent_getfd(conn->bev));
}

/* When the reader is too slow, the connection is gone afterwards, or as soon as
 * its request has been handled. */
static void
put_line(struct conn *conn, const char *text)
{
	struct evbuffer *out = bufferevent_get_output(conn->bev);

	if (conn->dead)
		return;
	if (conn->pieces.next != NULL)
		out = conn->held; /* not into the middle of an answer */
	/* What is already waiting counts: one long answer is not an offence. */
	if (evbuffer_get_length(out) > GKD_CONTROL_UNSENT) {
		gkd_log(LOG_WARNING, "io",
		        "control: a subscriber does not read; closed");
		conn_free(conn);
		return;
	}
	evbuffer_add(out, text, strlen(text));
	evbuffer_add(out, "\n", 1);
}

static void
put_json(struct conn *conn, const json_t *json)
{
	char *text = gkd_json_line(json);

	if (text != NULL) {
		put_line(conn, text);
		gk_wipe(text, strlen(text)); /* a key stream carries keys */
	}
	free(text);
}

/* ---- answers in pieces -------------------------------------------------- */

#define PIECE_FULL 65536 /* octets that wait: enough for now ... */
#define PIECE_LOW 16384  /* ... until so few are left */

json_t *
gkd_control_pieces(struct gkd_control *control, const struct gkd_pieces *pieces)
{
	json_t *result = json_array();

	if (result != NULL)
		control->pieces = *pieces;
	else if (pieces->done != NULL)
		pieces->done(pieces->ctx);
	return result;
}

static void
put_items(struct conn *conn, struct evbuffer *out, const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		char *text = gkd_json_line(item);

		if (text == NULL)
			continue;
		if (conn->began)
			evbuffer_add(out, ",", 1);
		conn->began = true;
		evbuffer_add(out, text, strlen(text));
		free(text);
	}
}

static void
end_pieces(struct conn *conn, struct evbuffer *out)
{
	evbuffer_add(out, "]}\n", 3);
	if (conn->pieces.done != NULL)
		conn->pieces.done(conn->pieces.ctx);
	conn->pieces = (struct gkd_pieces){ 0 };
	evbuffer_add_buffer(out, conn->held);
}

static void
put_pieces(struct conn *conn)
{
	struct evbuffer *out = bufferevent_get_output(conn->bev);
	bool more = true;

	while (more && evbuffer_get_length(out) < PIECE_FULL) {
		json_t *list = json_array();

		more = list != NULL &&
		       conn->pieces.next(conn->pieces.ctx, list);
		put_items(conn, out, list);
		json_decref(list);
	}
	if (!more)
		end_pieces(conn, out);
}

static void
begin_pieces(struct conn *conn)
{
	struct gkd_control *control = conn->control;

	if (conn->held == NULL)
		conn->held = evbuffer_new();
	if (conn->held == NULL) {
		if (control->pieces.done != NULL)
			control->pieces.done(control->pieces.ctx);
		control->pieces = (struct gkd_pieces){ 0 };
		conn_free(conn);
		return;
	}
	evbuffer_add_printf(bufferevent_get_output(conn->bev),
	                    "{\"ok\":true,\"result\":[");
	conn->pieces = control->pieces;
	conn->began = false;
	control->pieces = (struct gkd_pieces){ 0 };
	put_pieces(conn);
}

static void
put_error(struct conn *conn, const char *why)
{
	json_t *reply =
		json_pack("{s:b, s:o}", "ok", 0, "error", gkd_json_text(why));

	put_json(conn, reply);
	json_decref(reply);
}

static void
put_result(struct conn *conn, json_t *result)
{
	json_t *reply = json_pack("{s:b, s:o}", "ok", 1, "result", result);

	put_json(conn, reply);
	json_decref(reply);
}

/* ---- commands ---------------------------------------------------------- */

const char *
gkd_control_arg(const json_t *request, size_t i)
{
	return json_string_value(
		json_array_get(json_object_get(request, "args"), i));
}

static json_t *
help(const struct gkd_control *control)
{
	json_t *list = json_array();

	for (const struct gkd_command *c = control->commands; c->name != NULL;
	     c++)
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s}", "command", c->name,
		                        "args", c->args != NULL ? c->args : "",
		                        "help", c->help));
	json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "command",
	                                      "subscribe", "args", "STREAM",
	                                      "help", "follow a stream"));
	return list;
}

static void
subscribe(struct conn *conn, const json_t *request)
{
	struct gkd_control *control = conn->control;
	const char *name = gkd_control_arg(request, 0);
	json_t *first;
	size_t i;

	for (i = 0; name != NULL && i < control->n_streams; i++)
		if (strcmp(control->stream[i].name, name) == 0)
			break;
	if (name == NULL || i == control->n_streams) {
		put_error(conn, "no such stream");
		return;
	}
	put_result(conn, json_object());
	conn->streams |= 1u << i;
	count_followers(control);
	if (control->stream[i].first == NULL)
		return;
	first = control->stream[i].first(control->stream[i].state, request);
	for (i = 0; i < json_array_size(first); i++)
		put_json(conn, json_array_get(first, i));
	json_decref(first);
}

static void
dispatch(struct conn *conn, const json_t *request)
{
	struct gkd_control *control = conn->control;
	const char *cmd = json_string_value(json_object_get(request, "cmd"));
	const struct gkd_command *c = control->commands;
	char why[256] = "failed";
	json_t *result;

	if (cmd == NULL) {
		put_error(conn, "expected {\"cmd\":\"...\"}");
		return;
	}
	if (strcmp(cmd, "help") == 0) {
		put_result(conn, help(control));
		return;
	}
	if (strcmp(cmd, "subscribe") == 0) {
		subscribe(conn, request);
		return;
	}
	while (c->name != NULL && strcmp(c->name, cmd) != 0)
		c++;
	if (c->name == NULL) {
		put_error(conn, "no such command; 'help' lists them");
		return;
	}
	result = c->run(control->state, request, why);
	if (result != NULL && control->pieces.next != NULL) {
		json_decref(result);
		begin_pieces(conn);
	} else if (result != NULL)
		put_result(conn, result);
	else
		put_error(conn, why);
}

static void
handle_line(struct conn *conn, const char *line, size_t n)
{
	json_error_t error;
	json_t *request = json_loadb(line, n, JSON_REJECT_DUPLICATES, &error);

	json_object_set_new(request, GKD_CONTROL_UID, json_integer(conn->uid));
	if (json_is_object(request))
		dispatch(conn, request);
	else
		put_error(conn, "not a JSON object");
	json_decref(request);
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct conn *conn = arg;
	char *line;
	size_t n;

	while (conn->pieces.next == NULL &&
	       (line = evbuffer_readln(in, &n, EVBUFFER_EOL_LF)) != NULL) {
		conn->busy = true;
		if (n > 0)
			handle_line(conn, line, n);
		conn->busy = false;
		free(line);
		if (conn->dead) {
			conn_free(conn);
			return;
		}
	}
	if (conn->pieces.next == NULL &&
	    evbuffer_get_length(in) > GKD_CONTROL_REQUEST)
		conn_free(conn);
}

/* The reader has taken most of what there was. */
static void
on_write(struct bufferevent *bev, void *arg)
{
	struct conn *conn = arg;

	if (conn->pieces.next != NULL) {
		put_pieces(conn);
		if (conn->pieces.next == NULL)
			on_read(bev, arg); /* what was asked meanwhile */
	} else if (conn->leaving &&
	           evbuffer_get_length(bufferevent_get_output(bev)) == 0) {
		conn_free(conn);
	}
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *conn = arg;

	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) == 0)
		return;
	/* Half-closed by a one-shot client: its answers go out first. */
	conn->leaving =
		(what & BEV_EVENT_EOF) != 0 &&
		(conn->pieces.next != NULL ||
	         (conn->streams == 0 &&
	          evbuffer_get_length(bufferevent_get_output(bev)) != 0));
	if (!conn->leaving)
		conn_free(conn);
}

static void
on_accept(void *arg, int fd, const struct gkd_addr *peer)
{
	struct gkd_control *control = arg;
	struct conn *conn = NULL;
	uid_t uid;

	(void)peer;
	if (!gkd_control_may_enter(fd, &uid))
		gkd_log(LOG_WARNING, "auth", "control: other user refused");
	else if (control->n_conns >= GKD_CONTROL_CONNS)
		gkd_log(LOG_WARNING, "io", "control: too many connections");
	else
		conn = calloc(1, sizeof(*conn));
	if (conn == NULL) {
		close(fd);
		return;
	}
	conn->control = control;
	conn->uid = uid;
	conn->bev = bufferevent_socket_new(gkd_loop_base(control->loop), fd,
	                                   BEV_OPT_CLOSE_ON_FREE);
	if (conn->bev == NULL) {
		close(fd);
		free(conn);
		return;
	}
	TAILQ_INSERT_TAIL(&control->conns, conn, entry);
	control->n_conns++;
	bufferevent_setwatermark(conn->bev, EV_READ, 0,
	                         GKD_CONTROL_REQUEST + 1);
	bufferevent_setwatermark(conn->bev, EV_WRITE, PIECE_LOW, 0);
	bufferevent_setcb(conn->bev, on_read, on_write, on_event, conn);
	bufferevent_enable(conn->bev, EV_READ | EV_WRITE);
}

/* ---- the socket -------------------------------------------------------- */

enum gk_err
gkd_control_open(struct gkd_control **control, struct gkd_loop *loop,
                 const char *path, const struct gkd_command *commands,
                 void *state)
{
	struct gkd_accept_ops ops = { .accepted = on_accept };
	struct gkd_control *c;
	enum gk_err err;
	int fd;

	if (strlen(path) >= sizeof(c->path)) {
		errno = ENAMETOOLONG;
		return GK_ERR_IO;
	}
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return GK_ERR_NOMEM;
	TAILQ_INIT(&c->conns);
	c->loop = loop;
	c->commands = commands;
	c->state = state;
	fd = gkd_control_listen(path);
	if (fd < 0) {
		free(c);
		return GK_ERR_IO;
	}
	snprintf(c->path, sizeof(c->path), "%s", path);
	c->mailbox = calloc(1, sizeof(*c->mailbox));
	if (c->mailbox == NULL) {
		close(fd);
		gkd_control_close(c);
		return GK_ERR_NOMEM;
	}
	pthread_mutex_init(&c->mailbox->lock, NULL);
	c->mailbox->refs = 1;
	c->mailbox->control = c;
	ops.arg = c;
	err = gkd_accept_new(&c->listener, loop, fd, &ops);
	if (err != GK_OK) {
		gkd_control_close(c);
		return err;
	}
	*control = c;
	return GK_OK;
}

static void
mailbox_drop(struct mailbox *mailbox)
{
	unsigned left;

	pthread_mutex_lock(&mailbox->lock);
	left = --mailbox->refs;
	pthread_mutex_unlock(&mailbox->lock);
	if (left != 0)
		return;
	pthread_mutex_destroy(&mailbox->lock);
	free(mailbox);
}

void
gkd_control_close(struct gkd_control *control)
{
	struct conn *conn;

	if (control == NULL)
		return;
	while ((conn = TAILQ_FIRST(&control->conns)) != NULL) {
		/* The answer to "stop" is still to be written. */
		flush(conn);
		conn_free(conn);
	}
	gkd_accept_free(control->listener);
	if (control->path[0] != '\0')
		unlink(control->path);
	if (control->mailbox != NULL) {
		control->mailbox->control = NULL;
		mailbox_drop(control->mailbox);
	}
	free(control);
}

/* ---- streams ----------------------------------------------------------- */

enum gk_err
gkd_control_stream(struct gkd_control *control, const char *name,
                   json_t *(*first)(void *state, const json_t *request),
                   void *state)
{
	struct stream *s;

	if (control->n_streams == STREAMS_MAX)
		return GK_ERR_SPACE;
	s = &control->stream[control->n_streams++];
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->first = first;
	s->state = state;
	return GK_OK;
}

static unsigned
bit_of(const struct gkd_control *control, const char *stream)
{
	for (unsigned i = 0; i < control->n_streams; i++)
		if (strcmp(control->stream[i].name, stream) == 0)
			return 1u << i;
	return 0;
}

static void
publish_text(struct gkd_control *control, const char *stream, const char *text)
{
	unsigned bit = bit_of(control, stream);
	struct conn *conn, *next;

	for (conn = TAILQ_FIRST(&control->conns); conn != NULL; conn = next) {
		next = TAILQ_NEXT(conn, entry);
		if ((conn->streams & bit) != 0)
			put_line(conn, text);
	}
}

void
gkd_control_publish(struct gkd_control *control, const char *stream,
                    json_t *object)
{
	char *text = control != NULL ? gkd_json_line(object) : NULL;

	if (text != NULL) {
		publish_text(control, stream, text);
		gk_wipe(text, strlen(text));
	}
	free(text);
	json_decref(object);
}

/* A stream with a hole in it is none: its followers have to begin again. */
static void
cut_off(struct gkd_control *control, unsigned streams)
{
	struct conn *conn, *next;

	for (conn = TAILQ_FIRST(&control->conns); conn != NULL; conn = next) {
		next = TAILQ_NEXT(conn, entry);
		if ((conn->streams & streams) == 0)
			continue;
		gkd_log(LOG_WARNING, "io",
		        "control: more lines than could be delivered; closed");
		conn_free(conn);
	}
}

static void
deliver(void *arg)
{
	struct letter *letter = arg;
	struct mailbox *mailbox = letter->mailbox;
	unsigned lost;

	pthread_mutex_lock(&mailbox->lock);
	mailbox->waiting -= letter->len;
	lost = mailbox->lost;
	mailbox->lost = 0;
	pthread_mutex_unlock(&mailbox->lock);
	/* Read without the lock: it changes in this thread only. */
	if (mailbox->control != NULL) {
		publish_text(mailbox->control, letter->stream, letter->line);
		cut_off(mailbox->control, lost);
	}
	mailbox_drop(mailbox);
	free(letter);
}

/* Is it worth a letter?  A flood of refusals must not fill the memory with
 * lines that nobody follows, or faster than they can be delivered. */
static bool
admit_letter(struct mailbox *mailbox, unsigned bit, size_t len)
{
	bool ok;

	pthread_mutex_lock(&mailbox->lock);
	ok = (atomic_load(&mailbox->streams) & bit) != 0;
	if (ok && mailbox->waiting + len > GKD_CONTROL_WAITING) {
		mailbox->lost |= bit;
		ok = false;
	}
	if (ok) {
		mailbox->refs++;
		mailbox->waiting += len;
	}
	pthread_mutex_unlock(&mailbox->lock);
	return ok;
}

bool
gkd_control_followed(struct gkd_control *control, const char *stream)
{
	return (atomic_load(&control->mailbox->streams) &
	        bit_of(control, stream)) != 0;
}

void
gkd_control_publish_line(struct gkd_control *control, const char *stream,
                         const char *line)
{
	struct mailbox *mailbox = control->mailbox;
	size_t len = sizeof(struct letter) + strlen(line) + 1;
	struct letter *letter;

	if (!admit_letter(mailbox, bit_of(control, stream), len))
		return;
	letter = malloc(len);
	if (letter != NULL) {
		letter->mailbox = mailbox;
		letter->len = len;
		memcpy(letter->line, line, len - sizeof(*letter));
		snprintf(letter->stream, sizeof(letter->stream), "%s", stream);
		if (gkd_loop_post(control->loop, deliver, letter) == GK_OK)
			return;
		free(letter);
	}
	pthread_mutex_lock(&mailbox->lock);
	mailbox->waiting -= len;
	pthread_mutex_unlock(&mailbox->lock);
	mailbox_drop(mailbox);
}

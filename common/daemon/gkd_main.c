/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_main.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/base/gk_check.h"
#include "common/crypto/gk_crypto.h"
#include "common/daemon/gkd_check.h"
#include "common/daemon/gkd_privilege.h"

/* Whoever starts a program whose checks can be switched off shall see it, on
 * the terminal, whatever it is started for, and in the log. */
#ifdef GK_CHECK_SWITCHES
#define SWITCHES 1
#else
#define SWITCHES 0
#endif

#define SETS_MAX 64
#define COMMANDS_MAX 48
#define FILES_DEFAULT 4096
#define SECURE_HEAP (1u << 20) /* octets of locked memory for private keys */

struct options {
	const char *config;
	const char *events;
	uint64_t events_max; /* octets */
	const char *keylog;
	const char *set[SETS_MAX];
	size_t n_set;
	int level; /* -1: as configured */
	bool check;
};

enum {
	OPT_SET = 256,
	OPT_EVENTS,
	OPT_EVENTS_MAX,
	OPT_KEYLOG,
	OPT_LEVEL,
	OPT_CHECK,
	OPT_VERSION,
	OPT_FOREGROUND
};

static void
usage(const struct gkd_program *program, FILE *to)
{
	fprintf(to,
	        "usage: %s --config FILE [options]\n"
	        "%s\n\n"
	        "  -c, --config FILE     XML configuration, checked against %s\n"
	        "      --check-config    check it and exit\n"
	        "      --set PATH=VALUE  override a value (may be repeated)\n"
	        "      --events FD|FILE  one JSON object per event\n"
	        "      --events-max MIB  FILE becomes FILE.1 then [16]; 0: never\n"
	        "      --keylog FILE     write every key to FILE (laboratories)\n"
	        "      --log-level LEVEL error, warning, notice, info, debug\n"
	        "      --foreground      stay in the foreground (always so)\n"
	        "  -h, --help            this text\n"
	        "  -V, --version         name and version\n\n"
	        "Exit status: 0 ended as asked, 1 failure, 2 usage,\n"
	        "3 configuration, 4 store, 5 network or port in use,\n"
	        "6 not authorised or against the policy.\n",
	        program->name, program->summary, program->xsd);
}

static bool
parse_mib(const char *text, uint64_t *octets)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*octets = (uint64_t)n << 20;
	return *text >= '0' && *text <= '9' && *end == '\0' && n <= 1 << 20;
}

static int
misused(const struct gkd_program *program, const struct options *o,
        const char *surplus)
{
	if (surplus != NULL)
		fprintf(stderr, "%s: unexpected argument '%s'%s\n",
		        program->name, surplus,
		        o->config == NULL
		                ? "; a configuration is named with --config"
		                : "");
	else
		fprintf(stderr, "%s: --config is missing\n", program->name);
	usage(program, stderr);
	return GKD_EXIT_USAGE;
}

static int
not_a(const struct gkd_program *program, const char *what)
{
	fprintf(stderr, "%s: '%s' is not a %s\n", program->name, optarg, what);
	return GKD_EXIT_USAGE;
}

/* Returns -1 to go on, else an exit status. */
static int
parse_options(const struct gkd_program *program, struct options *o, int argc,
              char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "set", required_argument, NULL, OPT_SET },
		{ "events", required_argument, NULL, OPT_EVENTS },
		{ "events-max", required_argument, NULL, OPT_EVENTS_MAX },
		{ "keylog", required_argument, NULL, OPT_KEYLOG },
		{ "log-level", required_argument, NULL, OPT_LEVEL },
		{ "check-config", no_argument, NULL, OPT_CHECK },
		{ "foreground", no_argument, NULL, OPT_FOREGROUND },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*o = (struct options){ .level = -1, .events_max = GKD_EVENTS_MAX };
	while ((c = getopt_long(argc, argv, "c:hV", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case OPT_SET:
			if (o->n_set == SETS_MAX) {
				fprintf(stderr, "%s: too many --set\n",
				        program->name);
				return GKD_EXIT_USAGE;
			}
			o->set[o->n_set++] = optarg;
			break;
		case OPT_EVENTS:
			o->events = optarg;
			break;
		case OPT_EVENTS_MAX:
			if (parse_mib(optarg, &o->events_max))
				break;
			return not_a(program, "size in MiB");
		case OPT_KEYLOG:
			o->keylog = optarg;
			break;
		case OPT_LEVEL:
			o->level = gkd_log_level_parse(optarg);
			if (o->level >= 0)
				break;
			return not_a(program, "log level");
		case OPT_CHECK:
			o->check = true;
			break;
		case OPT_FOREGROUND:
			break; /* daemons do not fork; service managers do */
		case 'h':
			usage(program, stdout);
			return GKD_EXIT_OK;
		case 'V':
			printf("%s (%s) %s\n", program->name, PACKAGE_NAME,
			       PACKAGE_VERSION);
			return GKD_EXIT_OK;
		default:
			usage(program, stderr);
			return GKD_EXIT_USAGE;
		}
	}
	if (optind != argc || o->config == NULL)
		return misused(program, o,
		               optind != argc ? argv[optind] : NULL);
	return -1;
}

/* ---- commands that every daemon has ------------------------------------- */

static json_t *
cmd_status(void *state, const json_t *request, char why[256])
{
	struct gkd_daemon *d = state;
	json_t *own = d->program->status != NULL ? d->program->status(d)
	                                         : json_object();

	(void)request;
	if (own == NULL) {
		snprintf(why, 256, "out of memory");
		return NULL;
	}
	json_object_set_new(own, "program", json_string(d->program->name));
	json_object_set_new(own, "version", json_string(PACKAGE_VERSION));
	json_object_set_new(own, "pid", json_integer(getpid()));
	json_object_set_new(own, "log_lines_suppressed",
	                    json_integer((json_int_t)gkd_log_suppressed()));
	return own;
}

static json_t *
cmd_counters(void *state, const json_t *request, char why[256])
{
	struct gkd_daemon *d = state;

	(void)request;
	(void)why;
	return gkd_counters_json(d->counters);
}

static json_t *
cmd_refusals(void *state, const json_t *request, char why[256])
{
	struct gkd_daemon *d = state;

	(void)request;
	(void)why;
	return gkd_counters_refusals(d->counters);
}

static json_t *
cmd_keylog(void *state, const json_t *request, char why[256])
{
	struct gkd_daemon *d = state;

	(void)request;
	(void)why;
	return json_pack("{s:o}", "keylog",
	                 d->keylog_path != NULL ? gkd_json_text(d->keylog_path)
	                                        : json_null());
}

static json_t *
cmd_stop(void *state, const json_t *request, char why[256])
{
	(void)request;
	(void)why;
	gkd_daemon_stop(state, GKD_EXIT_OK);
	return json_object();
}

void
gkd_reload_fault(struct gkd_daemon *d, const char *reason)
{
	if (d->reload_fault[0] == '\0')
		snprintf(d->reload_fault, sizeof(d->reload_fault), "%s",
		         reason);
}

void
gkd_reload_failed(struct gkd_daemon *d, const char *reason)
{
	gkd_reload_fault(d, reason);
	gkd_log(LOG_ERR, "cfg", "not reloaded: %s", reason);
	gkd_events_emit(d->events, "reload-failed",
	                json_pack("{s:o}", "reason", gkd_json_text(reason)));
}

static json_t *
cmd_reload(void *state, const json_t *request, char why[256])
{
	struct gkd_daemon *d = state;

	(void)request;
	if (d->program->reload == NULL) {
		snprintf(why, 256, "nothing to reload");
		return NULL;
	}
	d->reload_fault[0] = '\0';
	d->program->reload(d);
	if (d->reload_fault[0] == '\0')
		return json_object();
	snprintf(why, 256, "%s", d->reload_fault);
	return NULL;
}

static const struct gkd_command common_commands[] = {
	{ "status", NULL, "what this daemon is doing", cmd_status },
	{ "counters", NULL, "messages, and refusals by requirement id",
	  cmd_counters },
	{ "refusals", NULL, "the last refusals with their reasons",
	  cmd_refusals },
	{ "keylog", NULL, "where keys are logged to, if anywhere", cmd_keylog },
	{ "reload", NULL,
	  "read certificates and CRLs again, and what else the manual says "
	  "(as SIGHUP)",
	  cmd_reload },
	{ "stop", NULL, "end this daemon", cmd_stop },
};

/* ---- life -------------------------------------------------------------- */

void
gkd_daemon_stop(struct gkd_daemon *d, enum gkd_exit exit)
{
	d->exit = exit;
	gkd_loop_stop(d->loop);
}

static void
on_stop(void *arg)
{
	gkd_daemon_stop(arg, GKD_EXIT_OK);
}

static void
on_reload(void *arg)
{
	struct gkd_daemon *d = arg;

	gkd_events_emit(d->events, "reload", NULL);
	if (d->program->reload != NULL)
		d->program->reload(d);
}

static void
on_status(void *arg)
{
	struct gkd_daemon *d = arg;
	char why[256];
	json_t *status = cmd_status(d, NULL, why);
	char *text = status != NULL ? gkd_json_line(status) : NULL;

	if (text != NULL)
		gkd_log(LOG_NOTICE, "io", "status %s", text);
	free(text);
	gkd_events_emit(d->events, "status", status);
}

static void
on_event_line(void *arg, const char *text)
{
	struct gkd_daemon *d = arg;

	gkd_control_publish_line(d->control, "events", text);
}

static bool
events_followed(void *arg)
{
	const struct gkd_daemon *d = arg;

	return gkd_control_followed(d->control, "events");
}

static enum gkd_exit
open_control(struct gkd_daemon *d, struct gkd_command *table,
             struct gkd_why *why)
{
	const char *path = gkd_elem_path(d->config, gkd_config_root(d->config),
	                                 "control@socket");
	size_t n = 0;

	if (path == NULL)
		return GKD_EXIT_OK;
	for (const struct gkd_command *c = d->program->commands;
	     c != NULL && c->name != NULL && n < COMMANDS_MAX; c++)
		table[n++] = *c;
	for (size_t i = 0; i < GK_COUNT(common_commands) && n < COMMANDS_MAX;
	     i++)
		table[n++] = common_commands[i];
	table[n] = (struct gkd_command){ 0 };
	if (gkd_control_open(&d->control, d->loop, path, table, d) != GK_OK ||
	    gkd_control_stream(d->control, "events", NULL, NULL) != GK_OK) {
		snprintf(why->text, sizeof(why->text),
		         "control socket '%s': %s", path, strerror(errno));
		return GKD_EXIT_NETWORK;
	}
	gkd_events_tap(d->events, on_event_line, events_followed, d);
	return GKD_EXIT_OK;
}

static void
on_secret(void *ctx, const char *line)
{
	gkd_keylog_write(ctx, "%s", line);
}

static enum gkd_exit
open_outputs(struct gkd_daemon *d, const struct options *o, struct gkd_why *why)
{
	const struct gkd_elem *root = gkd_config_root(d->config);
	const char *target = gkd_elem_text(root, "log@target", "stderr");
	int level = o->level;

	if (level < 0)
		level = gkd_log_level_parse(
			gkd_elem_text(root, "log@level", "info"));
	gkd_log_open(d->program->name,
	             strcmp(target, "syslog") == 0 ? GKD_LOG_SYSLOG
	                                           : GKD_LOG_STDERR,
	             level);
	if (gkd_events_open(&d->events, o->events) != GK_OK) {
		snprintf(why->text, sizeof(why->text), "--events %s: %s",
		         o->events != NULL ? o->events : "", strerror(errno));
		return GKD_EXIT_FAILURE;
	}
	gkd_events_limit(d->events, o->events_max);
	if (o->keylog != NULL &&
	    gkd_keylog_open(&d->keylog, o->keylog) != GK_OK) {
		snprintf(why->text, sizeof(why->text), "--keylog %s: %s",
		         o->keylog, strerror(errno));
		return GKD_EXIT_FAILURE;
	}
	if (d->keylog != NULL) {
		d->keylog_path = o->keylog;
		d->env.ctx = d->keylog;
		d->env.secret = on_secret;
	}
	return GKD_EXIT_OK;
}

/* The file is locked as long as the daemon lives; a stale one is reused. */
static enum gkd_exit
write_pid(struct gkd_daemon *d, struct gkd_why *why)
{
	const char *path = gkd_elem_path(d->config, gkd_config_root(d->config),
	                                 "run@pid-file");
	int fd;

	if (path == NULL)
		return GKD_EXIT_OK;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0 ||
	    ftruncate(fd, 0) != 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
		snprintf(why->text, sizeof(why->text), "pid file '%s': %s",
		         path,
		         errno == EWOULDBLOCK ? "another one is running"
		                              : strerror(errno));
		if (fd >= 0)
			close(fd);
		return GKD_EXIT_FAILURE;
	}
	return GKD_EXIT_OK; /* the descriptor stays open, for the lock */
}

static enum gkd_exit
confine(struct gkd_daemon *d, struct gkd_why *why)
{
	const struct gkd_elem *root = gkd_config_root(d->config);
	bool sandbox;

	if (gkd_elem_bool(d->config, root, "run@sandbox", true, &sandbox,
	                  why) != GK_OK)
		return GKD_EXIT_CONFIG;
	if (gkd_privilege_drop(gkd_elem_text(root, "run@user", NULL),
	                       gkd_elem_text(root, "run@group", NULL),
	                       why) != GK_OK ||
	    gkd_privilege_limit(d->program->files_max != 0
	                                ? d->program->files_max
	                                : FILES_DEFAULT,
	                        why) != GK_OK)
		return GKD_EXIT_FAILURE;
	if (!sandbox)
		gkd_log(LOG_WARNING, "io", "the system call filter is off");
	else if (gkd_sandbox_enter(d->program->syscalls, why) != GK_OK)
		return GKD_EXIT_FAILURE;
	return GKD_EXIT_OK;
}

static enum gkd_exit
live(struct gkd_daemon *d, const struct options *o, struct gkd_why *why)
{
	struct gkd_command table[COMMANDS_MAX + 1];
	const struct gkd_elem *root = gkd_config_root(d->config);
	enum gkd_exit rc = GKD_EXIT_OK;

	if (gkd_privilege_files(gkd_elem_text(root, "run@user", NULL),
	                        gkd_elem_text(root, "run@group", NULL),
	                        why) != GK_OK)
		rc = GKD_EXIT_CONFIG;
	if (rc == GKD_EXIT_OK)
		rc = open_outputs(d, o, why);
	if (rc == GKD_EXIT_OK && SWITCHES)
		gkd_log(LOG_ALERT, "io", GK_NOT_FOR_USE, d->program->name,
		        gk_checks_off());
	if (rc == GKD_EXIT_OK)
		rc = write_pid(d, why);
	if (rc == GKD_EXIT_OK)
		rc = d->program->start(d, why);
	if (rc == GKD_EXIT_OK)
		rc = open_control(d, table, why);
	if (rc == GKD_EXIT_OK)
		rc = confine(d, why);
	if (rc == GKD_EXIT_OK && d->program->ready != NULL)
		rc = d->program->ready(d, why);
	if (rc == GKD_EXIT_OK) {
		gkd_service_notify("READY=1");
		gkd_log(LOG_NOTICE, "io", "ready: %s %s, '%s'",
		        d->program->name, PACKAGE_VERSION, o->config);
		gkd_events_emit(
			d->events, "ready",
			json_pack("{s:s}", "program", d->program->name));
		if (gkd_loop_run(d->loop) != GK_OK) {
			snprintf(why->text, sizeof(why->text), "loop: %s",
			         strerror(errno));
			rc = GKD_EXIT_FAILURE;
		}
		gkd_service_notify("STOPPING=1");
	}
	d->program->stop(d);
	if (rc == GKD_EXIT_OK)
		gkd_events_emit(d->events, "stopped", NULL);
	if (d->events != NULL)
		gkd_events_tap(d->events, NULL, NULL, NULL);
	gkd_control_close(d->control);
	return rc;
}

static enum gkd_exit
prepare(struct gkd_daemon *d, const struct options *o, struct gkd_why *why)
{
	const struct gkd_signals signals = { on_stop, on_reload, on_status, d };
	enum gkd_exit rc;

	if (gkd_config_load(&d->config, o->config, d->program->xsd, o->set,
	                    o->n_set, why) != GK_OK)
		return GKD_EXIT_CONFIG;
	d->counters = gkd_counters_new();
	d->loop = gkd_loop_new();
	if (d->counters == NULL || d->loop == NULL ||
	    gkd_loop_signals(d->loop, &signals) != GK_OK) {
		snprintf(why->text, sizeof(why->text), "out of memory");
		return GKD_EXIT_FAILURE;
	}
	rc = d->program->check(d, why);
	if (rc == GKD_EXIT_OK && o->check &&
	    gkd_check_places(d->config, why) != GK_OK)
		rc = GKD_EXIT_CONFIG;
	return rc;
}

int
gkd_main(const struct gkd_program *program, void *state, int argc, char **argv)
{
	struct gkd_daemon d = { .program = program, .state = state };
	struct gkd_why why = { "" };
	struct options o;
	enum gkd_exit rc;
	int early;

	/* Descriptors 0, 1, 2 must not become sockets by accident. */
	while ((early = open("/dev/null", O_RDWR)) >= 0 && early <= 2)
		continue;
	if (early > 2)
		close(early);
	gk_checks_say(program->name);
	early = parse_options(program, &o, argc, argv);
	if (early >= 0)
		return early;
	/* What is said before the configuration says where and how much. */
	gkd_log_open(program->name, GKD_LOG_STDERR, LOG_INFO);
	gkd_env_init(&d.env);
	/* Before any key is read.  Where memory cannot be locked, private keys
	 * live on the ordinary heap. */
	if (gk_crypto_init(SECURE_HEAP, false) != GK_OK &&
	    gk_crypto_init(0, false) != GK_OK) {
		fprintf(stderr, "%s: the crypto provider does not start\n",
		        program->name);
		return GKD_EXIT_FAILURE;
	}
	d.only_checked = o.check;
	rc = prepare(&d, &o, &why);
	if (rc != GKD_EXIT_OK || o.check) {
		if (d.config != NULL && d.loop != NULL)
			program->stop(&d);
		if (rc == GKD_EXIT_OK)
			printf("%s: good\n", o.config);
	} else {
		rc = live(&d, &o, &why);
	}
	if (rc != GKD_EXIT_OK)
		fprintf(stderr, "%s: %s\n", program->name, why.text);
	gkd_keylog_close(d.keylog);
	gkd_events_close(d.events);
	gkd_loop_free(d.loop);
	gkd_counters_free(d.counters);
	gkd_config_free(d.config);
	return rc != GKD_EXIT_OK ? (int)rc : (int)d.exit;
}

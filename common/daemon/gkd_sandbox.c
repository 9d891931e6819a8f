/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>

#include "common/base/gk_base.h"
#include "common/daemon/gkd_privilege.h"

/* Why a running daemon needs each system call. */
static const char *const permitted[] = {
	/* clang-format off */
	/* waiting */
	"epoll_wait", "epoll_pwait", "epoll_ctl", /* the loop */
	"epoll_create1",        /* a worker's loop made late */
	"poll", "ppoll",        /* libevent's fallback, SQLite's busy wait */
	"eventfd2", "timerfd_create", "timerfd_settime", /* loop wake-up, timers */
	"pipe2",                /* wake-up where eventfd is missing */
	"nanosleep", "clock_nanosleep", /* SQLite waits for a lock */
	"restart_syscall",      /* after SIGSTOP and SIGCONT */
	/* time and randomness */
	"clock_gettime", "gettimeofday", "time", "clock_getres",
	"getrandom",            /* nonces, keys */
	/* sockets */
	"recvmsg", "recvmmsg", "recvfrom", /* datagrams */
	"sendmsg", "sendmmsg", "sendto",   /* datagrams, the service manager */
	"read", "readv", "write", "writev", /* TCP, control socket, event log */
	"accept4", "accept",    /* TCP and control socket */
	"socket", "connect", "bind", "listen", /* TCP to a key server, rejoin */
	"shutdown", "getsockname", "getpeername",
	"setsockopt", "getsockopt", /* multicast joins, SO_ERROR, SO_PEERCRED */
	"ioctl",                /* FIONREAD of libevent, interface lookup */
	"fcntl", "close", "dup", "dup3",
	/* files: configuration and CRLs on reload, the store */
	"openat", "open", "creat", "stat", "fstat", "lstat", "newfstatat", "statx",
	"access", "faccessat", "faccessat2", "lseek", "pread64", "pwrite64",
	"fsync", "fdatasync", "sync_file_range", /* commit before send */
	"ftruncate", "fallocate", "unlink", "unlinkat", /* the store's journal */
	"rename", "renameat", "renameat2", "umask", "mkdir", /* tokens to files */
	"fchmod", "chmod", "fchown", "flock", "getdents64",
	"getcwd", "readlink", "readlinkat", "statfs", "fstatfs",
	/* memory */
	"brk", "mmap", "munmap", "mremap", "madvise", "mlock", "munlock",
	"mprotect",             /* thread stacks and arenas of malloc */
	/* threads */
	"clone", "clone3",      /* workers; starting a program needs execve too */
	"futex", "set_robust_list", "rseq", "sched_yield", "sched_getaffinity",
	"set_tid_address", "gettid", "getpid", "tgkill", "getppid", "membarrier",
	"prctl",                /* a thread's name */
	"sysinfo",              /* the number of processors */
	/* signals */
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
	/* who is asking */
	"getuid", "geteuid", "getgid", "getegid", "getrlimit", "prlimit64",
	"uname", "getrusage",
	/* the end */
	"exit", "exit_group",
#if GK_ASAN
	/* The leak check at exit stops and reads this process. */
	"ptrace", "wait4", "process_vm_readv", "kill", "getdents", "arch_prctl",
#endif
	/* clang-format on */
};

/* Nothing here has an honest use after start: who tries is not us. */
static const char *const fatal[] = {
	"execve",
	"execveat",
#if !GK_ASAN
	"ptrace",
	"process_vm_readv",
#endif
	"process_vm_writev",
};

static bool
add(scmp_filter_ctx ctx, uint32_t action, const char *name)
{
	int number = seccomp_syscall_resolve_name(name);

	/* Not on this architecture: nothing to permit. */
	if (number == __NR_SCMP_ERROR || number < 0)
		return true;
	return seccomp_rule_add(ctx, action, number, 0) == 0;
}

enum gk_err
gkd_sandbox_enter(const char *const *more, struct gkd_why *why)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	bool ok = ctx != NULL;
	int rc = 0;

	/* Threads that already run are put under the filter too. */
	ok = ok && seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1) == 0;
	for (size_t i = 0; ok && i < GK_COUNT(permitted); i++)
		ok = add(ctx, SCMP_ACT_ALLOW, permitted[i]);
	for (size_t i = 0; ok && i < GK_COUNT(fatal); i++)
		ok = add(ctx, SCMP_ACT_KILL_PROCESS, fatal[i]);
	for (; ok && more != NULL && *more != NULL; more++)
		ok = add(ctx, SCMP_ACT_ALLOW, *more);
	if (ok)
		rc = seccomp_load(ctx);
	if (ctx != NULL)
		seccomp_release(ctx);
	if (ok && rc == 0)
		return GK_OK;
	snprintf(why->text, sizeof(why->text), "system call filter: %s",
	         rc != 0 ? strerror(-rc) : "cannot be built");
	return GK_ERR_IO;
}

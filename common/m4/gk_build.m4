dnl SPDX-License-Identifier: BSD-2-Clause

# GK_TRY_CFLAG(flag) - add the flag to GK_WARN_CFLAGS if the compiler takes it.
AC_DEFUN([GK_TRY_CFLAG], [
  AC_MSG_CHECKING([whether $CC accepts $1])
  gk_save_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS -Werror $1"
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
    [AC_MSG_RESULT([yes]); GK_WARN_CFLAGS="$GK_WARN_CFLAGS $1"],
    [AC_MSG_RESULT([no])])
  CFLAGS=$gk_save_CFLAGS
])

AC_DEFUN([GK_WARNINGS], [
  AC_ARG_ENABLE([werror],
    [AS_HELP_STRING([--enable-werror], [treat warnings as errors (CI does)])],
    [], [enable_werror=no])
  m4_foreach_w([gk_flag], [-Wall -Wextra -Wconversion -Wshadow
    -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual
    -Wwrite-strings -Wvla -Wformat=2 -Wimplicit-fallthrough],
    [GK_TRY_CFLAG(gk_flag)])
  AS_IF([test "x$enable_werror" = xyes],
    [GK_WARN_CFLAGS="$GK_WARN_CFLAGS -Werror"])
  AC_SUBST([GK_WARN_CFLAGS])
])

AC_DEFUN([GK_SANITIZERS], [
  AC_ARG_WITH([sanitizers],
    [AS_HELP_STRING([--with-sanitizers@<:@=LIST@:>@],
      [address,undefined when given without LIST])],
    [], [with_sanitizers=no])
  AS_IF([test "x$with_sanitizers" = xyes],
    [with_sanitizers=address,undefined])
  AS_IF([test "x$with_sanitizers" != xno], [
    GK_SAN_FLAGS="-fsanitize=$with_sanitizers -fno-sanitize-recover=all -fno-omit-frame-pointer"
    gk_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS $GK_SAN_FLAGS"
    AC_LINK_IFELSE([AC_LANG_PROGRAM()], [],
      [AC_MSG_ERROR([$CC does not support $GK_SAN_FLAGS])])
    CFLAGS=$gk_save_CFLAGS
  ])
  AC_SUBST([GK_SAN_FLAGS])
])

AC_DEFUN([GK_FUZZING], [
  AC_ARG_ENABLE([fuzzing],
    [AS_HELP_STRING([--enable-fuzzing],
      [link the fuzz targets with libFuzzer (needs clang)])],
    [], [enable_fuzzing=no])
  AS_IF([test "x$enable_fuzzing" = xyes], [
    gk_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -fsanitize=fuzzer-no-link"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
      [GK_FUZZ_CFLAGS="-fsanitize=fuzzer-no-link"
       GK_FUZZ_LDFLAGS="-fsanitize=fuzzer"],
      [AC_MSG_ERROR([--enable-fuzzing needs CC=clang])])
    CFLAGS=$gk_save_CFLAGS
  ])
  AM_CONDITIONAL([FUZZING], [test "x$enable_fuzzing" = xyes])
  AC_SUBST([GK_FUZZ_CFLAGS])
  AC_SUBST([GK_FUZZ_LDFLAGS])
])

# A build for `./lab ledger --prove`: see common/base/gk_check.h.
AC_DEFUN([GK_SWITCHES], [
  AC_ARG_ENABLE([check-switches],
    [AS_HELP_STRING([--enable-check-switches],
      [checks can be switched off one by one, to see that their tests fail then; such a build cannot be installed])],
    [], [enable_check_switches=no])
  AS_IF([test "x$enable_check_switches" = xyes],
    [AC_DEFINE([GK_CHECK_SWITCHES], [1],
      [Define so that MSEC_CHECK_OFF can switch checks off])
    INSTALL_PROGRAM="sh -c 'echo configured with --enable-check-switches: not to be installed >&2; exit 1'"
    INSTALL_STRIP_PROGRAM=$INSTALL_PROGRAM])
])

AC_DEFUN([GK_TESTS], [
  AC_ARG_ENABLE([tests],
    [AS_HELP_STRING([--disable-tests], [build without cmocka; no make check])],
    [], [enable_tests=yes])
  AS_IF([test "x$enable_tests" = xyes],
    [PKG_CHECK_MODULES([CMOCKA], [cmocka >= 1.1.5])])
  AM_CONDITIONAL([TESTS_WANTED], [test "x$enable_tests" = xyes])
])

# OpenSSL allocates a few hundred times for a registration.  Only the key
# servers are linked with it, by its file name: no headers are needed.
AC_DEFUN([GK_ALLOCATOR], [
  AC_ARG_WITH([tcmalloc],
    [AS_HELP_STRING([--without-tcmalloc],
      [the key servers use malloc of the C library (default: that of gperftools, if it is there and there are no sanitizers: a registration costs a tenth less)])],
    [], [with_tcmalloc=maybe])
  AS_IF([test "x$with_sanitizers" != xno || test "x$enable_fuzzing" = xyes], [
    AS_IF([test "x$with_tcmalloc" = xyes],
      [AC_MSG_ERROR([--with-tcmalloc and sanitizers exclude each other])])
    with_tcmalloc=no])
  AS_IF([test "x$with_tcmalloc" != xno], [
    gk_save_LIBS=$LIBS
    gk_found=no
    for gk_lib in -ltcmalloc_minimal -l:libtcmalloc_minimal.so.4; do
      AC_MSG_CHECKING([for $gk_lib])
      LIBS="$gk_lib $gk_save_LIBS"
      AC_LINK_IFELSE([AC_LANG_PROGRAM([[int tc_set_new_mode(int);]],
          [[return tc_set_new_mode(0);]])],
        [AC_MSG_RESULT([yes]); gk_found=$gk_lib; break],
        [AC_MSG_RESULT([no])])
    done
    LIBS=$gk_save_LIBS
    AS_IF([test "x$gk_found" != xno],
      [GK_ALLOCATOR_LIBS="-Wl,--push-state,--no-as-needed $gk_found -Wl,--pop-state"
       with_tcmalloc=yes],
      [AS_IF([test "x$with_tcmalloc" = xyes],
        [AC_MSG_ERROR([--with-tcmalloc: there is no libtcmalloc_minimal])])
       with_tcmalloc=no])
  ])
  AC_SUBST([GK_ALLOCATOR_LIBS])
])

AC_DEFUN([GK_PTHREAD], [
  AC_CHECK_LIB([pthread], [pthread_create], [PTHREAD_LIBS=-lpthread],
    [AC_MSG_ERROR([POSIX threads are needed])])
  AC_SUBST([PTHREAD_LIBS])
])

#!/bin/sh
# Run the fuzz targets with libFuzzer, ASan and UBSan, each for a while.
#
#   common/fuzz/campaign.sh [-m MINUTES] [-j JOBS] [-b BUILDDIR] [TARGET...]
#
# Builds with clang into BUILDDIR (default build-fuzz), starts from the corpora
# in the tree and the test vectors, keeps what it finds new in BUILDDIR/corpus and
# findings in BUILDDIR/findings.  A line per target; exit 1 when there was a finding.
set -eu
minutes=10 jobs=2 build=build-fuzz
while getopts m:j:b:h opt; do
	case $opt in
	m) minutes=$OPTARG ;;
	j) jobs=$OPTARG ;;
	b) build=$OPTARG ;;
	*) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
[ -x configure ] || autoreconf -fi >/dev/null 2>&1
mkdir -p "$build/corpus" "$build/findings"
cd "$build"
build=$(pwd)
[ -f Makefile ] || CC="${CC:-clang}" CFLAGS="-O1 -g" "$top/configure" -q \
	--enable-fuzzing --with-sanitizers
targets=$(make -s print-fuzz-targets)
[ $# -eq 0 ] || targets=$*
# shellcheck disable=SC2086
make -s -j2 $targets
# The vectors need the packages of the Python tests; without them there are none.
(cd "$top/interop" && /usr/bin/python3 -m msec_scapy.vectors --seeds "$build/seeds") 2>/dev/null ||
	echo "no seeds from the vectors: see ./lab test for what is missing"
one() {
	target=$1
	name=$(basename "$target")
	seeds=$top/$(dirname "$target")/corpus/$name
	mkdir -p "$build/corpus/$name"
	[ -d "$seeds" ] || seeds=
	[ -d "$build/seeds/$name" ] && seeds="$seeds $build/seeds/$name"
	if "$build/$target" -max_total_time=$((minutes * 60)) -timeout=25 \
		-rss_limit_mb=2048 -print_final_stats=1 -max_len=16384 \
		-artifact_prefix="$build/findings/$name-" \
		"$build/corpus/$name" $seeds >"$build/$name.log" 2>&1; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$name.log")
		echo "clean    $name: $minutes minutes, $runs runs"
	else
		echo "FINDING  $name: see $build/$name.log and $build/findings"
		touch "$build/findings/.found"
	fi
}
rm -f "$build/findings/.found"
running=0
for t in $targets; do
	one "$t" &
	running=$((running + 1))
	if [ "$running" -ge "$jobs" ]; then
		wait
		running=0
	fi
done
wait
[ ! -e "$build/findings/.found" ]

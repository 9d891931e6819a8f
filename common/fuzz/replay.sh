#!/bin/sh
# Replay every fuzz target's corpus (TAP).  A target is ROOM/fuzz/fuzz_NAME, its
# corpus is the folder ROOM/fuzz/corpus/fuzz_NAME in the source tree.
set -u
n=0
for t in $FUZZ_TARGETS; do n=$((n + 1)); done
if [ "$n" -eq 0 ]; then
	echo "1..0 # SKIP no fuzz targets in this build"
	exit 0
fi
echo "1..$n"
i=0
for t in $FUZZ_TARGETS; do
	i=$((i + 1))
	corpus=$top_srcdir/$(dirname "$t")/corpus/$(basename "$t")
	files=$(find "$corpus" -type f 2>/dev/null | wc -l)
	if [ "$files" -eq 0 ]; then
		echo "not ok $i - $t has no corpus in $corpus"
		continue
	fi
	if out=$(find "$corpus" -type f -print0 |
		xargs -0 "$top_builddir/$t" 2>&1); then
		echo "ok $i - $t survives its $files files"
	else
		echo "not ok $i - $t"
		echo "$out" | sed 's/^/# /' | tail -40
	fi
done

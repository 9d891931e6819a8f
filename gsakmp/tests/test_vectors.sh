#!/bin/sh
# The committed vectors and the register of choices are those of this build
# (TAP).
set -u
dump=$top_builddir/gsakmp/tests/dump_vectors
vectors=$top_srcdir/interop/vectors/gsakmp.json
choices=$top_srcdir/common/doc/choices.md
echo "1..2"

if "$dump" | cmp - "$vectors"; then
	echo "ok 1 - vectors__are_what_is_computed_now"
else
	echo "not ok 1 - vectors__are_what_is_computed_now"
	echo "# if the change is meant: dump_vectors >$vectors"
fi

# Every switch has a row in the register, with all of its readings in the same
# order, the default first.
"$dump" dialect >choices-$$.list
bad=$(awk -F'|' '
NR == FNR { want[substr($0, 1, index($0, " ") - 1)] = $0; next }
/^\| `/ {
	name = $2; gsub(/[ `]/, "", name)
	if (!(name in want)) next
	line = name; rest = $4
	while (match(rest, /(^|; *)[ ]*`[^`]+`/)) {
		value = substr(rest, RSTART, RLENGTH); gsub(/[;` ]/, "", value)
		line = line " " value
		rest = substr(rest, RSTART + RLENGTH)
	}
	if (line != want[name])
		print "# register: " line "\n# build:    " want[name]
	delete want[name]
}
END { for (name in want) print "# not in the register: " want[name] }
' choices-$$.list "$choices")
rm -f choices-$$.list
if [ -z "$bad" ]; then
	echo "ok 2 - dialect__is_what_the_register_of_choices_says"
else
	echo "not ok 2 - dialect__is_what_the_register_of_choices_says"
	echo "$bad"
fi

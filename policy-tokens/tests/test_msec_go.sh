#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# msec-go as an operator uses it: editions, exclusions, restarts, bad starts.
. "$top_srcdir/policy-tokens/tests/pki.sh"
MSEC_DATADIR=$top_srcdir/policy-tokens/owner:$top_srcdir/common/daemon
export MSEC_DATADIR
go=$top_builddir/msec-go
token=$top_builddir/msec-token
ctl="$top_builddir/msec-ctl $dir/go.sock"
pid=
trap '[ -z "$pid" ] || kill $pid 2> /dev/null; rm -rf "$dir"' EXIT

$token new --group news --ca ca.pem --gcks CN=gcks,O=MSEC \
	--members 'CN=*,O=MSEC' -o p.xml
cat > go.xml <<'XML'
<msec-go>
  <owner certificate="go.pem" key="go.key"/>
  <trust><root file="ca.pem"/></trust>
  <store path="go.db"/>
  <control socket="go.sock"/>
  <group name="news" policy="p.xml" deliver-to="news.tok"/>
</msec-go>
XML

# start: the daemon, until it says that it is ready (it also says when it fails)
start()
{
	mkfifo events
	$go --config go.xml --events events 2> log &
	pid=$!
	while read -r line; do
		case $line in *'"ready"'*) break ;; esac
	done < events
	rm events
}

stop()
{
	kill "$pid"
	wait "$pid"
	status=$?
	pid=
	return $status
}

verify()
{
	$token verify news.tok --root ca.pem --owner "CN=Group Owner,O=MSEC" \
		"$@"
}

check "configuration is good" 0 $go --config go.xml --check-config
start
check "first edition is in the file" 0 verify
check "it is edition 1" 0 says out "edition  *1$"
cp news.tok one.tok
check "groups" 0 $ctl groups
check "exclude" 0 $top_builddir/msec-ctl --message "left the company" \
	"$dir/go.sock" exclude CN=mallory,O=MSEC
check "the next edition is in the file" 0 verify --last one.tok
check "it refuses mallory" 1 $token explain news.tok \
	--identity CN=mallory,O=MSEC --ca ca.pem
check "by the exclusion" 0 says out RFC4534-B.1.2-02
check "exclude again" 1 $ctl exclude CN=mallory,O=MSEC
check "exclude somebody whom nothing admits" 1 $ctl exclude CN=x,O=Other
check "exclude what is no name" 1 $ctl exclude mallory
check "history" 0 $ctl history
check "has two editions" 0 says out "^2 "
check "it says what" 0 says out "exclude CN=mallory,O=MSEC"
check "and why" 0 says out "left the company"
check "and who" 0 says out " $(id -un) "
check "history as JSON" 0 $top_builddir/msec-ctl --json "$dir/go.sock" history
check "the user is the one of the socket" 0 says out "\"uid\": $(id -u)"
check "diff" 0 $ctl diff 1 2
check "names the exclusion" 0 says out mallory
check "and nothing else" 0 test "$(grep -c CN= out)" = 1
cp news.tok two.tok
check "clean stop" 0 stop
check "store is not for others" 0 test "$(stat -c %a go.db)" = 600

rm news.tok
start
check "restart delivers the edition in force" 0 cmp news.tok two.tok
check "history after a restart" 0 $ctl history
check "remembers why" 0 says out "left the company"
check "nobody has answered" 0 $ctl answers
check "readmit" 0 $ctl readmit CN=mallory,O=MSEC
check "it admits mallory" 0 $token explain news.tok \
	--identity CN=mallory,O=MSEC --ca ca.pem
check "edition 3 is newer" 0 verify --last two.tok
check "publish" 0 $ctl publish "$dir/p.xml"
check "edition 4" 0 says out "edition  *4$"
sed 's/<rule.*//' p.xml > bad.xml
check "publish a contradiction" 1 $ctl publish "$dir/bad.xml"
check "it is named" 0 says err "admits nobody"
sed 's/random="[0-9a-f]*"/random="ffffffffffffffff"/' p.xml > bad.xml
check "publish the policy of another group" 1 $ctl publish "$dir/bad.xml"
check "publish a missing file" 1 $ctl publish "$dir/missing.xml"
check "still edition 4" 0 $ctl groups
check "nothing was skipped" 0 says out " 4 "
check "export" 0 $ctl export "$dir/export.tok"
check "is the edition in force" 0 cmp export.tok news.tok
kill -9 "$pid"
wait "$pid" 2> /dev/null
pid=
start
check "kill -9 loses nothing" 0 cmp export.tok news.tok
check "and the next edition is 5" 0 $ctl exclude CN=bob,O=MSEC
check "5" 0 says out "edition  *5$"
check "clean stop again" 0 stop

sed 's/key="go.key"/key="gcks.key"/' go.xml > bad.xml
check "wrong key" 3 $go --config bad.xml --check-config
check "names file and line" 0 says err "bad.xml:2:"
sed 's/policy="p.xml"/policy="missing.xml"/' go.xml > bad.xml
check "missing policy" 3 $go --config bad.xml --check-config
sed 's/<store.*//' go.xml > bad.xml
check "schema violation" 3 $go --config bad.xml --check-config
check "names the line" 0 says err "bad.xml:[0-9]*:"
echo "this is no database, whatever its name says........" > junk.db
sed 's/go.db/junk.db/' go.xml > bad.xml
check "store that is none" 4 $go --config bad.xml
plan

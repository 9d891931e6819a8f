#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# msec-token as a person uses it: every subcommand, every exit status.
. "$top_srcdir/policy-tokens/tests/pki.sh"
token=$top_builddir/msec-token
owner="CN=Group Owner,O=MSEC"

check "help" 0 $token --help
for c in new compile decompile show sign verify diff lint announce explain \
	keyid static-key
do
	check "help of $c" 0 $token $c --help
done
check "no command" 2 $token
check "unknown command" 2 $token frobnicate
check "option of another command" 2 $token lint --key go.key x.xml
check "missing operand" 2 $token compile

check "template" 0 $token new --template one-to-many --group news \
	--ca ca.pem --gcks CN=gcks,O=MSEC --members 'CN=*,O=MSEC' \
	--sender CN=alice,O=MSEC -o p.xml
check "template that does not exist" 2 $token new --template opera
check "template is clean" 0 $token lint p.xml
for t in conference sensors distributed; do
	check "template $t" 0 $token new --template $t --ca ca.pem -o $t.xml
	check "template $t compiles" 0 $token compile $t.xml -o $t.der
	check "template $t is clean" 0 $token lint $t.xml
	check "template $t gives no warning" 1 test -s out
done
check "sensors have timestamps" 0 says sensors.xml 'timestamp="true"'
check "sites have subordinates" 0 says distributed.xml autonomous
check "subordinates are named" 0 $token new --template distributed \
	--ca ca.pem --sub-gcks CN=north,O=MSEC --sub-gcks CN=south,O=MSEC \
	-o sites.xml
check "and may rekey" 0 test "$(grep -c CN=north,O=MSEC sites.xml)" = 3
check "suite 1 compiles" 0 $token new --suite suite-1 --ca ca.pem -o s1.xml
check "lint warns of suite 1" 0 $token lint s1.xml
check "SHA-1 is named" 0 says out weak-hash
check "1024-bit group is named" 0 says out weak-key-exchange

check "compile" 0 $token compile p.xml -o p.der
check "decompile" 0 $token decompile p.der -o q.xml
check "XML to DER to XML is the same document" 0 cmp p.xml q.xml
check "compile again" 0 $token compile q.xml -o q.der
check "DER to XML to DER is the same octets" 0 cmp p.der q.der

check "sign" 0 $token sign p.xml --edition 1 --key go.key --cert go.pem \
	-o p1.tok
check "sign a compiled token" 0 $token sign p.der --edition 2 --key go.key \
	--cert go.pem --signing-time 2090-01-01T00:00:00Z -o p2.tok
check "sign with the wrong key" 3 $token sign p.xml --key gcks.key \
	--cert go.pem -o bad.tok
check "sign what is signed" 3 $token sign p1.tok --key go.key --cert go.pem
check "verify" 0 $token verify p1.tok --root ca.pem --owner "$owner"
check "verify by certificate" 0 $token verify p1.tok --owner-cert go.pem
check "openssl verifies it too" 0 openssl cms -verify -binary -inform DER \
	-in p1.tok -CAfile ca.pem -purpose any -out content.der
check "verify: another owner" 1 $token verify p1.tok --root ca.pem \
	--owner "CN=gcks,O=MSEC"
check "the requirement is named" 0 says err RFC4534-2-08
check "verify: newer than the last" 0 $token verify p2.tok --last p1.tok \
	--root ca.pem --owner "$owner"
check "verify: older than the last" 1 $token verify p1.tok --last p2.tok \
	--root ca.pem --owner "$owner"
check "verify: expired" 1 $token verify p1.tok --root ca.pem \
	--owner "$owner" --now 2090-01-01T00:00:00Z
check "verify without an owner" 2 $token verify p1.tok --root ca.pem
check "verify an unsigned token" 3 $token verify p.der --owner-cert go.pem
check "verify as JSON" 0 $token verify p1.tok --owner-cert go.pem --json
check "JSON says so" 0 says out '"verified": true'

check "show" 0 $token show p1.tok
check "show warns" 0 says out UNVERIFIED
check "show of a draft" 0 $token show p.xml
check "show says unsigned" 0 says out UNSIGNED
check "show with an owner verifies" 0 $token show p1.tok --owner-cert go.pem
check "and does not warn" 1 says out UNVERIFIED
check "show with the wrong owner shows nothing" 1 $token show p1.tok \
	--owner-cert gcks.pem
check "nothing" 1 says out group
check "show as JSON" 0 $token show p1.tok --json
check "JSON says unverified" 0 says out '"standing": "UNVERIFIED"'

check "diff of equals" 0 $token diff p.xml p.der
check "diff" 1 $token diff p1.tok p2.tok
check "diff names the edition" 0 says out 'edition="2"'

check "explain: a member" 0 $token explain p1.tok --cert alice.pem \
	--root ca.pem
check "explain: a stranger" 1 $token explain p1.tok --cert mallory.pem \
	--root ca.pem
check "the rule is named" 0 says out RFC4534-B.1.2-01
check "explain: not a sender" 1 $token explain p1.tok --as sender \
	--identity CN=gcks,O=MSEC --ca ca.pem
check "explain: the key server" 0 $token explain p1.tok --as gcks \
	--cert gcks.pem --root ca.pem
check "explain: may rekey" 0 $token explain p1.tok --as rekey \
	--cert gcks.pem --root ca.pem

check "dry run: all members" 0 $token explain p1.tok --root ca.pem alice.pem \
	gcks.pem
check "alice sends" 0 says out "^alice.pem: .*admitted as member, sender$"
check "gcks serves" 0 says out "^gcks.pem: .*member, gcks, rekey$"
check "and each rule is told" 0 says out "rule 1 of accessRule"
check "dry run: one is a stranger" 1 $token explain p1.tok --root ca.pem \
	alice.pem mallory.pem
check "mallory is nothing" 0 says out "^mallory.pem: .*refused$"
check "dry run as key server" 1 $token explain p1.tok --as gcks \
	--root ca.pem gcks.pem alice.pem
check "dry run: another root" 1 $token explain p1.tok --root alice.pem \
	gcks.pem
check "says why" 0 says out "^gcks.pem: .*refused: "
cat alice.pem ca.pem > chain.pem
check "dry run without roots" 0 $token explain p1.tok chain.pem
check "says that it only assumes" 0 says out "not validated"
check "dry run of a draft, as JSON" 1 $token explain p.xml --json \
	--root ca.pem alice.pem mallory.pem
check "JSON has the roles" 0 says out '"as": \[\]'
check "and the rules" 0 says out '"list": "accessRule"'
check "dry run of no certificate" 3 $token explain p.xml alice.key
check "certificates twice" 2 $token explain p.xml --cert alice.pem gcks.pem

check "static key" 0 $token static-key -o s.key --public s.pub
check "is nobody else's" 0 test "$(stat -c %a s.key)" = 600
check "openssl reads it" 0 openssl pkey -in s.key -check -noout
check "and its public value" 0 openssl pkey -pubin -in s.pub -noout
check "static key is not overwritten" 4 $token static-key -o s.key \
	--public t.pub
for k in x25519 modp2048 modp1024; do
	check "static key $k" 0 $token static-key --key-exchange $k \
		-o $k.key --public $k.pub
	check "openssl reads $k" 0 openssl pkey -in $k.key -noout
done
check "static key of no group" 2 $token static-key --key-exchange p999 \
	-o u.key --public u.pub
check "static key without a public file" 2 $token static-key -o u.key

check "key identifier" 0 $token keyid ca.pem
check "is that of openssl" 0 says p.xml "$(cut -d' ' -f1 out)"

check "announce" 0 $token announce --token p1.tok \
	--key-server 192.0.2.1 --key-server '[2001:db8::1]:4000=CN=gcks,O=MSEC' \
	--rekey 239.1.1.1:3761 --data 239.1.1.2:5000@192.0.2.1 \
	--key go.key --cert go.pem -o a.xml
check "announcement verifies" 0 $token announce --verify a.xml \
	--root ca.pem --owner "$owner"
sed 's/5000/5001/' a.xml > b.xml
check "changed announcement does not" 1 $token announce --verify b.xml \
	--root ca.pem --owner "$owner"
check "announcement of another owner does not" 1 $token announce --verify \
	a.xml --owner-cert gcks.pem
check "announce without a key server" 2 $token announce --token p1.tok
check "announce with a bad address" 2 $token announce --token p1.tok \
	--key-server gcks.example
check "announce a group of GDOI by a number that it has not" 3 $token announce \
	--token p1.tok --key-server 192.0.2.1 --number 7
check "unsigned announcement is written" 0 $token announce --token p1.tok \
	--key-server 192.0.2.1 -o c.xml
check "and signed later" 0 $token announce c.xml --key go.key \
	--cert go.pem -o d.xml

sed 's/transport="udp" terse/transport="pigeon" terse/' p.xml > bad.xml
check "schema violation" 3 $token compile bad.xml -o bad.der
check "names file and line" 0 says err "^bad.xml:[0-9]*: <gsakmp>"
sed '/<authorization>/,/<\/authorization>/c <authorization/>' p.xml > bad.xml
check "contradiction" 3 $token compile bad.xml -o bad.der
check "names file, line and code" 0 says err \
	"^bad.xml:[0-9]*: error: .*no-rekey-authority"
check "nothing was written" 1 test -e bad.der
check "missing file" 4 $token compile missing.xml -o bad.der
head -c 300 p.der > cut.der
check "truncated token" 3 $token show cut.der
check "names the octet" 0 says err "octet"
plan

# SPDX-License-Identifier: BSD-2-Clause
# Sourced: a root, the Group Owner, a key server, a member, a stranger; TAP.

dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
cd "$dir" || exit 99

pki_leaf() # NAME SUBJECT
{
	openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
	openssl req -new -key "$1.key" -subj "$2" -out "$1.csr"
	openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key \
		-CAcreateserial -days 2 -extfile leaf.ext -out "$1.pem"
}

{
	openssl ecparam -name prime256v1 -genkey -noout -out ca.key
	openssl req -new -x509 -key ca.key -subj "/O=MSEC/CN=Root" -days 2 \
		-addext basicConstraints=critical,CA:TRUE \
		-addext keyUsage=keyCertSign,cRLSign -out ca.pem
	printf 'keyUsage=digitalSignature\nsubjectKeyIdentifier=hash\n' \
		> leaf.ext
	pki_leaf go "/O=MSEC/CN=Group Owner"
	pki_leaf gcks "/O=MSEC/CN=gcks"
	pki_leaf alice "/O=MSEC/CN=alice"
	pki_leaf mallory "/O=Evil/CN=mallory"
} > pki.log 2>&1 || { cat pki.log >&2; exit 99; }

count=0
# check NAME EXPECTED-STATUS COMMAND...: one TAP line; output in "out" and "err"
check()
{
	name=$1 want=$2
	shift 2
	count=$((count + 1))
	if [ "$1" = says ]; then
		"$@"
	else
		"$@" > out 2> err
	fi
	got=$?
	if [ "$got" = "$want" ]; then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name"
		echo "# $*: exit status $got instead of $want"
		sed 's/^/# /' err
	fi
}

# says FILE TEXT: for check; looks at what the command before left
says()
{
	grep -q -e "$2" "$1"
}

plan()
{
	echo "1..$count"
}

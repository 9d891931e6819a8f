# SPDX-License-Identifier: BSD-2-Clause
"""The lab's certificates are good or bad for the reason they claim; OpenSSL's own verifier is the judge."""
import subprocess

import pytest

from lab.pki import KINDS, Pki


@pytest.fixture(scope="module", params=KINDS)
def pki(request, tmp_path_factory):
    return Pki(tmp_path_factory.mktemp(request.param), request.param)


def verdict(pki, party, *options):
    r = subprocess.run(["openssl", "verify", "-auth_level", "0", "-x509_strict", "-CAfile", pki.root.cert, "-untrusted", party.chain,
                        *options, party.cert], capture_output=True, text=True)
    return (r.stdout + r.stderr).replace("\n", " ")


def test_a_good_certificate_verifies(pki):
    alice = pki.issue("alice", email="alice@lab.example", dns="alice.lab.example", ips=["10.77.1.11", "fd77:1::b"])
    assert verdict(pki, alice, "-crl_check_all", "-CRLfile", str(pki.crl)).endswith("OK ")
    text = subprocess.run(["openssl", "x509", "-in", alice.cert, "-noout", "-subject", "-nameopt", "RFC2253"],
                          capture_output=True, text=True, check=True).stdout
    assert text.strip() == "subject=" + alice.dn


@pytest.mark.parametrize("how,why", [
    ("expired", "certificate has expired"),
    ("not_yet_valid", "certificate is not yet valid"),
    ("revoked", "certificate revoked"),
    ("wrong_root", "unable to get"),
    ("not_a_ca", "invalid CA certificate"),
    ("self_signed", "self-signed certificate"),
])
def test_a_bad_one_does_not(pki, how, why):
    bad = getattr(pki, how)("mallory")
    crl = ["-crl_check", "-CRLfile", str(pki.crl)] if how == "revoked" else []
    assert why in verdict(pki, bad, *crl)


def test_a_key_of_the_wrong_usage_may_not_sign(pki):
    bad = pki.wrong_usage("mallory")
    assert verdict(pki, bad).endswith("OK ")
    assert "unsuitable certificate purpose" in verdict(pki, bad, "-purpose", "smimesign")

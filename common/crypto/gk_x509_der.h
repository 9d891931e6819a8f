/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_X509_DER_H
#define GK_X509_DER_H

#include "common/base/gk_base.h"

/*
 * DOC: certificates and CRLs in DER (RFC 5280 sections 4.1 and 5.1)
 *
 * The provider reads BER, and keeps the octets of the part that is signed, so what
 * it would write says nothing of that part.  Here is a walk over all of them.  What
 * an OCTET STRING or a BIT STRING contains is not looked into, nor how times are
 * written (RFC 5280 section 4.1.2.5 is looked at where they are compared), nor
 * defaults among the parameters of an algorithm.
 */

/* gk_der_certificate - is @der one Certificate, in DER? */
bool gk_der_certificate(struct gk_slice der);

/* gk_der_crl - is @der one CertificateList, in DER? */
bool gk_der_crl(struct gk_slice der);

#endif /* GK_X509_DER_H */

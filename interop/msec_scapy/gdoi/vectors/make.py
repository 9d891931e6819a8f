# SPDX-License-Identifier: BSD-2-Clause
"""All files of interop/vectors/gdoi."""
from ...vectors import describe
from . import kinds, make_choice, make_crypto, make_payload, make_session, make_verdict, store
from .store import Dialect

TITLE = "Vectors for GDOI (RFC 6407, 8263, 8052) and its phase 1"


def everything():
    """(file name below interop/vectors, text)."""
    seen = set()
    for maker in (make_crypto, make_payload, make_verdict, make_choice, make_session):
        for book in maker.books():
            for v in book.vectors:
                assert v["id"] not in seen, v["id"]
                seen.add(v["id"])
            yield f"gdoi/{book.name}.json", book.text()
    yield "gdoi/schema.json", describe.schema_text(title=TITLE, known=kinds.KINDS, choices=Dialect.choices())
    yield "gdoi/README.md", describe.page_text(store.FOLDER, kinds.KINDS)

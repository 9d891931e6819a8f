# SPDX-License-Identifier: BSD-2-Clause
"""All files of interop/vectors that are made."""
from ..gdoi.vectors import make as gdoi
from . import (describe, make_crypto, make_lkh, make_message, make_token, make_transcript,
               make_verdict)

# A key server of ours takes part in a transcript, and what it draws and in which order is its own
# business: transcripts are recorded once, replayed ever after, and recorded anew on request.


def books(record=False):
    for maker in (make_crypto, make_lkh, make_message, make_token, make_verdict):
        yield from maker.books()
    if record:
        yield from make_transcript.books()


def everything(record=False):
    """(file name, text)."""
    seen = set()
    for book in books(record):
        for v in book.vectors:
            assert v["id"] not in seen, v["id"]
            seen.add(v["id"])
        yield f"{book.name}.json", book.text()
    yield "schema.json", describe.schema_text()
    yield "README.md", describe.page_text()
    yield from gdoi.everything()

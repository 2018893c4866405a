"""The receipt: what was delivered, where, on whose word, and what nobody looked at."""

from typing import Any

from pipeline.remote import RECEIPT_SCHEMA, Receipt
from pipeline.storage import codec


def document(receipt: Receipt) -> dict[str, Any]:
    """The receipt as it is written; it holds no key, and of this machine at most the folder that it was staged into."""
    made: dict[str, Any] = codec.rounded(
        {
            "schema": RECEIPT_SCHEMA,
            "provider": receipt.provider,
            "where": receipt.where,
            "dataset": {"id": receipt.dataset.id, "name": receipt.dataset.name},
            "manifest_sha256": receipt.manifest_sha256,
            "tool": {"name": "voxgate", "version": receipt.version},
            "consent": receipt.consent,
            "not_examined": receipt.not_examined,
            "relaxed": receipt.relaxed,
            "totals": {
                "files": len(receipt.delivered),
                "bytes": sum(each.cleared.bytes for each in receipt.delivered),
                "decoded_s": sum(each.cleared.decoded_s for each in receipt.delivered),
            },
            "files": [
                {
                    "ids": list(each.cleared.ids),
                    "name": each.cleared.name,
                    "remote_id": each.remote_id,
                    "sha256": each.cleared.sha256,
                    "bytes": each.cleared.bytes,
                    "decoded_s": each.cleared.decoded_s,
                }
                for each in receipt.delivered
            ],
            "foreign": receipt.foreign,
        }
    )
    return made | {"sha256": codec.digest(made)}

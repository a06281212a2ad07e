"""Many images: finished ones are written down, failed ones are told, the rest goes on."""

from smearcount.batch.run import count_batch as count_batch

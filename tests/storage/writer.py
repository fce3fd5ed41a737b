"""A process that writes until it is killed, telling each write that was acknowledged."""

import asyncio
import itertools
import sys

from poolhouse.storage import Store, open_store


async def write_for_ever(store: Store, name: str) -> None:
    for number in itertools.count():
        await store.write(lambda tx, number=number: tx.settings.put(f"{name}.{number}", b"%d" % number))
        sys.stdout.write(f"{name}.{number}\n")
        sys.stdout.flush()


async def main(url: str, process: str) -> None:
    store = open_store(url)
    await asyncio.gather(*(write_for_ever(store, f"{process}.{task}") for task in range(8)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))

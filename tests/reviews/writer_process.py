"""A dashboard process of its own: several people write comments at once, one thread each.

Says on standard output which comment was acknowledged. Every tenth one is sent twice, as after a lost answer.
"""

import os
import sys
import threading

from reviews import ReviewStore, comments, open_store, people

EVERY = 10


def comment_id(writer: int, number: int) -> str:
    """Returns the id of a comment."""
    return f"comment-{writer:03d}-{number:06d}"


def write_all(store: ReviewStore, review_id: str, writer: int, num: int) -> None:
    """Writes the comments of one person."""
    person = people.sign_in(store, f"writer-{writer}")
    for number in range(num):
        name = comment_id(writer, number)
        for _ in range(2 if number % EVERY == 0 else 1):
            comments.write(store, person, review_id, f"{number} by {writer}", name)
        os.write(1, f"{name}\n".encode())


def main(url: str, review_id: str, first: int, num_writers: int, num: int) -> None:
    """Starts the writers and waits for them."""
    store = open_store(url)
    writers = [
        threading.Thread(target=write_all, args=(store, review_id, writer, num))
        for writer in range(first, first + num_writers)
    ]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()


if __name__ == "__main__":
    main(os.environ["STEADYSTEP_REVIEWS"], sys.argv[1], *map(int, sys.argv[2:]))

"""Texts for tests: sentences of a small grammar, with two topics."""

import random

ANIMALS = ["dog", "cat", "horse", "bird", "sheep", "cow", "goat", "duck"]
FOODS = ["pizza", "cake", "sandwich", "apple", "salad", "soup", "pear", "bun"]
COLORS = ["black", "white", "brown", "red", "small", "large", "old", "gray", "pale", "dark", "huge", "tiny"]
PLACES = ["on a bench", "in the park", "near a lake", "under a tree", "by the road", "in front of a house"]
SERVED = ["on a plate", "on a table", "in a bowl", "next to a cup", "with a fork", "near a window"]


def captions(n=400, seed=0):
    """n captions and their topics, "animals" or "food"."""
    choose = random.Random(seed).choice
    made = []
    for i in range(n):
        things, places, does = ((ANIMALS, PLACES, "sits"), (FOODS, SERVED, "lies"))[i % 2]
        parts = ["a", choose(COLORS), choose(things), does, choose(places)]
        if choose([True, True, True, False]):
            parts += ["and", "a", choose(COLORS), choose(things), "is", choose(places)]
        made.append((" ".join(parts) + ".", ("animals", "food")[i % 2]))
    return made


def write_captions(path, n=400):
    path.write_text("".join(f"{text}\n" for text, _ in captions(n)))
    return path


def write_labeled(path, n=400):
    lines = ["text,topic", *(f'"{text}",{topic}' for text, topic in captions(n))]
    path.write_text("\n".join(lines) + "\n")
    return path

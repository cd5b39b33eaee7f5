"""Profiles: how the ranked list is bent to what a person wants of it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from khojd.config import BUILT_IN_PROFILES, Profile, Search
from khojd.embed.protocol import Vectors
from khojd.errors import QueryError

# MMR compares with every hit chosen so far; further down the list the order by score stands.
_DIVERSE_HITS = 50
_EPOCH = date(1970, 1, 1).toordinal()


class Candidate(Struct, frozen=True):
    """An entry in the ranked list, with what tuning looks at."""

    entry_id: int
    score: float
    path: str
    position: int
    format: str
    day: int | None  # proleptic Gregorian ordinal
    modified: float  # seconds since the epoch


def profile(name: str, settings: Search) -> Profile:
    """The profile of that name, "" for the configured one. Raises QueryError."""
    profiles = {**BUILT_IN_PROFILES, **settings.profiles}
    name = name or settings.profile
    if name not in profiles:
        names = sorted(profiles)
        raise QueryError(f"there is no profile {name!r}; there are {', '.join(names)}", part=name, allowed=names)
    return profiles[name]


def is_plain(profile: Profile) -> bool:
    """Whether the profile leaves the order of the list as it is, so that nobody needs to look beyond the hits wanted."""
    return not (profile.weights or profile.recency or profile.per_file or profile.diversity)


def tune(
    candidates: Sequence[Candidate],
    profile: Profile,
    *,
    limit: int,
    today: date,
    vectors: Callable[[Sequence[int]], Mapping[int, Vectors]],
) -> list[Candidate]:
    """The best `limit` candidates as the profile wants them; equal scores stand in the order of path and position.

    `vectors` gives the vectors of entries; it is asked only where the profile wants diversity.
    """
    scored = [replace(one, score=one.score * _factor(one, profile, today)) for one in candidates]
    ranked = sorted((one for one in scored if one.score >= profile.min_score), key=lambda one: (-one.score, one.path, one.position))
    if profile.per_file:
        ranked = _per_file(ranked, profile.per_file)
    if profile.diversity > 0.0 and len(ranked) > 1:
        ranked = _diverse(ranked, profile.diversity, min(limit, _DIVERSE_HITS), vectors)
    return ranked[:limit]


def _factor(one: Candidate, profile: Profile, today: date) -> float:
    factor = profile.weights.get(one.format, 1.0)
    if profile.recency:
        age = max(0.0, today.toordinal() - (one.day if one.day is not None else _EPOCH + one.modified / 86_400))
        factor *= 1.0 - profile.recency + profile.recency * 0.5 ** (age / profile.half_life_days)
    return factor


def _per_file(ranked: Sequence[Candidate], most: int) -> list[Candidate]:
    seen: dict[str, int] = {}
    kept = []
    for one in ranked:
        seen[one.path] = seen.get(one.path, 0) + 1
        if seen[one.path] <= most:
            kept.append(one)
    return kept


def _diverse(
    ranked: Sequence[Candidate], diversity: float, count: int, vectors: Callable[[Sequence[int]], Mapping[int, Vectors]]
) -> list[Candidate]:
    """Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998) over the top of the list; the rest follows by score.

    Entries without a vector are like no other. Scores are left as they are, so they need not fall along the list.
    """
    pool = list(ranked[: 4 * count])
    known = vectors([one.entry_id for one in pool])
    dimensions = len(next(iter(known.values()))) if known else 1
    matrix = np.zeros((len(pool), dimensions), np.float32)
    for index, one in enumerate(pool):
        if one.entry_id in known:
            matrix[index] = known[one.entry_id]
    scores = np.array([one.score for one in pool], np.float32)
    nearest = np.zeros(len(pool), np.float32)
    left = np.ones(len(pool), bool)
    chosen: list[int] = []
    while len(chosen) < min(count, len(pool)):
        value = np.where(left, (1.0 - diversity) * scores - diversity * nearest, -np.inf)
        index = int(value.argmax())
        chosen.append(index)
        left[index] = False
        nearest = np.maximum(nearest, matrix @ matrix[index])
    return [*(pool[index] for index in chosen), *(one for index, one in enumerate(pool) if left[index]), *ranked[len(pool) :]]

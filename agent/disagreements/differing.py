"""Whether two recommendations are on one point, and what they then disagree on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation

from agent.disagreements.disagreement import Difference, DifferenceKind
from agent.disagreements.point import Direction, Point, Stated
from agent.gate.measures import Measure

#: Share of the shorter topic that the other recommendation must name.
_TOPIC_SHARE = 0.6
#: Share of what the shorter of two statements names that the other must name, to be on one thing to do.
_ACTION_SHARE = 0.7
_LEAST_SHARED = 2
#: Of statements that are set against each other, where a wrong alarm says the most.
_LEAST_OPPOSED = 3
_CHILDREN = frozenset(["child", "infant", "neonate", "adolescent", "boy", "girl"])
_GROWN = frozenset(["adult", "elderly", "pregnant", "postmenopausal"])
#: People that a recommendation for the one is not for the other.
_APART = (
    (_CHILDREN, _GROWN),
    (frozenset(["man", "boy"]), frozenset(["woman", "girl", "pregnant"])),
    (frozenset(["pregnant"]), frozenset(["nonpregnant"])),
    (frozenset(["premenopausal"]), frozenset(["postmenopausal"])),
)
#: Guidance for these says so; what names none of them is for others.
_ONLY_IF_NAMED = (_CHILDREN, frozenset(["pregnant"]), frozenset(["breastfeeding"]))
#: Where what has no upper end ends.
_FOREVER = Decimal(10**9)


def on_one_point(first: Point, second: Point) -> bool:
    """Whether both are about the same condition and the same people."""
    if min(_share(first.topic, second.named), _share(second.topic, first.named)) < _TOPIC_SHARE:
        return False
    # Two chapters on one drug are on one point only where their guidelines are on something in common.
    if not (first.title & second.named or second.title & first.named):
        return False
    return not _other_people(first, second)


def differences(first: Point, second: Point) -> tuple[Difference, ...]:
    """What two recommendations on one point disagree on, one of each kind at most; empty where nothing is certain."""
    found = (
        _direction(first, second),
        _choice(first, second),
        *(
            _measured(kind, first, second, of, agree)
            for kind, of, agree in (
                (DifferenceKind.DOSE, _doses, _agree),
                (DifferenceKind.DURATION, _durations, _agree),
                (DifferenceKind.AGE, _ages, _same_bounds),
                (DifferenceKind.INTERVAL, _intervals, _agree),
            )
        ),
    )
    return tuple(one for one in found if one is not None)


def _share(part: frozenset[str], whole: frozenset[str]) -> float:
    return len(part & whole) / len(part) if part else 0.0


def _other_people(first: Point, second: Point) -> bool:
    for alone in _ONLY_IF_NAMED:
        if bool(first.people & alone) != bool(second.people & alone):
            return True
    for ours, theirs in _APART:
        for a, b in ((first, second), (second, first)):
            if a.people & ours and not a.people & theirs and b.people & theirs and not b.people & ours:
                return True
    spans = [[span for one in point.statements for span in map(_span, one.ages)] for point in (first, second)]
    if not all(spans):
        return False
    return not any(_overlap(a, b) for a in spans[0] for b in spans[1])


def _direction(first: Point, second: Point) -> Difference | None:
    """Two statements of one thing to do, the one for it and the other not."""
    for ours in first.statements:
        for theirs in second.statements:
            if ours.direction is not theirs.direction and _same_action(ours, theirs, _LEAST_OPPOSED):
                return Difference(kind=DifferenceKind.DIRECTION, first=ours.words, second=theirs.words)
    return None


def _same_action(first: Stated, second: Stated, least: int = _LEAST_SHARED) -> bool:
    """Whether what is to be done is the same: the same drugs if any, and most of the words of the shorter."""
    if first.drugs != second.drugs or first.screens != second.screens:
        return False
    shared = len(first.named & second.named)
    return shared >= least and shared / min(len(first.named), len(second.named)) >= _ACTION_SHARE


def _choice(first: Point, second: Point) -> Difference | None:
    ours, theirs = ([one for one in point.statements if one.first_choice and one.drugs] for point in (first, second))
    if not ours or not theirs:
        return None
    if frozenset().union(*(one.drugs for one in ours)) & second.drugs:
        return None
    if frozenset().union(*(one.drugs for one in theirs)) & first.drugs:
        return None
    return Difference(kind=DifferenceKind.CHOICE, first=ours[0].words, second=theirs[0].words)


#: What a measure is of, the measure, and the statement it stands in.
_Item = tuple[tuple[str, ...], Measure, Stated]
_Found = dict[tuple[str, ...], list[tuple[Measure, Stated]]]


def _measured(
    kind: DifferenceKind,
    first: Point,
    second: Point,
    of: Callable[[Point, Point], Iterable[_Item]],
    agree: Callable[[Measure, Measure], bool],
) -> Difference | None:
    ours, theirs = _grouped(of(first, second)), _grouped(of(second, first))
    for name in sorted(ours.keys() & theirs.keys()):
        if any(agree(a, b) for a, _ in ours[name] for b, _ in theirs[name]):
            continue
        return Difference(kind=kind, first=ours[name][0][1].words, second=theirs[name][0][1].words)
    return None


def _grouped(items: Iterable[_Item]) -> _Found:
    found: _Found = {}
    for name, measure, stated in items:
        found.setdefault(name, []).append((measure, stated))
    return found


def _doses(point: Point, other: Point) -> Iterable[_Item]:
    """Doses of the drugs of both, by drug, unit and route."""
    for stated in point.statements:
        for drug, measure in stated.doses:
            if drug in other.drugs and stated.direction is Direction.FOR:
                yield (drug, measure.dimension, *sorted(stated.routes)), measure, stated


def _durations(point: Point, other: Point) -> Iterable[_Item]:
    """How long, by drug where the statement names drugs."""
    for stated in point.statements:
        if stated.direction is not Direction.FOR:
            continue
        for measure in stated.durations:
            for drug in sorted(stated.drugs & other.drugs):
                yield (drug,), measure, stated
    for stated in _done_alike(point, other):
        for measure in stated.durations:
            yield ("",), measure, stated


def _ages(point: Point, other: Point) -> Iterable[_Item]:
    """Ages from or up to which something without a drug is done, such as screening."""
    for stated in _done_alike(point, other):
        for measure in stated.ages:
            yield ("age",), measure, stated


def _intervals(point: Point, other: Point) -> Iterable[_Item]:
    """How often something without a drug is done."""
    for stated in _done_alike(point, other):
        for measure in stated.intervals:
            yield ("often",), measure, stated


def _done_alike(point: Point, other: Point) -> Iterable[Stated]:
    """Statements that name no drug and tell to do what one of the other's does."""
    for stated in point.statements:
        if stated.drugs or stated.direction is not Direction.FOR:
            continue
        if any(one.direction is Direction.FOR and _same_action(stated, one) for one in other.statements):
            yield stated


def _agree(first: Measure, second: Measure) -> bool:
    """Whether two measures leave room for one value: equal, or ranges that overlap at more than their ends."""
    if first == second:
        return True
    if first.dimension == "often" or second.dimension == "often":
        return (first.low, first.high) == (second.low, second.high)
    a, b = _days(first), _days(second)
    if a is None or b is None:
        return True  # not comparable: say nothing
    if first.comparator or second.comparator or first.high or second.high:
        return _overlap(a, b)
    return a == b


def _same_bounds(first: Measure, second: Measure) -> bool:
    """Whether two ages begin and end alike, as far as both say where."""
    a, b = _span(first), _span(second)
    return all(one == other or one in (0, _FOREVER) or other in (0, _FOREVER) for one, other in zip(a, b, strict=True))


def _days(measure: Measure) -> tuple[Decimal, Decimal] | None:
    """The span of a measure; of lengths of time in days."""
    factor = {"minutes": Decimal(1) / 1440, "months": Decimal("30.4")}.get(measure.dimension, Decimal(1))
    try:
        low, high = Decimal(measure.low) * factor, Decimal(measure.high or measure.low) * factor
    except InvalidOperation:
        return None
    if measure.comparator in (">", ">="):
        return low, _FOREVER
    return (Decimal(0), high) if measure.comparator in ("<", "<=") else (low, high)


def _span(age: Measure) -> tuple[Decimal, Decimal]:
    return _days(age) or (Decimal(0), _FOREVER)


def _overlap(first: Sequence[Decimal], second: Sequence[Decimal]) -> bool:
    return first[0] <= second[1] and second[0] <= first[1]

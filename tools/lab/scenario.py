"""Scenarios: readable data that a seed turns into a plan of acts.

scenarios/README.md shows every field. Here only the drawing is done: the same file and seed give the same plan.
"""

import dataclasses
import math
import pathlib
import random

import yaml

from network import LabError

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class Act:
    """One thing that happens: at a second of the scenario's clock, an app does something."""

    at: float
    app: str
    do: str
    fields: dict
    background: bool = False
    # Whether it has to fail: what a network does not let through.
    fails: bool = False


class Lengths:
    """A distribution of lengths (or of seconds) from lengths/NAME.yaml, which names its source."""

    def __init__(self, name):
        file = HERE / "lengths" / f"{name}.yaml"
        if not file.exists():
            raise LabError(f"there is no {file.relative_to(HERE)}")
        self.name, data = name, yaml.safe_load(file.read_text(encoding="utf-8"))
        for field in ("title", "source", "confidence"):
            if field not in data:
                raise LabError(f"lengths/{name}.yaml: '{field}' is missing")
        self.source, self.data = data["source"], data

    def draw(self, random):
        data = self.data
        if "quantiles" in data:
            # [[share, value], ...]: straight lines between them
            points, at = data["quantiles"], random.random()
            for (low, first), (high, second) in zip(points, points[1:]):
                if at <= high:
                    return round(first + (second - first) * (at - low) / (high - low))
            return points[-1][1]
        if "lognormal" in data:
            mean, deviation = math.log(data["lognormal"]["median"]), data["lognormal"]["sigma"]
            return min(max(random.lognormvariate(mean, deviation), data.get("least", 1)), data.get("most", math.inf))
        raise LabError(f"lengths/{self.name}.yaml: neither 'quantiles' nor 'lognormal'")


class Scenario:
    """One file of scenarios/, and the plan that its seed gives."""

    def __init__(self, name, seed=None):
        file = HERE / "scenarios" / f"{name}.yaml"
        if not file.exists():
            raise LabError(f"there is no scenario '{name}': {', '.join(names())}")
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
        self.name, self.data = name, data
        missing = [f for f in ("title", "shows", "seed", "duration", "apps", "plan") if f not in data]
        if missing:
            raise LabError(f"{file.name}: '{missing[0]}' is missing")
        self.seed = data["seed"] if seed is None else seed
        self.duration = float(data["duration"])
        self.apps, self.network = data["apps"] or {}, data.get("network", {})
        self.capture = data.get("capture", {})
        # Whether it makes one of captures/, which have to be small.
        self.is_sample = bool(data.get("sample", True))
        self.sources = set()

    def plan(self):
        """All acts in the order of their times."""
        acts = []
        for number, entry in enumerate(self.data["plan"]):
            where = f"scenarios/{self.name}.yaml, plan {number + 1}"
            # Each entry has a stream of numbers of its own, so that a change in one leaves the others as they were.
            rng = random.Random(f"{self.seed}/{number}")
            app, _, do = str(entry.get("act", "")).partition(".")
            if app not in self.apps:
                raise LabError(f"{where}: 'act' wants APP.VERB with an app of this scenario, found '{entry.get('act')}'")
            for at in self._times(entry, rng, where):
                if do == "dialogue":
                    acts += self._dialogue(app, at, entry, rng)
                else:
                    acts.append(Act(at, app, do, self._fields(entry.get("with", {}), rng),
                                    bool(entry.get("background", False)), bool(entry.get("fails", False))))
        acts.sort(key=lambda act: act.at)
        return acts

    def _times(self, entry, rng, where):
        first, last = float(entry.get("from", 0)), float(entry.get("to", self.duration))
        if "at" in entry:
            return [float(t) for t in (entry["at"] if isinstance(entry["at"], list) else [entry["at"]])]
        if "every" in entry:
            step, times, at = float(entry["every"]), [], first + float(entry["every"])
            while at <= last:
                times.append(at + rng.uniform(0, float(entry.get("jitter", 0))))
                at += step
            return times
        if "count" in entry:
            return sorted(rng.uniform(first, last) for _ in range(int(entry["count"])))
        if "per_day" in entry:
            # a Poisson process, thinned by the hours' weights where they are given
            weights, times, at = entry.get("hours"), [], first
            highest = max(weights) if weights else 1
            mean = sum(weights) / len(weights) if weights else 1
            while True:
                at += rng.expovariate(entry["per_day"] / 86_400 * highest / mean)
                if at > last:
                    return times
                if not weights or rng.random() < weights[int(at % 86_400 // 3_600)] / highest:
                    times.append(at)
        raise LabError(f"{where}: one of 'at', 'every', 'count', 'per_day' is needed")

    def _fields(self, fields, rng):
        return {key: self._value(value, rng) for key, value in fields.items()}

    def _value(self, value, rng):
        if not isinstance(value, dict):
            return value
        if "draw" in value:
            self.sources.add(value["draw"])
            return round(Lengths(value["draw"]).draw(rng))
        if "uniform" in value:
            low, high = value["uniform"]
            return rng.randint(low, high) if isinstance(low, int) else rng.uniform(low, high)
        if "choice" in value:
            return rng.choices(list(value["choice"]), list(value["choice"].values()))[0]
        return self._fields(value, rng)

    def _dialogue(self, app, at, entry, rng):
        """A chat of two people by turns: typing, text, read receipt, now and then a tapback.

        `from` and `to` of the acts are the two names of `between`.
        """
        fields = entry.get("with", {})
        one, two = fields["between"]
        acts, silent = [], fields.get("without", [])
        for number in range(self._value(fields["messages"], rng)):
            sender, receiver = (one, two) if rng.random() < fields.get("share", 0.5) else (two, one)
            characters = self._value(fields["characters"], rng)
            extra = self._fields(fields.get("also", {}), rng)

            def act(do, **more):
                if do not in silent:
                    acts.append(Act(at, app, do, {"from": sender, "to": receiver} | extra | more))
            act("typing_start")
            # seconds a character: lengths/typing-pace.yaml
            at += max(1.0, characters * self._value({"draw": "typing-pace"}, rng) / 1000)
            if rng.random() < fields.get("abandoned", 0):
                act("typing_stop")
            else:
                act("text", characters=characters)
                at += rng.uniform(1, 4)
                if rng.random() < fields.get("read", 1):
                    acts.append(Act(at, app, "read", {"from": receiver, "to": sender} | extra))
                if rng.random() < fields.get("tapbacks", 0) and "tapback" not in silent:
                    at += rng.uniform(1, 5)
                    acts.append(Act(at, app, "tapback", {"from": receiver, "to": sender} | extra))
            at += self._value(fields.get("pause", {"draw": "reply-gap"}), rng)
        return acts


def names():
    """All scenarios."""
    return sorted(f.stem for f in (HERE / "scenarios").glob("*.yaml"))


def samples():
    """The scenarios that make the samples in captures/."""
    return [name for name in names() if Scenario(name).is_sample]
